import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";
import { BrokerLink } from "./broker-link.ts";
import type { BrokerOptions } from "./broker-link.ts";
import { legacyJson, legacyParallel, legacySettings, legacyStatus } from "./legacy-topics.ts";
import type { LegacyDocument } from "./legacy-topics.ts";
import { Outbox } from "./outbox.ts";
import { StateDocument } from "./state-document.ts";
import { systemJson } from "./system-document.ts";

export interface MqttOptions extends BrokerOptions {
  /** Start of our own topics. Default `sonkrag/v1`. */
  readonly prefix?: string;
  /** The least time between two states of one inverter, milliseconds. Default 1,000. */
  readonly stateIntervalMs?: number;
  /** The older add-on's topics; `{sn}` in a topic becomes the serial number. */
  readonly legacy?: Partial<LegacyOptions>;
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
const unknownIntervalMs = 10_000;
const liveIntervals = 3;

/** Publishes the older add-on's topics and our own tree. Never waits for the broker: what it misses is replaced by what is newest. */
export class MqttSink implements Sink, AsyncDisposable {
  readonly name = "MQTT";
  readonly #options: MqttOptions;
  readonly #link: BrokerLink;
  readonly #prefix: string;
  readonly #legacyRetain: boolean;
  readonly #legacyTopics: readonly LegacyTopic[];
  readonly #noticeTopic: string | undefined;
  readonly #outbox = new Outbox();
  readonly #inverters = new Map<string, InverterTopics>();
  #main: string | undefined;
  #anySimulated = false;
  #hasSystem = false;
  #closing = false;

  private constructor(options: MqttOptions, link: BrokerLink) {
    this.#options = options;
    this.#link = link;
    this.#prefix = prefixOf(options);
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
    const statusTopic = `${prefixOf(options)}/status`;
    const will = { topic: statusTopic, payload: Buffer.from("offline"), qos: 0, retain: true } as const;
    const link = await BrokerLink.prepare(options, { will });
    const sink = new MqttSink(options, link);
    sink.#outbox.post(statusTopic, "online", { retain: true, repeat: true });
    link.connect({
      connected: (client) => sink.#outbox.connected(client),
      disconnected: () => sink.#outbox.disconnected(),
    });
    return sink;
  }

  /** The broker's URL without user and password. */
  get address(): string {
    return this.#link.address;
  }

  get health(): MqttHealth {
    const counters = { messagesSent: this.#outbox.sent, messagesOutdated: this.#outbox.outdated };
    const { trouble } = this.#link;
    return trouble === undefined ? { connected: true, ...counters } : { connected: false, ...counters, trouble };
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
    await this.#link.close(() => this.#outbox.idle());
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

const prefixOf = ({ prefix }: MqttOptions): string => prefix ?? "sonkrag/v1";

/** Without `{sn}` a topic has room for one inverter only, the first; with it, it waits until the serial number is known. */
function legacyTopicFor(template: string, inverter: InverterInfo, main: string | undefined): string | undefined {
  if (!template.includes("{sn}")) return inverter.id === main ? template : undefined;
  const serialNumber = inverter.serialNumber?.replaceAll(/[^\w-]/g, "") ?? "";
  return serialNumber === "" ? undefined : template.replaceAll("{sn}", serialNumber);
}
