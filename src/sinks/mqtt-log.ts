import { setTimeout as delay } from "node:timers/promises";
import type { IPublishPacket, MqttClient } from "mqtt";
import { SinkError } from "../model/errors.ts";
import { LocalTime } from "../model/local-time.ts";
import { mustBeMendedByHand } from "./broker-error.ts";
import type { BrokerProblem } from "./broker-error.ts";
import { BrokerLink } from "./broker-link.ts";
import type { BrokerOptions } from "./broker-link.ts";
import { DayFolder } from "./day-folder.ts";
import type { OpenForAppend } from "./day-folder.ts";
import { describeDiskError } from "./disk-error.ts";
import { messageFormats } from "./message-format.ts";
import type { EventEntry, LogEvent, MessageFormat, MessageFormatName, MessageLogEntry } from "./message-format.ts";
import { PayloadMemory } from "./payload-memory.ts";
import { recall } from "./recall.ts";
import { withoutCovered } from "./topic-filter.ts";
import { WriteQueue } from "./write-queue.ts";
import type { WriteQueueHealth } from "./write-queue.ts";

export interface MqttLogOptions {
  readonly broker: BrokerOptions;
  /** Subscriptions; `+` and `#` are wildcards. */
  readonly topics: readonly string[];
  /** The best quality of service that is asked for. Default 1. */
  readonly qos?: 0 | 1 | 2 | undefined;
  readonly folder: string;
  /** What file names begin with. Default `mqtt`. */
  readonly name?: string | undefined;
  /** Default `text`. */
  readonly format?: MessageFormatName | undefined;
  /** Every message, not only those that differ from the topic's last one. Default false. */
  readonly all?: boolean | undefined;
  /** A file that would become larger is followed by the day's next one. Unlimited if absent. */
  readonly maxBytes?: number | undefined;
  /** Compresses files that are finished. Default false. */
  readonly compress?: boolean | undefined;
  /** What is kept: so many files, or those of so many days before today. Everything if absent. */
  readonly keep?: { readonly files: number } | { readonly days: number } | undefined;
  /** IANA name; default the computer's. */
  readonly timeZone?: string | undefined;
  /** Of how many topics the last payload is known. Default 20,000. */
  readonly maxTopics?: number | undefined;
  /** Ends by itself when the broker has sent what it had retained. Default false. */
  readonly once?: boolean | undefined;
  /** How long no retained message has come when all of them have, milliseconds. Default 1,000. */
  readonly quietMs?: number | undefined;
  /** Bounds of what waits in memory while the disk fails. Default 100,000 lines and 32 MB. */
  readonly bufferLines?: number | undefined;
  readonly bufferBytes?: number | undefined;
  /** First pause before a failed write is tried again, milliseconds. Default 1,000. */
  readonly retryMs?: number | undefined;
  /** UTC epoch milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly openForAppend?: OpenForAppend | undefined;
}

/** Counters since the start. */
export interface MqttLogHealth extends WriteQueueHealth {
  readonly connected: boolean;
  readonly everConnected: boolean;
  readonly messages: number;
  /** Messages that were not written, since they say what the topic's last one said. */
  readonly unchanged: number;
  /** Why there is no connection, in plain words; absent while there is one. */
  readonly brokerTrouble?: string;
}

const title = "The MQTT log";
const dayMs = 86_400_000;
const syncMs = 10_000;
const closeWithinMs = 3_000;
/** What an entry takes in memory besides its topic and payload. */
const entryBytes = 200;
/** What cannot mend itself while the program runs, in contrast to a full disk. */
const lasting = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENAMETOOLONG"]);

/** Writes what a broker sends into files by day and size, and says in them when it could not listen. */
export class MqttLog implements AsyncDisposable {
  readonly #options: MqttLogOptions;
  readonly #link: BrokerLink;
  readonly #clock: LocalTime;
  readonly #format: MessageFormat;
  readonly #files: DayFolder<MessageLogEntry>;
  readonly #queue: WriteQueue<MessageLogEntry>;
  readonly #memory: PayloadMemory;
  readonly #end = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #quietTimer: NodeJS.Timeout | undefined;
  /** Since when nothing has been heard, while that is so. UTC epoch milliseconds. */
  #gapFrom: number | undefined;
  #gapReason = "";
  #isListening = false;
  #everConnected = false;
  #heardAt = 0;
  #messages = 0;
  #unchanged = 0;
  #tidied = "";
  #closing = false;

  private constructor(options: MqttLogOptions, link: BrokerLink, clock: LocalTime) {
    const { broker, folder, maxBytes, openForAppend, retryMs } = options;
    const { logger } = broker;
    this.#options = options;
    this.#link = link;
    this.#clock = clock;
    this.#format = messageFormats[options.format ?? "text"](options.name ?? "mqtt");
    this.#memory = new PayloadMemory(options.maxTopics ?? 20_000);
    this.#files = new DayFolder({
      path: folder,
      format: this.#format,
      title,
      syncMs,
      logger,
      ...(maxBytes !== undefined && { maxBytes }),
      ...(openForAppend && { openForAppend }),
    });
    this.#queue = new WriteQueue<MessageLogEntry>({
      title,
      folder,
      maxEntries: options.bufferLines ?? 100_000,
      maxBytes: options.bufferBytes ?? 32_000_000,
      bytesOf: (entry) => entryBytes + ("event" in entry ? 0 : entry.topic.length + entry.payload.length),
      together: (first, { stamp }) => first.stamp.date === stamp.date,
      write: async (batch) => await this.#files.append(batch, this.#today()),
      chore: { isDue: () => this.#files.isSyncDue || this.#isTidyingDue(), run: async (signal) => await this.#chore(signal) },
      dropped: (lost) => this.#dropped(lost),
      closeWithinMs,
      logger,
      ...(retryMs !== undefined && { retryMs }),
    });
  }

  /** Mends what a kill or a power cut has left, looks what was written last, and starts to connect. */
  static async open(options: MqttLogOptions): Promise<MqttLog> {
    const link = await BrokerLink.prepare(options.broker);
    const log = new MqttLog(options, link, LocalTime.of(options.timeZone));
    await log.#prepare();
    log.#timer = setInterval(() => log.#queue.start(), syncMs).unref();
    log.#queue.start();
    const client = link.connect({
      connected: (connected) => log.#subscribe(connected),
      disconnected: (problem) => log.#disconnected(problem),
      troubled: (problem) => log.#troubled(problem),
    });
    client.on("packetreceive", () => (log.#heardAt = log.#now()));
    client.on("message", (topic, payload, packet) => log.#message(topic, payload, packet));
    return log;
  }

  get health(): MqttLogHealth {
    const { trouble: brokerTrouble } = this.#link;
    return {
      ...this.#queue.health,
      connected: this.#link.isUp,
      everConnected: this.#everConnected,
      messages: this.#messages,
      unchanged: this.#unchanged,
      ...(brokerTrouble !== undefined && { brokerTrouble }),
    };
  }

  /** The file that is written at the moment. */
  get currentFile(): string {
    return this.#files.filePath(this.#today());
  }

  /** Waits until told to end, or until everything is done with `once`. Rejects where it is of no use to go on. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const either = AbortSignal.any([signal, this.#end.signal]);
    if (!either.aborted) await new Promise((resolve) => either.addEventListener("abort", resolve, { once: true }));
    if (this.#end.signal.reason instanceof SinkError) throw this.#end.signal.reason;
  }

  /** Writes down what has come and lets the broker go, within a few seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#timer);
    clearTimeout(this.#quietTimer);
    if (this.#isListening) this.#event("disconnected", { reason: "stopped" });
    await this.#link.close();
    await this.#queue[Symbol.asyncDispose]();
    try {
      await Promise.race([this.#files.sync(), delay(closeWithinMs, undefined, { ref: false })]);
    } catch (error) {
      this.#options.broker.logger.error(`The last lines of ${this.currentFile} may be lost in a power cut: ${describeDiskError(error)}`);
    }
  }

  async #prepare(): Promise<void> {
    const { folder, broker } = this.#options;
    try {
      await this.#files.prepare(this.#today());
      const last = await recall(await this.#files.files(), this.#format, this.#memory);
      if (last === undefined) return;
      this.#gapFrom = last;
      this.#gapReason = "the log was not running";
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      const message = `${title} in ${folder} cannot be written: ${describeDiskError(error)}`;
      if (lasting.has(code)) throw new SinkError(message, { cause: error, context: { folder } });
      broker.logger.debug(message);
      this.#queue.report(error);
    }
  }

  #subscribe(client: MqttClient): void {
    const { broker, once, quietMs = 1_000, qos = 1 } = this.#options;
    this.#everConnected = true;
    const topics = withoutCovered(this.#options.topics);
    let open = topics.length;
    const refused: string[] = [];
    for (const topic of topics) {
      client.subscribe(topic, { qos }, (error, _granted, packet) => {
        // Without an answer the connection is gone, and all of them come again with the next one.
        if (error !== null && packet === undefined) return;
        if (error !== null) refused.push(topic);
        open--;
        if (open > 0 || this.#closing) return;
        if (refused.length > 0) this.#refused(refused, topics.length);
        if (refused.length === topics.length) return;
        this.#listening();
        if (once === true) this.#endWhenQuiet(quietMs);
      });
    }
    if (topics.length < this.#options.topics.length) broker.logger.debug(`Subscribed to ${topics.join(", ")}, which contain the others`);
  }

  #refused(topics: readonly string[], of: number): void {
    const message = `The MQTT broker at ${this.#link.address} does not let this client subscribe to ${topics.join(", ")}`;
    if (topics.length === of) this.#end.abort(new SinkError(`${message}: its access rules forbid it`));
    else this.#options.broker.logger.error(`${message}; the other topics are written`);
  }

  /** From here on nothing is missed. */
  #listening(): void {
    if (this.#isListening || this.#closing) return;
    this.#isListening = true;
    const at = this.#now();
    if (this.#gapFrom === undefined) this.#event("connected", {});
    // A clock that was set back in between must not make the gap end before it begins.
    else this.#event("gap", { from: Math.min(this.#gapFrom, at), to: at, reason: this.#gapReason });
    this.#gapFrom = undefined;
  }

  #disconnected({ kind, message }: BrokerProblem): void {
    if (this.#closing || !this.#isListening) return;
    this.#isListening = false;
    clearTimeout(this.#quietTimer);
    this.#event("disconnected", { reason: message });
    // A connection that died in silence was dead before that was noticed.
    this.#gapFrom = kind === "silent" ? this.#heardAt : this.#now();
    this.#gapReason = message;
  }

  #troubled(problem: BrokerProblem): void {
    const { logger } = this.#options.broker;
    const isFirst = !this.#everConnected;
    if (isFirst && (mustBeMendedByHand(problem) || this.#options.once === true)) {
      this.#end.abort(new SinkError(problem.message));
      return;
    }
    const message = `${problem.message}. The connection is tried again by itself`;
    if (mustBeMendedByHand(problem)) logger.error(message, { kind: problem.kind });
    else logger.warn(message, { kind: problem.kind });
  }

  #message(topic: string, payload: Uint8Array, { qos, retain }: IPublishPacket): void {
    if (this.#closing) return;
    // A broker may send before it confirms the subscription.
    this.#listening();
    this.#messages++;
    if (retain && this.#quietTimer !== undefined) this.#quietTimer.refresh();
    const isNew = this.#memory.isNew(topic, payload);
    if (this.#memory.forgotten === 1) this.#tellForgotten();
    // What the broker sends from its memory is no news for having been sent again.
    if (!isNew && (retain || this.#options.all !== true)) {
      this.#unchanged++;
      return;
    }
    const at = this.#now();
    this.#queue.add({ at, stamp: this.#clock.stamp(at), topic, payload, qos, retain });
  }

  #event(event: LogEvent, details: Omit<EventEntry, "at" | "stamp" | "event">): void {
    const at = this.#now();
    this.#queue.add({ at, stamp: this.#clock.stamp(at), event, ...details });
  }

  /** One event in the place of all lines that were lost in a row. */
  #dropped(lost: readonly MessageLogEntry[]): { readonly lines: number; readonly instead: EventEntry } {
    let lines = 0;
    let before = 0;
    let from = Number.POSITIVE_INFINITY;
    for (const entry of lost) {
      const isStandIn = "event" in entry && entry.event === "lost";
      if (isStandIn) before += entry.lines ?? 0;
      else lines++;
      from = Math.min(from, isStandIn ? (entry.from ?? entry.at) : entry.at);
      // What is not in the file is news when it comes again.
      if (!("event" in entry)) this.#memory.forget(entry.topic);
    }
    const last = lost.at(-1);
    const at = last?.at ?? this.#now();
    const reason = "the disk could not be written";
    return { lines, instead: { at, stamp: this.#clock.stamp(at), event: "lost", from, to: at, lines: before + lines, reason } };
  }

  #endWhenQuiet(quietMs: number): void {
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#end.abort(), quietMs);
  }

  #tellForgotten(): void {
    const { maxTopics } = this.#memory;
    this.#options.broker.logger.warn(
      `There are more than ${maxTopics} topics: the next message of one that was not heard of for long is written even if it says nothing new`,
    );
  }

  #isTidyingDue(): boolean {
    const { compress, keep } = this.#options;
    return (compress === true || keep !== undefined) && this.#tidied !== this.#tidyMark();
  }

  /** Changes when a file is finished. */
  #tidyMark(): string {
    return `${this.#today()} ${this.currentFile}`;
  }

  async #chore(signal: AbortSignal): Promise<void> {
    await this.#files.sync();
    if (!this.#isTidyingDue()) return;
    const { compress, keep, broker } = this.#options;
    const today = this.#today();
    // Whatever happens, not again before the next file.
    this.#tidied = this.#tidyMark();
    try {
      if (compress === true) await this.#files.compressClosed(today, { signal });
      if (keep !== undefined) await this.#files.prune("files" in keep ? keep : { from: this.#daysAgo(keep.days) }, today, { signal });
    } catch (error) {
      if (!signal.aborted) broker.logger.warn(`Old files in ${this.#files.path} could not be tidied: ${describeDiskError(error)}`);
    }
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #today(): string {
    return this.#clock.stamp(this.#now()).date;
  }

  #daysAgo(days: number): string {
    return new Date(Date.parse(this.#today()) - days * dayMs).toISOString().slice(0, 10);
  }
}
