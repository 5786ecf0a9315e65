import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";

export interface Heard {
  readonly topic: string;
  readonly text: string;
  /** Delivered from the broker's memory. */
  readonly retained: boolean;
}

/** A subscriber to everything, that remembers. */
export class Listener implements AsyncDisposable {
  readonly heard: Heard[] = [];
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  static async open(url: string, options: IClientOptions = {}): Promise<Listener> {
    const client = await connectAsync(url, { reconnectPeriod: 50, ...options });
    const listener = new Listener(client);
    client.on("message", (topic, payload, packet) => listener.heard.push({ topic, text: String(payload), retained: packet.retain }));
    await client.subscribeAsync("#", { qos: 0 });
    return listener;
  }

  last(topic: string): Heard | undefined {
    return this.heard.findLast((message) => message.topic === topic);
  }

  json(topic: string): Record<string, unknown> | undefined {
    const text = this.last(topic)?.text;
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }

  count(topic: string): number {
    return this.heard.filter((message) => message.topic === topic).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}
