import type { ProvenTime } from "./proven-time.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whose writes are counted. */
interface Place {
  readonly inverter: string;
  readonly setting: string;
}

/**
 * Counts the writes of each setting: an inverter keeps them in a memory that wears out. They age by the time that has passed
 * for certain, never by the wall clock.
 */
export class WriteBudget {
  readonly #time: ProvenTime;
  /** By place: proven times, oldest first. */
  readonly #writes = new Map<string, number[]>();

  constructor({ time }: { readonly time: ProvenTime }) {
    this.#time = time;
  }

  /** A write that leaves now. */
  spend(place: Place): void {
    const key = keyOf(place);
    this.#writes.set(key, [...this.#recent(key), this.#time.now]);
  }

  /** Takes the latest write back: the inverter refused it, so nothing was worn. */
  giveBack(place: Place): void {
    this.#writes.get(keyOf(place))?.pop();
  }

  used(place: Place): { readonly lastHour: number; readonly lastDay: number } {
    const key = keyOf(place);
    const recent = this.#recent(key);
    if (recent.length > 0) this.#writes.set(key, recent);
    else this.#writes.delete(key);
    return { lastHour: recent.filter((at) => this.#time.now - at < HOUR_MS).length, lastDay: recent.length };
  }

  /** Every place with a write within a day. */
  places(): Place[] {
    return Array.from(this.#writes.keys(), (key): Place => {
      const [inverter, setting] = JSON.parse(key) as [string, string];
      return { inverter, setting };
    }).filter((place) => this.used(place).lastDay > 0);
  }

  #recent(key: string): number[] {
    return (this.#writes.get(key) ?? []).filter((at) => this.#time.now - at < DAY_MS);
  }
}

function keyOf({ inverter, setting }: Place): string {
  return JSON.stringify([inverter, setting]);
}
