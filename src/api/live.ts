import type { JournalTrouble } from "../model/journal.ts";
import type { Metric } from "../model/metric.ts";
import type { PvTotal } from "../model/pv-total.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";

/**
 * The live feed at `/api/v1/live` (Server-Sent Events): first one `snapshot`, then deltas. The event's name is the
 * message's `type`; its data is the message as JSON. A new snapshot comes after a reconnect and when an inverter appears.
 * `GET /api/v1/snapshot` answers with the same snapshot document.
 */
export type LiveMessage = LiveSnapshot | LiveReading | LiveStatus | LiveCounters | LiveSystem | LiveHeartbeat;

/** A point of the plot: epoch ms, then one value per series, null where absent; a row of nulls is a gap. */
export type TrendRow = readonly (number | null)[];

export interface LiveInverter {
  readonly info: InverterInfo;
  readonly status: LinkStatus;
  readonly counters: LinkCounters;
  /** The latest reading of each command. */
  readonly readings: Readonly<Record<string, Reading>>;
  /** By command: milliseconds after which a reading no longer counts as live (three poll periods). */
  readonly staleAfterMs: Readonly<Record<string, number>>;
  /** All PV inputs together; absent while no input's power is known. */
  readonly pvTotal?: PvTotal;
  /** The last hours for the plot, oldest first. */
  readonly trend: { readonly series: readonly string[]; readonly rows: readonly TrendRow[] };
}

export interface LiveSnapshot {
  readonly type: "snapshot";
  readonly version: string;
  /** The server's UTC epoch milliseconds: ages are counted on the server's clock. */
  readonly now: number;
  /** The site's time zone, IANA name. */
  readonly timeZone: string;
  /** Labels, units and digits of every metric, keyed by metric key. */
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly inverters: readonly LiveInverter[];
  /** All of them together, each unit counted once; absent while there is one unit only. */
  readonly system?: SystemState;
  /** Why no setting is changed although it may be; absent while the journal can be written. */
  readonly journalTrouble?: JournalTrouble;
}

export interface LiveReading {
  readonly type: "reading";
  readonly now: number;
  readonly reading: Reading;
  /** Milliseconds after which this reading no longer counts as live. */
  readonly staleAfterMs: number;
  readonly pvTotal?: PvTotal;
  /** Rows to append to the trend, in its series' order; absent when there is none. */
  readonly trend?: readonly TrendRow[];
}

export interface LiveStatus {
  readonly type: "status";
  readonly now: number;
  readonly inverter: string;
  readonly info: InverterInfo;
  readonly status: LinkStatus;
}

/** Sent at most once a second while the counters move. */
export interface LiveCounters {
  readonly type: "counters";
  readonly now: number;
  readonly inverter: string;
  readonly counters: LinkCounters;
}

/** Sent at most once a second while something in it moves; only where several units are known. */
export interface LiveSystem {
  readonly type: "system";
  readonly now: number;
  /** Absent when there is one unit only from now on. */
  readonly system?: SystemState;
}

/** The answer of `GET /api/v1/system`, also where there is one unit only. */
export interface SystemDocument extends SystemState {
  /** The server's UTC epoch milliseconds. */
  readonly now: number;
}

/** Sent every 15 s, so that a reader can tell a quiet feed from a dead connection. */
export interface LiveHeartbeat {
  readonly type: "heartbeat";
  readonly now: number;
}
