import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import mqtt from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { describeBrokerError, mustBeMendedByHand } from "./broker-error.ts";
import type { BrokerProblem } from "./broker-error.ts";
import { parseBrokerUrl } from "./broker-url.ts";

/** Which broker, and who we are there. */
export interface BrokerOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Must be ours alone at the broker; random by default. */
  readonly clientId?: string | undefined;
  /** PEM files for TLS: the authority that signed the broker's certificate, our own certificate and its key. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Seconds between signs of life. Default 30. */
  readonly keepaliveS?: number;
  /** First pause before connecting again, milliseconds; it doubles up to 30,000. Default 1,000. */
  readonly reconnectMs?: number;
  readonly logger: Logger;
}

/** What the owner of a link is told. */
export interface BrokerListener {
  connected(client: MqttClient): void;
  /** After each end of a connection that stood. */
  disconnected(problem: BrokerProblem): void;
  /** Once per outage, and again where it turns out to be something that a person must mend; told in the log where this is absent. */
  troubled?(problem: BrokerProblem): void;
}

const longestPauseMs = 30_000;
const connectTimeoutMs = 10_000;
const closeWithinMs = 800;

/** A connection to a broker that comes back by itself, and says why it is away once per outage. */
export class BrokerLink {
  /** The broker's URL without user and password. */
  readonly address: string;
  readonly #url: string;
  readonly #logger: Logger;
  readonly #clientOptions: IClientOptions;
  #client: MqttClient | undefined;
  #listener: BrokerListener | undefined;
  #outage: { readonly since: number; readonly problem: BrokerProblem } | undefined;
  /** What the client has said about the connection that is ending. */
  #lastProblem: BrokerProblem | undefined;
  #stood = false;
  #closing = false;

  private constructor(address: string, url: string, logger: Logger, clientOptions: IClientOptions) {
    this.address = address;
    this.#url = url;
    this.#logger = logger;
    this.#clientOptions = clientOptions;
  }

  /** Checks the options and reads the TLS files; does not connect yet. */
  static async prepare(options: BrokerOptions, more: Pick<IClientOptions, "will"> = {}): Promise<BrokerLink> {
    const { url, address, isSecure, username, password } = parseBrokerUrl(options.url);
    const clientOptions: IClientOptions = {
      protocolVersion: 4,
      clientId: options.clientId ?? `sonkrag-${randomBytes(4).toString("hex")}`,
      clean: true,
      keepalive: options.keepaliveS ?? 30,
      connectTimeout: connectTimeoutMs,
      reconnectPeriod: options.reconnectMs ?? 1_000,
      reconnectOnConnackError: true,
      queueQoSZero: false,
      resubscribe: false,
      rejectUnauthorized: true,
      ...more,
      ...(await readTls(options, isSecure)),
    };
    const user = options.username ?? username;
    const secret = options.password ?? password;
    if (user !== undefined) clientOptions.username = user;
    if (secret !== undefined) clientOptions.password = secret;
    return new BrokerLink(address, url, options.logger, clientOptions);
  }

  /** Whether the connection stands at the moment. */
  get isUp(): boolean {
    return this.#client?.connected === true;
  }

  /** In plain words; absent while connected. */
  get trouble(): string | undefined {
    if (this.isUp) return undefined;
    return this.#outage?.problem.message ?? `Connecting to the MQTT broker at ${this.address}`;
  }

  /** Starts to connect; does not wait for the broker. To be called once. */
  connect(listener: BrokerListener): MqttClient {
    const client = mqtt.connect(this.#url, this.#clientOptions);
    const firstPauseMs = this.#clientOptions.reconnectPeriod ?? 1_000;
    this.#client = client;
    this.#listener = listener;
    client.on("connect", () => {
      client.options.reconnectPeriod = firstPauseMs;
      const wasAway = this.#outage;
      this.#outage = undefined;
      this.#lastProblem = undefined;
      this.#stood = true;
      const pause = wasAway === undefined ? "" : ` again after ${Math.round((performance.now() - wasAway.since) / 1_000)} s`;
      this.#logger.info(`Connected to the MQTT broker at ${this.address}${pause}`);
      listener.connected(client);
    });
    client.on("reconnect", () => {
      client.options.reconnectPeriod = Math.min((client.options.reconnectPeriod ?? firstPauseMs) * 2, longestPauseMs);
    });
    client.on("error", (error) => {
      this.#lastProblem = describeBrokerError(error, this.address);
      this.#report(this.#lastProblem);
    });
    client.on("close", () => {
      const problem: BrokerProblem = { kind: "lost", message: `The MQTT broker at ${this.address} closed the connection` };
      if (this.#stood) listener.disconnected(this.#lastProblem ?? problem);
      this.#stood = false;
      this.#lastProblem = undefined;
      this.#report(problem);
    });
    return client;
  }

  /** Ends the connection, after the last work where there is some; never takes longer than 0.8 s. */
  async close(lastWork: () => Promise<void> = async () => undefined): Promise<void> {
    this.#closing = true;
    const client = this.#client;
    if (client === undefined) return;
    const tooLate = new AbortController();
    const farewell = async (): Promise<void> => {
      await lastWork();
      await client.endAsync(!client.connected);
    };
    await Promise.race([farewell(), delay(closeWithinMs, undefined, { signal: tooLate.signal }).catch(() => undefined)]);
    tooLate.abort();
    // A broker that is dead without having closed the connection would otherwise keep the process alive.
    client.stream.destroy();
  }

  /** One message per outage; a second one only if it then turns out to be something that a person must mend. */
  #report(problem: BrokerProblem): void {
    if (this.#closing) return;
    const known = this.#outage?.problem.kind;
    const mustBeMended = mustBeMendedByHand(problem);
    if (known !== undefined && (known === problem.kind || !mustBeMended)) return;
    this.#outage = { since: this.#outage?.since ?? performance.now(), problem };
    if (this.#listener?.troubled !== undefined) {
      this.#listener.troubled(problem);
      return;
    }
    const message = `${problem.message}. Everything else goes on; the connection is tried again by itself`;
    if (mustBeMended) this.#logger.error(message, { kind: problem.kind });
    else this.#logger.warn(message, { kind: problem.kind });
  }
}

async function readTls(options: BrokerOptions, isSecure: boolean): Promise<Pick<IClientOptions, "ca" | "cert" | "key">> {
  const { ca, cert, key } = options;
  const given = ca ?? cert ?? key;
  if (given === undefined) return {};
  if (!isSecure)
    throw new ConfigError(`Expected mqtts:// or wss:// for the broker, since TLS files are given (${given}), got a plain address`);
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError(
      `Expected both the client certificate and its key for MQTT, got only ${cert === undefined ? "the key" : "the certificate"}`,
    );
  }
  const read = async (name: string, path: string | undefined): Promise<Buffer | undefined> => {
    try {
      return path === undefined ? undefined : await readFile(path);
    } catch (cause) {
      throw new ConfigError(`Expected a readable ${name} file for MQTT over TLS at ${path}, got: ${String(cause)}`, { cause });
    }
  };
  const [caPem, certPem, keyPem] = await Promise.all([read("ca", ca), read("cert", cert), read("key", key)]);
  return { ...(caPem && { ca: caPem }), ...(certPem && { cert: certPem }), ...(keyPem && { key: keyPem }) };
}
