import { type Random, Wander } from "./random.ts";

/** What the house asks for. */
export interface Demand {
  /** mW, whole. */
  readonly milliwatts: number;
  /** mVA, whole; never below the milliwatts. */
  readonly milliVoltAmperes: number;
}

interface Appliance {
  readonly watts: number;
  readonly powerFactor: number;
  readonly minutes: readonly [shortest: number, longest: number];
  /** Starts an hour, by local hour. */
  readonly startsAnHour: (hour: number) => number;
}

/** A bell over the day: 1 at `centre`, wrapping at midnight; hours. */
const bell = (hour: number, centre: number, width: number): number => {
  const distance = Math.abs(((hour - centre + 36) % 24) - 12);
  return Math.exp(-0.5 * (distance / width) ** 2);
};

const appliances: readonly Appliance[] = [
  // Kettle
  {
    watts: 2150,
    powerFactor: 1,
    minutes: [2, 4],
    startsAnHour: (h) => 0.05 + 1.1 * bell(h, 6.6, 0.8) + 0.5 * bell(h, 15.5, 2) + 0.5 * bell(h, 20, 1),
  },
  // Stove plate or oven
  { watts: 1800, powerFactor: 1, minutes: [12, 45], startsAnHour: (h) => 0.7 * bell(h, 18.2, 0.9) + 0.12 * bell(h, 12.5, 1) },
  // Microwave oven
  { watts: 1350, powerFactor: 0.93, minutes: [1, 5], startsAnHour: (h) => 0.03 + 0.5 * bell(h, 7, 0.8) + 0.7 * bell(h, 18.8, 1.2) },
  // Washing machine, heating its water
  { watts: 1700, powerFactor: 0.98, minutes: [10, 25], startsAnHour: (h) => 0.09 * bell(h, 10.5, 2) },
  // Borehole or pool pump
  { watts: 750, powerFactor: 0.8, minutes: [60, 180], startsAnHour: (h) => 0.18 * bell(h, 11, 2) },
  // Iron, hair dryer
  { watts: 1500, powerFactor: 1, minutes: [4, 20], startsAnHour: (h) => 0.16 * bell(h, 6.4, 0.6) + 0.03 * bell(h, 16, 3) },
];

const fridge = { watts: 135, powerFactor: 0.78, onMinutes: [14, 24], offMinutes: [22, 45] } as const;

/** A household: standing load, refrigerator, lights and screens morning and evening, and what people switch on. */
export class Household {
  readonly #random: Random;
  readonly #size: number;
  readonly #standing: Wander;
  readonly #presence: Wander;
  /** Seconds each appliance still runs; 0 when off. */
  readonly #running = appliances.map(() => 0);
  #fridgeOn = false;
  #fridgeSeconds = 0;

  /** `size` against a household that suits an 8 kW unit. */
  constructor(random: Random, size = 1) {
    this.#size = size;
    this.#random = random;
    this.#standing = new Wander(random, 600);
    this.#presence = new Wander(random, 5 * 3600);
  }

  /** Demand after `seconds`, at this local hour (0 to 24). */
  step(seconds: number, hour: number): Demand {
    const standing = 190 + 9 * this.#standing.step(seconds);
    const people = Math.max(0.25, 1 + 0.35 * this.#presence.step(seconds));
    const screens = people * (110 * bell(hour, 6.5, 0.9) + 330 * bell(hour, 19.8, 1.9) + 60 * bell(hour, 13, 3));
    let watts = Math.max(80, standing) + screens;
    let voltAmperes = Math.max(80, standing) / 0.86 + screens / 0.92;

    this.#stepFridge(seconds);
    if (this.#fridgeOn) {
      watts += fridge.watts;
      voltAmperes += fridge.watts / fridge.powerFactor;
    }
    appliances.forEach((appliance, index) => {
      const left = this.#stepAppliance(appliance, this.#running[index] ?? 0, seconds, hour);
      this.#running[index] = left;
      if (left > 0) {
        watts += appliance.watts;
        voltAmperes += appliance.watts / appliance.powerFactor;
      }
    });
    const milliwatts = Math.round(watts * this.#size * 1000);
    return { milliwatts, milliVoltAmperes: Math.max(milliwatts, Math.round(voltAmperes * this.#size * 1000)) };
  }

  #stepFridge(seconds: number): void {
    this.#fridgeSeconds -= seconds;
    if (this.#fridgeSeconds > 0) return;
    this.#fridgeOn = !this.#fridgeOn;
    const [low, high] = this.#fridgeOn ? fridge.onMinutes : fridge.offMinutes;
    this.#fridgeSeconds = 60 * this.#random.between(low, high);
  }

  #stepAppliance(appliance: Appliance, left: number, seconds: number, hour: number): number {
    if (left > 0) return Math.max(0, left - seconds);
    const chance = (appliance.startsAnHour(hour) * seconds) / 3600;
    return this.#random.next() < chance ? 60 * this.#random.between(...appliance.minutes) : 0;
  }
}
