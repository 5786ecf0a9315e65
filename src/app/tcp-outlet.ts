import { TcpPort, type TcpClient } from "./tcp-port.ts";

/** A TCP port like that of a serial bridge: whoever is connected hears every reply and may ask. */
export class TcpOutlet {
  readonly #port: TcpPort;
  readonly #clients = new Set<TcpClient>();
  #away = false;

  constructor(host: string, port: number, received: (bytes: Uint8Array) => void) {
    this.#port = new TcpPort({
      host,
      port,
      connected: (client) => {
        if (this.#away) return undefined;
        this.#clients.add(client);
        return { received, closed: () => this.#clients.delete(client) };
      },
    });
  }

  send(bytes: Uint8Array): void {
    for (const client of this.#clients) client.send(bytes);
  }

  /** Breaks every connection and takes no new one until plugged in again. */
  unplug(): void {
    this.#away = true;
    for (const client of this.#clients) client.close();
  }

  plugIn(): void {
    this.#away = false;
  }

  /** Serves until aborted; `ready` gets the port in use. Rejects when it cannot listen. */
  async run(options: { readonly ready: (port: number) => void; readonly signal: AbortSignal }): Promise<void> {
    await this.#port.run(options);
  }
}
