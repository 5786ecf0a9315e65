/** mW or mJ, whole. */
interface Counts {
  pv: number;
  load: number;
}

export type Counted = keyof Counts;

const dayMs = 86_400_000;
const millijoulesPerWattHour = 3_600_000;

/** The unit's energy counters: a pair of sums for each local day, from which months, years and the total follow exactly. */
export class Meter {
  readonly #days = new Map<number, Counts & { readonly date: string }>();

  /** Counts powers (mW, whole) that held for `seconds` from `localMs` on, a local time as if it were UTC. */
  count(localMs: number, seconds: number, milliwatts: Readonly<Counts>): void {
    const day = Math.floor(localMs / dayMs);
    let energy = this.#days.get(day);
    if (energy === undefined) this.#days.set(day, (energy = { date: timeText(localMs).slice(0, 8), pv: 0, load: 0 }));
    energy.pv += milliwatts.pv * seconds;
    energy.load += milliwatts.load * seconds;
  }

  /** Wh, whole, since the beginning of the date that `date` begins with: `2026`, `202601`, `20260131`; all for an empty one. */
  wattHours(of: Counted, date: string): number {
    let millijoules = 0;
    for (const day of this.#days.values()) if (day.date.startsWith(date)) millijoules += day[of];
    return Math.floor(millijoules / millijoulesPerWattHour);
  }

  /** All counters begin at 0 again. */
  erase(): void {
    this.#days.clear();
  }
}

/** `YYYYMMDDHHMMSS` of a local time given as if it were UTC. */
export function timeText(localMs: number): string {
  return new Date(localMs).toISOString().replace(/\D/g, "").slice(0, 14);
}
