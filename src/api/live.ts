import type { Metric } from "../model/metric.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading } from "../model/reading.ts";

/**
 * The live feed at `/api/v1/live` (Server-Sent Events): first one `snapshot`, then deltas. The event's name is the
 * message's `type`; its data is the message as JSON. After a reconnect a new snapshot comes first.
 */
export type LiveMessage = LiveSnapshot | LiveReading | LiveStatus | LiveCounters;

export interface LiveInverter {
  readonly info: InverterInfo;
  readonly status: LinkStatus;
  readonly counters: LinkCounters;
  /** The latest reading of each command. */
  readonly readings: Readonly<Record<string, Reading>>;
  /** By command: milliseconds after which a reading no longer counts as live (three poll periods). */
  readonly staleAfterMs: Readonly<Record<string, number>>;
  /** The last hours for the plot, oldest first; one row a point: time in epoch ms, then one value per `series`, null where absent. */
  readonly trend: { readonly series: readonly string[]; readonly rows: readonly (readonly (number | null)[])[] };
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
}

export interface LiveReading {
  readonly type: "reading";
  readonly now: number;
  readonly reading: Reading;
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
