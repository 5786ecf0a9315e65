/** Open-circuit voltage of a 16-cell iron-phosphate battery by state of charge (0 to 1), V. */
const openCircuit: readonly (readonly [soc: number, volts: number])[] = [
  [0, 44.0],
  [0.02, 47.2],
  [0.05, 48.9],
  [0.1, 50.4],
  [0.2, 51.4],
  [0.3, 51.9],
  [0.4, 52.2],
  [0.5, 52.4],
  [0.6, 52.6],
  [0.7, 52.9],
  [0.8, 53.2],
  [0.9, 53.4],
  [0.96, 53.7],
  [0.99, 54.2],
  [1, 54.9],
];

/**
 * A battery bank of 12, 24 or 48 V. Its state is the stored energy in whole millijoules, so that nothing is ever lost to rounding:
 * what goes in or out at the terminals and what turns to heat inside add up exactly.
 */
export class Battery {
  readonly capacityMillijoules: number;
  readonly #resistance: number;
  /** Against the 48 V of the table. */
  readonly #scale: number;
  /** mJ, whole. */
  stored: number;
  /** Terminal voltage, mV. */
  millivolts = 0;
  /** mA; positive is discharge. */
  milliamperes = 0;

  /** `capacityWh` usable, `resistance` in ohms at 48 V, `soc` from 0 to 1, `nominalVolts` as rated. */
  constructor(capacityWh: number, resistance: number, soc: number, nominalVolts = 48) {
    this.capacityMillijoules = Math.round(capacityWh * 3_600_000);
    this.#scale = nominalVolts / 48;
    this.#resistance = resistance * this.#scale ** 2;
    this.stored = Math.round(this.capacityMillijoules * soc);
    this.millivolts = Math.round(this.openVoltage * 1000);
  }

  /** 0 to 1. */
  get soc(): number {
    return this.stored / this.capacityMillijoules;
  }

  get openVoltage(): number {
    const soc = Math.min(1, Math.max(0, this.soc));
    let below = openCircuit[0] ?? [0, 0];
    for (const above of openCircuit) {
      if (soc <= above[0]) {
        const share = above[0] === below[0] ? 0 : (soc - below[0]) / (above[0] - below[0]);
        return (below[1] + share * (above[1] - below[1])) * this.#scale;
      }
      below = above;
    }
    return below[1] * this.#scale;
  }

  /** The most power (mW, whole, at the terminals) for `seconds` that keeps the voltage under `volts`, the current under `amperes` and the store under its brim. */
  chargeLimit(volts: number, amperes: number, seconds: number): number {
    const open = this.openVoltage;
    const current = Math.min(amperes, (volts - open) / this.#resistance);
    if (current <= 0) return 0;
    const room = Math.floor((this.capacityMillijoules - this.stored) / seconds);
    return Math.min(room, Math.floor((open + current * this.#resistance) * current * 1000));
  }

  /** The most power (mW, whole) that can be drawn for `seconds` without the terminals falling under `volts` or the store under 0. */
  dischargeLimit(volts: number, seconds: number): number {
    const open = this.openVoltage;
    const current = Math.max(0, (open - volts) / this.#resistance);
    const byVoltage = Math.floor(volts * current * 1000);
    // A twentieth stays back for the heat inside.
    return Math.max(0, Math.min(byVoltage, Math.floor((this.stored / seconds) * 0.95)));
  }

  /**
   * Moves energy for `seconds`: `milliwatts` at the terminals, whole, positive is discharge.
   * Gives the power that turned to heat inside, mW, whole.
   */
  step(milliwatts: number, seconds: number): number {
    const open = this.openVoltage;
    const watts = milliwatts / 1000;
    // V = E - IR and P = VI; the root that belongs to the smaller current.
    const root = Math.sqrt(Math.max(0, open * open - 4 * this.#resistance * watts));
    const current = watts === 0 ? 0 : (open - root) / (2 * this.#resistance);
    const heat = Math.round(current * current * this.#resistance * 1000);
    this.stored -= (milliwatts + heat) * seconds;
    this.millivolts = Math.round((open - current * this.#resistance) * 1000);
    this.milliamperes = Math.round(current * 1000);
    return heat;
  }
}
