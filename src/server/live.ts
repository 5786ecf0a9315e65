import type { JournalTrouble } from "../model/journal.ts";
import type { LiveInverter, LiveMessage, LiveSnapshot, SystemDocument, TrendRow } from "../api/live.ts";
import { metric } from "../model/metric.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";
import { isParallelUnit, pvTotal, type PvTotal } from "../model/pv-total.ts";
import { Trend, trendSeries } from "./trend.ts";

const heartbeatMs = 15_000;
const countersMs = 1_000;
/** A reader sees at most ten updates a second; of a command polled faster it gets the latest reading only. */
const flushMs = 100;

/** One reader of the feed. `send` must neither throw nor wait; the text is a whole SSE event. */
export interface LiveClient {
  send(event: string): void;
}

export interface LiveHubOptions {
  readonly version: string;
  /** The site's time zone, IANA name. */
  readonly timeZone: string;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
  /** The link counters of an inverter; asked once a second while somebody looks. */
  readonly counters: (inverter: string) => LinkCounters;
  /** Milliseconds after which a reading of this command no longer counts as live. */
  readonly staleAfterMs: (inverter: string, command: string) => number;
  /** Why the journal of changes cannot be written; absent while it can. */
  readonly journalTrouble?: () => JournalTrouble | undefined;
}

interface Entry {
  info: InverterInfo;
  status: LinkStatus;
  readonly readings: Map<string, Reading>;
  readonly trend: Trend;
  pvTotal: PvTotal | undefined;
  sentCounters: string;
}

interface PendingReading {
  reading: Reading;
  readonly trend: TrendRow[];
}

/** Keeps the latest of everything and passes changes on to whoever looks; nothing is serialised while nobody does. */
export class LiveHub implements Sink {
  readonly name = "live";
  readonly #options: LiveHubOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #clients = new Set<LiveClient>();
  readonly #pendingReadings = new Map<string, PendingReading>();
  readonly #pendingStatus = new Set<string>();
  #system: SystemState = noSystem;
  /** A new inverter has no counters or trend at the clients yet: they get a whole snapshot once more. */
  #snapshotPending = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #lastFlush = Number.NEGATIVE_INFINITY;
  #countersTimer: NodeJS.Timeout | undefined;
  #heartbeatTimer: NodeJS.Timeout | undefined;

  constructor(options: LiveHubOptions) {
    this.#options = options;
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    const entry = this.#entry(inverter, reading.at);
    if (!sameInfo(entry.info, inverter)) {
      entry.info = inverter;
      this.#pendingStatus.add(inverter.id);
    }
    entry.readings.set(reading.command, reading);
    entry.pvTotal = pvTotal(entry.readings.values());
    const rows = this.#trendRows(entry, reading);
    if (this.#clients.size === 0) return;
    const key = `${inverter.id} ${reading.command}`;
    const pending = this.#pendingReadings.get(key);
    if (pending === undefined) {
      this.#pendingReadings.set(key, { reading, trend: [...rows] });
    } else {
      pending.reading = reading;
      pending.trend.push(...rows);
    }
    this.#scheduleFlush();
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    const entry = this.#entry(inverter, status.since);
    entry.info = inverter;
    entry.status = status;
    this.#pendingStatus.add(inverter.id);
    if (this.#clients.size > 0) this.#scheduleFlush();
  }

  /** Takes an inverter off the page, because it turned out to be another one. */
  forget(inverter: string): void {
    if (!this.#entries.delete(inverter)) return;
    this.#pendingStatus.delete(inverter);
    this.#snapshotPending = true;
    if (this.#clients.size > 0) this.#scheduleFlush();
  }

  /** Takes what all inverters are together; to be called at most once a second. */
  system(state: SystemState): void {
    const wasShown = isSystem(this.#system);
    this.#system = state;
    if (this.#clients.size > 0 && (wasShown || isSystem(state)))
      this.#broadcast({ type: "system", now: this.#options.now(), ...this.#shownSystem() });
  }

  /** All inverters together, also where there is one only. */
  systemDocument(): SystemDocument {
    return { now: this.#options.now(), ...this.#system };
  }

  /** Everything as of now. */
  snapshot(): LiveSnapshot {
    const { version, timeZone, now, journalTrouble } = this.#options;
    const trouble = journalTrouble?.();
    return {
      type: "snapshot",
      version,
      now: now(),
      timeZone,
      metrics: metric,
      inverters: [...this.#entries.values()].map((entry) => this.#inverter(entry)),
      ...this.#shownSystem(),
      ...(trouble && { journalTrouble: trouble }),
    };
  }

  /** Sends the snapshot at once, then deltas until the returned function is called. */
  connect(client: LiveClient): () => void {
    // What is pending is in the snapshot already and goes to the others first, so that no row reaches this client twice.
    this.#flush();
    client.send(eventOf(this.snapshot()));
    this.#clients.add(client);
    this.#startTimers();
    return () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#stopTimers();
    };
  }

  #shownSystem(): { readonly system?: SystemState } {
    return isSystem(this.#system) ? { system: this.#system } : {};
  }

  #entry(info: InverterInfo, at: number): Entry {
    let entry = this.#entries.get(info.id);
    if (entry === undefined) {
      entry = {
        info,
        status: { state: "starting", since: at, message: "" },
        readings: new Map(),
        trend: new Trend(),
        pvTotal: undefined,
        sentCounters: "",
      };
      this.#entries.set(info.id, entry);
      this.#snapshotPending = true;
    }
    return entry;
  }

  #inverter(entry: Entry): LiveInverter {
    const { id } = entry.info;
    const commands = [...entry.readings.keys()];
    return {
      info: entry.info,
      status: entry.status,
      counters: this.#options.counters(id),
      readings: Object.fromEntries(entry.readings),
      staleAfterMs: Object.fromEntries(commands.map((command) => [command, this.#options.staleAfterMs(id, command)])),
      ...(entry.pvTotal === undefined ? {} : { pvTotal: entry.pvTotal }),
      trend: { series: trendSeries, rows: entry.trend.rows() },
    };
  }

  /** The reading with load and battery voltage sets the pace of the plot; PV may come from others that are still live. */
  #trendRows(entry: Entry, reading: Reading): readonly TrendRow[] {
    const all = { ...reading.derived, ...reading.values };
    if (isParallelUnit(reading) || !("loadActivePower" in all) || !("batteryVoltage" in all)) return [];
    const values: Record<string, number> = {};
    for (const name of trendSeries) {
      const value = all[name];
      if (typeof value === "number") values[name] = value;
    }
    const pv = entry.pvTotal;
    const staleAfterMs = this.#options.staleAfterMs(entry.info.id, reading.command);
    delete values["pvPower"];
    if (pv?.commands.every((command) => this.#isLive(entry, command, reading.at))) values["pvPower"] = pv.watts;
    return entry.trend.add(reading.at, values, staleAfterMs);
  }

  #isLive(entry: Entry, command: string, at: number): boolean {
    const reading = entry.readings.get(command);
    return reading !== undefined && at - reading.at <= this.#options.staleAfterMs(entry.info.id, command);
  }

  #scheduleFlush(): void {
    if (this.#flushTimer !== undefined) return;
    const wait = Math.max(0, this.#lastFlush + flushMs - performance.now());
    this.#flushTimer = setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#lastFlush = performance.now();
    const readings = [...this.#pendingReadings.values()];
    const changed = [...this.#pendingStatus];
    this.#pendingReadings.clear();
    this.#pendingStatus.clear();
    const wholeAgain = this.#snapshotPending;
    this.#snapshotPending = false;
    if (this.#clients.size === 0) return;
    if (wholeAgain) {
      this.#broadcast(this.snapshot());
      return;
    }
    const now = this.#options.now();
    for (const id of changed) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) this.#broadcast({ type: "status", now, inverter: id, info: entry.info, status: entry.status });
    }
    for (const { reading, trend } of readings) {
      const total = this.#entries.get(reading.inverter)?.pvTotal;
      this.#broadcast({
        type: "reading",
        now,
        reading,
        staleAfterMs: this.#options.staleAfterMs(reading.inverter, reading.command),
        ...(total?.commands.includes(reading.command) ? { pvTotal: total } : {}),
        ...(trend.length > 0 ? { trend } : {}),
      });
    }
  }

  #sendCounters(): void {
    for (const [inverter, entry] of this.#entries) {
      const counters = this.#options.counters(inverter);
      const text = JSON.stringify(counters);
      if (text === entry.sentCounters) continue;
      entry.sentCounters = text;
      this.#broadcast({ type: "counters", now: this.#options.now(), inverter, counters });
    }
  }

  #broadcast(message: LiveMessage): void {
    const event = eventOf(message);
    for (const client of this.#clients) client.send(event);
  }

  #startTimers(): void {
    this.#countersTimer ??= setInterval(() => this.#sendCounters(), countersMs);
    this.#heartbeatTimer ??= setInterval(() => this.#broadcast({ type: "heartbeat", now: this.#options.now() }), heartbeatMs);
  }

  #stopTimers(): void {
    clearInterval(this.#countersTimer);
    clearInterval(this.#heartbeatTimer);
    clearTimeout(this.#flushTimer);
    this.#countersTimer = undefined;
    this.#heartbeatTimer = undefined;
    this.#flushTimer = undefined;
    this.#pendingReadings.clear();
  }
}

const noSystem: SystemState = {
  members: [],
  expected: 0,
  answering: 0,
  simulated: false,
  totals: {},
  differences: [],
  alarms: [],
};

/** One unit is no system: its page says everything. */
function isSystem({ expected }: SystemState): boolean {
  return expected > 1;
}

function eventOf(message: LiveMessage): string {
  return `event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`;
}

function sameInfo(one: InverterInfo, other: InverterInfo): boolean {
  return (
    one === other ||
    (one.device === other.device &&
      one.simulated === other.simulated &&
      one.serialNumber === other.serialNumber &&
      one.model === other.model &&
      one.firmware === other.firmware)
  );
}
