import { batch, computed, signal } from "@preact/signals";
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { LiveInverter, LiveMessage, LiveReading, LiveSnapshot, TrendRow } from "../../src/api/live.ts";
import type { Metric } from "../../src/model/metric.ts";
import type { PvTotal } from "../../src/model/pv-total.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading } from "../../src/model/reading.ts";
import type { SystemState } from "../../src/model/system.ts";
import { formatAge, formatAgo, formatFreshAge } from "./format.ts";

/** Twice as many as six hours have at the shortest spacing of 5 s. */
const maxRows = 8_640;

/** How the page's own connection to sonkrag is doing. */
export type FeedState = "connecting" | "live" | "lost";

/** The latest answer to one command, and what it is worth now. */
export interface CommandState {
  readonly command: string;
  readonly reading: Signal<Reading>;
  readonly staleAfterMs: Signal<number>;
  /** `0 s`, `3 s`: how long ago it was read, for a value that is no longer live. */
  readonly age: ReadonlySignal<string>;
  /** `now`, `3 s`: the same for a live value. */
  readonly freshAge: ReadonlySignal<string>;
  /** `just now`, `3 s ago`. */
  readonly ago: ReadonlySignal<string>;
  /** False once the answer is too old, or the inverter or sonkrag cannot be reached: it may no longer be true. */
  readonly live: ReadonlySignal<boolean>;
}

export interface TrendColumns {
  readonly series: readonly string[];
  /** Times in epoch seconds, then one column per series. */
  readonly columns: (number | null)[][];
}

export interface InverterState {
  readonly id: string;
  readonly info: Signal<InverterInfo>;
  readonly status: Signal<LinkStatus>;
  readonly counters: Signal<LinkCounters>;
  readonly pvTotal: Signal<PvTotal | undefined>;
  readonly commands: Map<string, CommandState>;
  /** Moves when a command or a value appears or goes, not when a value changes. */
  readonly layout: Signal<number>;
  /** Appended to in place; a new object each time, so that the plot notices. */
  readonly trend: Signal<TrendColumns>;
}

/** Everything the page knows. One signal per thing that changes by itself, so that a delta touches only its own nodes. */
export class Store {
  readonly feed = signal<FeedState>("connecting");
  readonly version = signal("");
  readonly timeZone = signal("UTC");
  readonly metrics = signal<Readonly<Record<string, Metric>>>({});
  /** Undefined until the first snapshot. */
  readonly inverters = signal<readonly InverterState[] | undefined>(undefined);
  /** All units together; undefined while there is one only. */
  readonly system = signal<SystemState | undefined>(undefined);
  /** The server's epoch milliseconds, once a second. */
  readonly now = signal(Date.now());
  readonly lastMessageAt = signal(0);
  #anchor = { server: Date.now(), wall: Date.now(), monotonic: performance.now() };

  apply(message: LiveMessage): void {
    batch(() => {
      this.#anchor = { server: message.now, wall: Date.now(), monotonic: performance.now() };
      this.lastMessageAt.value = message.now;
      this.tick();
      switch (message.type) {
        case "snapshot":
          return this.#snapshot(message);
        case "reading":
          return this.#reading(message);
        case "status": {
          const inverter = this.#find(message.inverter);
          if (inverter !== undefined) {
            inverter.info.value = message.info;
            inverter.status.value = message.status;
          }
          return;
        }
        case "counters": {
          const inverter = this.#find(message.inverter);
          if (inverter !== undefined) inverter.counters.value = message.counters;
          return;
        }
        case "system":
          this.system.value = message.system;
          return;
        case "heartbeat":
          return;
      }
    });
  }

  /** Brings `now` up to date: the server's last word plus what has passed here since, by whichever clock says more. */
  tick(): void {
    const { server, wall, monotonic } = this.#anchor;
    // The monotonic clock may stand still while a phone sleeps, and the wall clock may be set back.
    this.now.value = server + Math.max(Date.now() - wall, performance.now() - monotonic);
  }

  #snapshot(snapshot: LiveSnapshot): void {
    this.version.value = snapshot.version;
    this.timeZone.value = snapshot.timeZone;
    this.metrics.value = snapshot.metrics;
    this.feed.value = "live";
    const states = snapshot.inverters.map((inverter) => {
      const known = this.#find(inverter.info.id);
      if (known === undefined) return this.#create(inverter);
      known.info.value = inverter.info;
      known.status.value = inverter.status;
      known.counters.value = inverter.counters;
      known.pvTotal.value = inverter.pvTotal;
      known.trend.value = columnsOf(inverter.trend);
      for (const command of known.commands.keys()) {
        if (!Object.hasOwn(inverter.readings, command)) known.commands.delete(command);
      }
      known.layout.value += 1;
      for (const reading of Object.values(inverter.readings)) this.#put(known, reading, inverter.staleAfterMs[reading.command] ?? 0);
      return known;
    });
    this.inverters.value = states;
    this.system.value = snapshot.system;
  }

  #reading({ reading, staleAfterMs, pvTotal, trend }: LiveReading): void {
    const inverter = this.#find(reading.inverter);
    if (inverter === undefined) return;
    this.#put(inverter, reading, staleAfterMs);
    if (pvTotal !== undefined) inverter.pvTotal.value = pvTotal;
    if (trend !== undefined) {
      const { series, columns } = inverter.trend.value;
      for (const row of trend) append(columns, row);
      trim(columns);
      inverter.trend.value = { series, columns };
    }
  }

  #put(inverter: InverterState, reading: Reading, staleAfterMs: number): void {
    const known = inverter.commands.get(reading.command);
    if (known === undefined) {
      inverter.commands.set(reading.command, this.#command(inverter, reading, staleAfterMs));
      inverter.layout.value += 1;
      return;
    }
    if (shapeOf(known.reading.value) !== shapeOf(reading)) inverter.layout.value += 1;
    known.reading.value = reading;
    known.staleAfterMs.value = staleAfterMs;
  }

  #command({ status }: InverterState, first: Reading, firstStaleAfterMs: number): CommandState {
    const reading = signal(first);
    const staleAfterMs = signal(firstStaleAfterMs);
    const ageMs = computed(() => this.now.value - reading.value.at);
    const age = computed(() => formatAge(ageMs.value));
    const freshAge = computed(() => formatFreshAge(ageMs.value));
    const ago = computed(() => formatAgo(ageMs.value));
    const live = computed(
      () =>
        this.feed.value === "live" && status.value.state !== "lost" && status.value.state !== "silent" && ageMs.value <= staleAfterMs.value,
    );
    return { command: first.command, reading, staleAfterMs, age, freshAge, ago, live };
  }

  #create(inverter: LiveInverter): InverterState {
    const state: InverterState = {
      id: inverter.info.id,
      info: signal(inverter.info),
      status: signal(inverter.status),
      counters: signal(inverter.counters),
      pvTotal: signal(inverter.pvTotal),
      commands: new Map(),
      layout: signal(0),
      trend: signal(columnsOf(inverter.trend)),
    };
    for (const reading of Object.values(inverter.readings)) this.#put(state, reading, inverter.staleAfterMs[reading.command] ?? 0);
    return state;
  }

  #find(id: string): InverterState | undefined {
    return this.inverters.peek()?.find((inverter) => inverter.id === id);
  }
}

/** What decides where a reading's values stand on the page: their names, and whether they are those of a further unit. */
function shapeOf({ values, derived, tail, estimated = [] }: Reading): string {
  return `${Object.keys(values).join()};${Object.keys(derived).join()};${estimated.join()};${tail.length > 0 ? "tail" : ""};${String(values["unitExists"])}`;
}

function columnsOf({ series, rows }: LiveInverter["trend"]): TrendColumns {
  const columns: (number | null)[][] = [[], ...series.map(() => [])];
  for (const row of rows) append(columns, row);
  return { series, columns };
}

/** A page may stay open for weeks; the server keeps six hours, and so does the page. */
function trim(columns: (number | null)[][]): void {
  const times = columns[0] ?? [];
  if (times.length < maxRows) return;
  const cut = times.length - maxRows / 2;
  for (const column of columns) column.splice(0, cut);
}

function append(columns: (number | null)[][], row: TrendRow): void {
  columns.forEach((column, index) => column.push(index === 0 ? (row[0] ?? 0) / 1000 : (row[index] ?? null)));
}
