import type { CommandCounters, RejectReason } from "../model/reading.ts";

/** Percentiles are of this many of the latest answers. */
const REMEMBERED = 256;

interface Entry {
  requests: number;
  accepted: number;
  readonly rejected: Partial<Record<RejectReason, number>>;
  /** A ring of the latest times. */
  readonly tookMs: number[];
}

/** Counts what became of every command, and how long its answers took. */
export class CommandStatistics {
  readonly #entries = new Map<string, Entry>();

  requested(command: string): void {
    this.#entry(command).requests += 1;
  }

  accepted(command: string, tookMs: number): void {
    const entry = this.#entry(command);
    entry.tookMs[entry.accepted % REMEMBERED] = tookMs;
    entry.accepted += 1;
  }

  rejected(command: string, reason: RejectReason): void {
    const { rejected } = this.#entry(command);
    rejected[reason] = (rejected[reason] ?? 0) + 1;
  }

  get counters(): Readonly<Record<string, CommandCounters>> {
    return Object.fromEntries(Array.from(this.#entries, ([command, entry]) => [command, countersOf(entry)]));
  }

  #entry(command: string): Entry {
    let entry = this.#entries.get(command);
    if (entry === undefined) {
      entry = { requests: 0, accepted: 0, rejected: {}, tookMs: [] };
      this.#entries.set(command, entry);
    }
    return entry;
  }
}

function countersOf({ requests, accepted, rejected, tookMs }: Entry): CommandCounters {
  const sorted = tookMs.toSorted((one, other) => one - other);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]! * 10) / 10;
  return {
    requests,
    accepted,
    rejected: { ...rejected },
    ...(sorted.length > 0 && { latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), answers: sorted.length } }),
  };
}
