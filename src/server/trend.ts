import type { TrendRow } from "../api/live.ts";

/** What the plot can show; the order of the values in a row. */
export const trendSeries = ["loadActivePower", "batteryVoltage", "batterySoc", "pvPower", "batteryPower", "gridVoltage"] as const;
export type TrendValues = Readonly<Partial<Record<(typeof trendSeries)[number], number>>>;

const spanMs = 6 * 3_600_000;
const recentMs = 3_600_000;
/** Spacing of points within the last hour, and of older ones: a phone has fewer pixels than six hours have points. */
const recentStepMs = 5_000;
const olderStepMs = 20_000;
/** Points closer together than this are always joined, however fast the polling is. */
const minGapMs = 15_000;

/** The last hours of one inverter, bounded: at most one point per 5 s, per 20 s when older than an hour. */
export class Trend {
  readonly #rows: TrendRow[] = [];
  /** Rows before this index have been thinned. */
  #thinned = 0;

  /** Adds a point and returns the rows that were appended; none when the last point is less than 5 s old. `at` is epoch ms. */
  add(at: number, values: TrendValues, staleAfterMs: number): readonly TrendRow[] {
    const last = this.#lastAt();
    // A tolerance of half a second keeps a 5 s poll, which never comes to the millisecond, from losing every other point.
    if (last !== undefined && at >= last && at - last < recentStepMs - 500) return [];
    // The clock was set back: what lies in its future would fold the line back on itself.
    if (last !== undefined && at < last) this.#clear();
    const added: TrendRow[] = [];
    if (last !== undefined && at - last > Math.max(staleAfterMs, minGapMs))
      added.push([last + recentStepMs, ...trendSeries.map(() => null)]);
    added.push([at, ...trendSeries.map((name) => values[name] ?? null)]);
    this.#rows.push(...added);
    this.#trim(at);
    return added;
  }

  rows(): readonly TrendRow[] {
    return this.#rows;
  }

  #lastAt(): number | undefined {
    return this.#rows.at(-1)?.[0] ?? undefined;
  }

  #clear(): void {
    this.#rows.length = 0;
    this.#thinned = 0;
  }

  #trim(now: number): void {
    let expired = 0;
    while (timeOf(this.#rows[expired]) < now - spanMs) expired += 1;
    if (expired > 0) {
      this.#rows.splice(0, expired);
      this.#thinned = Math.max(0, this.#thinned - expired);
    }
    // Rows become an hour old one or two at a time, so this loop is short.
    while (timeOf(this.#rows[this.#thinned]) < now - recentMs) {
      const row = this.#rows[this.#thinned];
      const kept = this.#rows[this.#thinned - 1];
      if (row === undefined) break;
      if (kept === undefined || isGap(row) || isGap(kept) || timeOf(row) - timeOf(kept) >= olderStepMs - 500) this.#thinned += 1;
      else this.#rows.splice(this.#thinned, 1);
    }
  }
}

function timeOf(row: TrendRow | undefined): number {
  return row?.[0] ?? Number.POSITIVE_INFINITY;
}

function isGap(row: TrendRow): boolean {
  return row.every((value, index) => index === 0 || value === null);
}
