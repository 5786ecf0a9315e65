import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import mqtt from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";
import { describeBrokerError } from "./broker-error.ts";
import type { BrokerProblem } from "./broker-error.ts";
import { legacyJson, legacyParallel, legacySettings, legacyStatus } from "./legacy-topics.ts";
import type { LegacyDocument } from "./legacy-topics.ts";
import { Outbox } from "./outbox.ts";
import { StateDocument } from "./state-document.ts";
import { systemJson } from "./system-document.ts";

export interface MqttOptions {
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
  /** Start of our own topics. Default `sonkrag/v1`. */
  readonly prefix?: string;
  /** The least time between two states of one inverter, milliseconds. Default 1,000. */
  readonly stateIntervalMs?: number;
  /** The older add-on's topics; `{sn}` in a topic becomes the serial number. */
  readonly legacy?: Partial<LegacyOptions>;
  /** First pause before connecting again, milliseconds; it doubles up to 30,000. Default 1,000. */
  readonly reconnectMs?: number;
  readonly logger: Logger;
}

export interface LegacyOptions {
  /** Default true. */
  readonly enabled: boolean;
  /** Values from `QPGS0`. Default `power/axpert`. */
  readonly parallelTopic: string;
  /** Values from `QPIGS`. Default `power/axpert{sn}`. */
  readonly unitTopic: string;
  /** Values from `QPIRI`. Default `power/axpert_settings`. */
  readonly settingsTopic: string;
  /** Whether the broker keeps them for new subscribers. Default false. */
  readonly retain: boolean;
}

export interface MqttHealth {
  readonly connected: boolean;
  readonly messagesSent: number;
  /** Overtaken by a newer message or by age before they could be sent. */
  readonly messagesOutdated: number;
  /** In plain words; absent while connected. */
  readonly trouble?: string;
}

interface InverterTopics {
  readonly document: StateDocument;
  /** On the monotonic clock. */
  stateAt: number;
  stateTimer: NodeJS.Timeout | undefined;
}

interface LegacyTopic {
  readonly template: string;
  readonly document: LegacyDocument;
  /** Monotonic arrival of the latest reading by inverter, which gives the poll interval. */
  readonly arrivals: Map<string, { at: number; intervalMs: number }>;
}

const simulatedNotice = "These topics come from sonkrag's simulated inverter; nothing here is real.";
const longestPauseMs = 30_000;
const connectTimeoutMs = 10_000;
const closeWithinMs = 800;
const unknownIntervalMs = 10_000;
const liveIntervals = 3;

/** Publishes the older add-on's topics and our own tree. Never waits for the broker: what it misses is replaced by what is newest. */
export class MqttSink implements Sink, AsyncDisposable {
  readonly name = "MQTT";
  /** The broker's URL without user and password. */
  readonly address: string;
  readonly #options: MqttOptions;
  readonly #prefix: string;
  readonly #legacyRetain: boolean;
  readonly #legacyTopics: readonly LegacyTopic[];
  readonly #noticeTopic: string | undefined;
  readonly #outbox = new Outbox();
  readonly #inverters = new Map<string, InverterTopics>();
  #client: MqttClient | undefined;
  #main: string | undefined;
  #anySimulated = false;
  #hasSystem = false;
  #outage: { readonly since: number; readonly problem: BrokerProblem } | undefined;
  #closing = false;

  private constructor(options: MqttOptions, address: string) {
    this.#options = options;
    this.address = address;
    this.#prefix = options.prefix ?? "sonkrag/v1";
    const legacy = options.legacy ?? {};
    this.#legacyRetain = legacy.retain ?? false;
    const parallelTopic = legacy.parallelTopic ?? "power/axpert";
    const topic = (template: string, document: LegacyDocument): LegacyTopic => ({ template, document, arrivals: new Map() });
    const enabled = legacy.enabled ?? true;
    this.#noticeTopic = enabled ? `${parallelTopic.split("/", 1)[0]}/simulated` : undefined;
    this.#legacyTopics = enabled
      ? [
          topic(parallelTopic, legacyParallel),
          topic(legacy.unitTopic ?? "power/axpert{sn}", legacyStatus),
          topic(legacy.settingsTopic ?? "power/axpert_settings", legacySettings),
        ]
      : [];
  }

  /** Checks the options and starts to connect; does not wait for the broker. */
  static async open(options: MqttOptions): Promise<MqttSink> {
    const { url, address, isSecure, username, password } = parseUrl(options.url);
    const sink = new MqttSink(options, address);
    const statusTopic = `${sink.#prefix}/status`;
    const clientOptions: IClientOptions = {
      protocolVersion: 4,
      clientId: options.clientId ?? `sonkrag-${randomBytes(4).toString("hex")}`,
      clean: true,
      keepalive: options.keepaliveS ?? 30,
      connectTimeout: connectTimeoutMs,
      reconnectPeriod: options.reconnectMs ?? 1_000,
      reconnectOnConnackError: true,
      queueQoSZero: false,
      rejectUnauthorized: true,
      will: { topic: statusTopic, payload: Buffer.from("offline"), qos: 0, retain: true },
      ...(await readTls(options, isSecure)),
    };
    const user = options.username ?? username;
    const secret = options.password ?? password;
    if (user !== undefined) clientOptions.username = user;
    if (secret !== undefined) clientOptions.password = secret;
    sink.#outbox.post(statusTopic, "online", { retain: true, repeat: true });
    sink.#connect(url, clientOptions);
    return sink;
  }

  get health(): MqttHealth {
    const counters = { messagesSent: this.#outbox.sent, messagesOutdated: this.#outbox.outdated };
    if (this.#client?.connected === true) return { connected: true, ...counters };
    return { connected: false, ...counters, trouble: this.#outage?.problem.message ?? `Connecting to the MQTT broker at ${this.address}` };
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    if (this.#closing) return;
    const topics = this.#topicsOf(inverter);
    topics.document.setReading(reading, inverter);
    this.#postStateSoon(inverter.id, topics);
    this.#postLegacy(reading, inverter);
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    if (this.#closing) return;
    const topics = this.#topicsOf(inverter);
    topics.document.setStatus(status, inverter);
    this.#outbox.post(`${this.#prefix}/${inverter.id}/availability`, status.state === "online" ? "online" : "offline", {
      retain: true,
      repeat: true,
    });
    // A change of the link is news: not held back.
    this.#postState(inverter.id, topics);
  }

  /** What all inverters are together; said only where there is more than one. To be called at most once a second. */
  system(state: SystemState): void {
    const isSeveral = state.expected > 1;
    if (this.#closing || (!isSeveral && !this.#hasSystem)) return;
    this.#hasSystem = isSeveral;
    const topic = `${this.#prefix}/system`;
    if (isSeveral) this.#outbox.post(topic, () => systemJson(state), { retain: true, repeat: true });
    else this.#outbox.post(topic, "", { retain: true, repeat: true });
  }

  /** Energy counted so far, Wh by flow; of all inverters together where none is named. Only what is never taken back. */
  energy(at: number, wattHours: Readonly<Record<string, number>>, inverter?: string): void {
    if (this.#closing || Object.keys(wattHours).length === 0) return;
    const topic = inverter === undefined ? `${this.#prefix}/system/energy` : `${this.#prefix}/${inverter}/energy`;
    const rounded = Object.entries(wattHours).map(([flow, value]) => [flow, Math.floor(value * 10) / 10]);
    const document = JSON.stringify({ at: new Date(at).toISOString(), unit: "Wh", ...Object.fromEntries(rounded) });
    this.#outbox.post(topic, document, { retain: true, repeat: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const [id, topics] of this.#inverters) {
      if (topics.stateTimer !== undefined) this.#postState(id, topics);
      this.#outbox.post(`${this.#prefix}/${id}/availability`, "offline", { retain: true });
    }
    this.#outbox.post(`${this.#prefix}/status`, "offline", { retain: true });
    const client = this.#client;
    if (client === undefined) return;
    const tooLate = new AbortController();
    const farewell = async (): Promise<void> => {
      await this.#outbox.idle();
      await client.endAsync(!client.connected);
    };
    await Promise.race([farewell(), delay(closeWithinMs, undefined, { signal: tooLate.signal }).catch(() => undefined)]);
    tooLate.abort();
    // A broker that is dead without having closed the connection would otherwise keep the process alive.
    client.stream.destroy();
  }

  #connect(url: string, clientOptions: IClientOptions): void {
    const { logger } = this.#options;
    const client = mqtt.connect(url, clientOptions);
    const firstPauseMs = clientOptions.reconnectPeriod ?? 1_000;
    this.#client = client;
    client.on("connect", () => {
      client.options.reconnectPeriod = firstPauseMs;
      const wasAway = this.#outage;
      this.#outage = undefined;
      const pause = wasAway === undefined ? "" : ` again after ${Math.round((performance.now() - wasAway.since) / 1_000)} s`;
      logger.info(`Connected to the MQTT broker at ${this.address}${pause}`);
      this.#outbox.connected(client);
    });
    client.on("reconnect", () => {
      client.options.reconnectPeriod = Math.min((client.options.reconnectPeriod ?? firstPauseMs) * 2, longestPauseMs);
    });
    client.on("error", (error) => this.#report(describeBrokerError(error, this.address)));
    client.on("close", () => {
      this.#outbox.disconnected();
      this.#report({ kind: "lost", message: `The MQTT broker at ${this.address} closed the connection` });
    });
  }

  /** One message per outage; a second one only if it then turns out to be something that a person must mend. */
  #report(problem: BrokerProblem): void {
    if (this.#closing) return;
    const known = this.#outage?.problem.kind;
    const mustBeMended = problem.kind === "credentials" || problem.kind === "tls";
    if (known !== undefined && (known === problem.kind || !mustBeMended)) return;
    this.#outage = { since: this.#outage?.since ?? performance.now(), problem };
    const message = `${problem.message}. Everything else goes on; the connection is tried again by itself`;
    if (mustBeMended) this.#options.logger.error(message, { kind: problem.kind });
    else this.#options.logger.warn(message, { kind: problem.kind });
  }

  #topicsOf(inverter: InverterInfo): InverterTopics {
    let topics = this.#inverters.get(inverter.id);
    if (topics === undefined) {
      topics = { document: new StateDocument(inverter), stateAt: Number.NEGATIVE_INFINITY, stateTimer: undefined };
      this.#inverters.set(inverter.id, topics);
      this.#main ??= inverter.id;
      this.#postNotice(inverter);
    } else if (inverter.simulated) {
      // What looked like any other port at first has turned out to be a simulator's.
      this.#postNotice(inverter);
    }
    return topics;
  }

  /** Says on the older add-on's topics, which cannot carry a mark themselves, that nothing is real; takes it away for a real inverter. */
  #postNotice({ simulated }: InverterInfo): void {
    if (this.#noticeTopic === undefined || this.#anySimulated) return;
    this.#anySimulated = simulated;
    this.#outbox.post(this.#noticeTopic, simulated ? simulatedNotice : "", { retain: true, repeat: simulated });
  }

  #postStateSoon(id: string, topics: InverterTopics): void {
    if (topics.stateTimer !== undefined) return;
    const waitMs = topics.stateAt + (this.#options.stateIntervalMs ?? 1_000) - performance.now();
    if (waitMs <= 0) this.#postState(id, topics);
    else topics.stateTimer = setTimeout(() => this.#postState(id, topics), waitMs).unref();
  }

  #postState(id: string, topics: InverterTopics): void {
    clearTimeout(topics.stateTimer);
    topics.stateTimer = undefined;
    topics.stateAt = performance.now();
    this.#outbox.post(`${this.#prefix}/${id}/state`, () => topics.document.toJson(), { retain: true, repeat: true });
  }

  #postLegacy(reading: Reading, inverter: InverterInfo): void {
    for (const { template, document, arrivals } of this.#legacyTopics) {
      if (document.command !== reading.command) continue;
      const topic = legacyTopicFor(template, inverter, this.#main);
      if (topic === undefined) continue;
      const now = performance.now();
      const before = arrivals.get(inverter.id);
      const intervalMs = before === undefined ? unknownIntervalMs : Math.max(1_000, now - before.at);
      arrivals.set(inverter.id, { at: now, intervalMs });
      const maxAgeMs = liveIntervals * Math.min(intervalMs, before?.intervalMs ?? intervalMs);
      this.#outbox.post(topic, () => legacyJson(document, reading.payload), { retain: this.#legacyRetain, maxAgeMs });
    }
  }
}

/** Without `{sn}` a topic has room for one inverter only, the first; with it, it waits until the serial number is known. */
function legacyTopicFor(template: string, inverter: InverterInfo, main: string | undefined): string | undefined {
  if (!template.includes("{sn}")) return inverter.id === main ? template : undefined;
  const serialNumber = inverter.serialNumber?.replaceAll(/[^\w-]/g, "") ?? "";
  return serialNumber === "" ? undefined : template.replaceAll("{sn}", serialNumber);
}

interface BrokerUrl {
  readonly url: string;
  readonly address: string;
  readonly isSecure: boolean;
  readonly username?: string;
  readonly password?: string;
}

function parseUrl(text: string): BrokerUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["mqtt:", "mqtts:", "ws:", "wss:"].includes(url.protocol) || url.hostname === "") {
    const shown = text.replace(/\/\/[^@/]*@/, "//…@");
    throw new ConfigError(`Expected the broker as mqtt://, mqtts://, ws:// or wss:// and a host, got ${JSON.stringify(shown)}`);
  }
  const address = `${url.protocol}//${url.host}`;
  const path = url.protocol.startsWith("ws") ? url.pathname : "";
  return {
    url: `${address}${path}`,
    address: `${address}${path === "/" ? "" : path}`,
    isSecure: url.protocol === "mqtts:" || url.protocol === "wss:",
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
  };
}

async function readTls(options: MqttOptions, isSecure: boolean): Promise<Pick<IClientOptions, "ca" | "cert" | "key">> {
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
