import { Random, Wander } from "./random.ts";

const dayMs = 86_400_000;
const slotMs = 2 * 3_600_000;

/** The public grid: voltage and frequency that wander, load-shedding in two-hour slots, and short failures. */
export class Grid {
  readonly #seed: number;
  readonly #random: Random;
  readonly #voltage: Wander;
  readonly #frequency: Wander;
  /** Chance that a two-hour slot of the day is shed. */
  readonly #sheddingRate: number;
  #failureSeconds = 0;
  #day = Number.NaN;
  #shed: readonly boolean[] = [];
  present = true;
  /** V; 0 while absent. */
  volts = 230;
  /** Hz; 0 while absent. */
  hertz = 50;

  constructor(seed: number, sheddingRate: number) {
    this.#seed = seed;
    this.#random = new Random(seed, "grid");
    this.#voltage = new Wander(this.#random, 900);
    this.#frequency = new Wander(this.#random, 90);
    this.#sheddingRate = sheddingRate;
  }

  step(seconds: number, localMs: number, absent: boolean): void {
    const wanderingVolts = this.#voltage.step(seconds);
    const wanderingHertz = this.#frequency.step(seconds);
    this.#failureSeconds = Math.max(0, this.#failureSeconds - seconds);
    // About one short failure in nine days.
    if (this.#random.next() < seconds / (9 * 86_400)) this.#failureSeconds = 60 * this.#random.between(0.5, 25);
    this.present = !absent && this.#failureSeconds === 0 && !this.#isShed(localMs);
    const hour = (((localMs % dayMs) + dayMs) % dayMs) / 3_600_000;
    const eveningSag = 5 * Math.exp(-0.5 * ((hour - 19) / 2.2) ** 2);
    this.volts = this.present ? 232.5 - eveningSag + 2.4 * wanderingVolts : 0;
    this.hertz = this.present ? 50 + 0.055 * wanderingHertz : 0;
  }

  /** The plan of a day depends on the seed and the day alone, so that it does not matter when the simulation began. */
  #isShed(localMs: number): boolean {
    const day = Math.floor(localMs / dayMs);
    if (day !== this.#day) {
      const random = new Random(this.#seed, `shedding ${day}`);
      this.#day = day;
      this.#shed = Array.from({ length: dayMs / slotMs }, () => random.next() < this.#sheddingRate);
    }
    return this.#shed[Math.floor((localMs - day * dayMs) / slotMs)] ?? false;
  }
}
