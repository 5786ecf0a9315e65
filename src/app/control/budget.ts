import type { Clock } from "../../session/clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whose writes are counted. */
interface Place {
  readonly inverter: string;
  readonly setting: string;
}

/**
 * Counts the writes of each setting: an inverter keeps them in a memory that wears out. Ages are counted on the clock that
 * never jumps; of writes before the start the wall clock tells the age, and one that seems to lie ahead counts as new. None
 * is older than one before it: machines without a clock of their own begin in the past.
 */
export class WriteBudget {
  readonly #clock: Clock;
  /** By place: monotonic times, oldest first; those of earlier runs lie below the start. */
  readonly #writes = new Map<string, number[]>();
  /** UTC epoch ms of the latest write that does not seem to lie ahead. */
  #latest = Number.NEGATIVE_INFINITY;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** In the order of the writes. `at`: UTC epoch ms. */
  spend(place: Place, at: number): void {
    const now = this.#clock.now();
    if (at <= now) this.#latest = Math.max(this.#latest, at);
    const ageMs = Math.max(0, now - Math.max(at, this.#latest));
    if (ageMs >= DAY_MS) return;
    const key = keyOf(place);
    const writes = this.#writes.get(key) ?? [];
    writes.push(this.#clock.monotonic() - ageMs);
    this.#writes.set(key, writes);
  }

  /** Takes the latest write back: the inverter refused it, so nothing was worn. */
  giveBack(place: Place): void {
    this.#writes.get(keyOf(place))?.pop();
  }

  used(place: Place): { readonly lastHour: number; readonly lastDay: number } {
    const key = keyOf(place);
    const now = this.#clock.monotonic();
    const recent = (this.#writes.get(key) ?? []).filter((at) => now - at < DAY_MS);
    if (recent.length > 0) this.#writes.set(key, recent);
    else this.#writes.delete(key);
    return { lastHour: recent.filter((at) => now - at < HOUR_MS).length, lastDay: recent.length };
  }

  /** Every place with a write within a day. */
  places(): Place[] {
    return Array.from(this.#writes.keys(), (key): Place => {
      const [inverter, setting] = JSON.parse(key) as [string, string];
      return { inverter, setting };
    }).filter((place) => this.used(place).lastDay > 0);
  }
}

function keyOf({ inverter, setting }: Place): string {
  return JSON.stringify([inverter, setting]);
}
