import type { Values } from "../model/reading.ts";

/** What an estimate of the state of charge is made of. */
export interface SocSample {
  /** UTC epoch milliseconds. */
  readonly at: number;
  /** A at the battery; positive is discharge. */
  readonly amperes: number;
  /** V at the battery. */
  readonly volts: number;
  /** Whether the unit says that it charges in its float stage; absent where it does not tell. */
  readonly float?: boolean;
}

/** A sample from the values of one status, measured and derived; absent where it does not tell the battery's current and voltage. */
export function socSampleOf(at: number, values: Values): SocSample | undefined {
  const { batteryCurrent: amperes, batteryVoltage: volts, chargeStatus } = values;
  if (typeof amperes !== "number" || typeof volts !== "number") return undefined;
  const stages: unknown = chargeStatus;
  return { at, amperes, volts, ...(Array.isArray(stages) && { float: stages.includes("floatCharging") }) };
}

/** The battery, as its owner tells it. */
export interface SocBattery {
  /** Ah, of the whole bank. */
  readonly capacityAh: number;
  readonly chemistry: Chemistry;
  /** In series: 16 or 15 of iron phosphate, 24 of lead at 48 V. */
  readonly cells: number;
  /** V at which the unit floats (QPIRI); without it a battery is never taken for full by its voltage. */
  readonly floatVolts?: number;
  /** Smallest step of the current, A; 1 by default. */
  readonly ampereStep?: number;
  readonly holdMs: number;
}

/**
 * What is taken for known of a kind of battery. `chargeEfficiency`: share of the ampere-hours that go in which come out again, about 0.99 for iron
 * phosphate and 0.85 for lead, by the makers' handbooks. `rest`: volts of a cell that has rested and its state of charge, %; `restBand`: how
 * little that says, in points either way: the curve of iron phosphate is so flat that a tenth of a volt of the bank may be 20 points.
 */
const chemistries = {
  lithiumIronPhosphate: {
    chargeEfficiency: 0.99,
    efficiencyBand: 0.01,
    rest: [
      [2.9, 5],
      [3.15, 10],
      [3.22, 25],
      [3.26, 40],
      [3.29, 60],
      [3.32, 80],
      [3.35, 95],
      [3.4, 100],
    ],
    restBand: 20,
  },
  lead: {
    chargeEfficiency: 0.85,
    efficiencyBand: 0.07,
    rest: [
      [1.95, 5],
      [1.98, 20],
      [2.03, 50],
      [2.08, 75],
      [2.12, 100],
    ],
    restBand: 10,
  },
} as const;

export type Chemistry = keyof typeof chemistries;

/** Our own estimate; plain data, to be kept over a restart. */
export interface SocState {
  /** %, 0 to 100. */
  readonly soc: number;
  /** Points by which it may be off either way. */
  readonly band: number;
  /** UTC epoch milliseconds of the last anchor and what it was; absent before the first. */
  readonly anchor?: { readonly at: number; readonly kind: "full" | "rest" };
  readonly last: SocSample;
  /** Since when the battery has looked full, and rested. */
  readonly fullSince?: number;
  readonly restSince?: number;
}

/** Full: at the float voltage, with hardly any current, for so long. */
const full = { share: 0.03, leastAmperes: 1, volts: 0.3, forMs: 600_000, band: 2 } as const;
/** At rest: next to no current, for so long. */
const rest = { share: 0.005, leastAmperes: 0.5, forMs: 3_600_000 } as const;
const nothingKnown = { soc: 50, band: 50 } as const;

/**
 * Counts ampere-hours from one reading to the next, and starts anew from what is known for certain: a battery that floats and takes hardly any more
 * is full; one that rests tells by its voltage. The band grows with all that passes through the battery and with time, for the current has steps;
 * over a gap it grows by what might have flowed. Until the first anchor nothing is known: 50 ± 50.
 */
export function estimateSoc(state: SocState | undefined, sample: SocSample, battery: SocBattery): SocState {
  if (state === undefined) return { ...nothingKnown, last: sample };
  if (sample.at <= state.last.at) return state;
  const counted = count(state, sample, battery);
  const since = {
    fullSince: lasting(state.fullSince, isFull(sample, battery), sample.at),
    restSince: lasting(state.restSince, isAtRest(sample, battery), sample.at),
  };
  const isContinuous = sample.at - state.last.at <= battery.holdMs;
  const fullSince = isContinuous ? since.fullSince : undefined;
  const restSince = isContinuous ? since.restSince : undefined;
  const next = { ...counted, ...(fullSince !== undefined && { fullSince }), ...(restSince !== undefined && { restSince }) };
  if (fullSince !== undefined && sample.at - fullSince >= full.forMs)
    return { ...next, soc: 100, band: full.band, anchor: { at: sample.at, kind: "full" } };
  if (restSince === undefined || sample.at - restSince < rest.forMs) return next;
  const { soc, band } = socAtRest(sample.volts, battery);
  // A reading that says less than what is known already is no anchor.
  return band < next.band ? { ...next, soc, band, anchor: { at: sample.at, kind: "rest" } } : next;
}

function count(
  { soc, band, anchor, last }: SocState,
  sample: SocSample,
  { capacityAh, chemistry, ampereStep = 1, holdMs }: SocBattery,
): SocState {
  const hours = (sample.at - last.at) / 3_600_000;
  const known = { last: sample, ...(anchor !== undefined && { anchor }) };
  if (sample.at - last.at > holdMs) {
    // Nobody knows what flowed: a fifth of the capacity an hour at most is taken for possible.
    return { ...known, soc, band: Math.min(50, band + 20 * hours) };
  }
  const { chargeEfficiency, efficiencyBand } = chemistries[chemistry];
  const amperes = (last.amperes + sample.amperes) / 2;
  const taken = amperes < 0 ? amperes * chargeEfficiency : amperes;
  const percent = (ampereHours: number): number => (100 * ampereHours) / capacityAh;
  // Steps are rounded up as often as down, so that over hours a tenth of one is left; the meter itself is off by two in a hundred.
  const error = ampereStep / 10 + Math.abs(amperes) * (0.02 + (amperes < 0 ? efficiencyBand : 0));
  return {
    ...known,
    soc: Math.min(100, Math.max(0, soc - percent(taken * hours))),
    band: Math.min(50, band + percent(error * hours)),
  };
}

function isFull({ amperes, volts, float }: SocSample, { capacityAh, floatVolts }: SocBattery): boolean {
  const charging = -amperes;
  const isTapered = charging >= 0 && charging <= Math.max(full.leastAmperes, full.share * capacityAh);
  return isTapered && float !== false && floatVolts !== undefined && volts >= floatVolts - full.volts;
}

function isAtRest({ amperes }: SocSample, { capacityAh }: SocBattery): boolean {
  return Math.abs(amperes) <= Math.max(rest.leastAmperes, rest.share * capacityAh);
}

function socAtRest(volts: number, { chemistry, cells }: SocBattery): { readonly soc: number; readonly band: number } {
  const { rest: curve, restBand } = chemistries[chemistry];
  const each = volts / cells;
  let [lowVolts, lowSoc]: readonly [number, number] = [0, 0];
  for (const [highVolts, highSoc] of curve) {
    if (each <= highVolts) {
      const part = lowVolts === 0 ? 1 : (each - lowVolts) / (highVolts - lowVolts);
      return { soc: lowSoc + part * (highSoc - lowSoc), band: restBand };
    }
    [lowVolts, lowSoc] = [highVolts, highSoc];
  }
  return { soc: 100, band: restBand };
}

function lasting(since: number | undefined, holds: boolean, at: number): number | undefined {
  return holds ? (since ?? at) : undefined;
}
