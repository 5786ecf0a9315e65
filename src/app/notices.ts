import type { Notice, Reading, Values } from "../model/reading.ts";
import { explainFault, explainWarnings, faultCodeOf } from "../protocol/pi30/explain.ts";

/** What other answers say that tells how to read warnings: the mode, and the rated battery voltage. */
const beside = ["operatingMode", "ratedBatteryVoltage"] as const;

/** Adds to the readings of one inverter what their warnings and fault codes mean on its make. */
export class Notices {
  readonly #beside = new Map<string, Values[string]>();

  /** To be called when another unit may be there. */
  forget(): void {
    this.#beside.clear();
  }

  /** The reading with its notices, where it carries warnings or a fault code. */
  added(reading: Reading, family: string): Reading {
    const { values } = reading;
    // The record of a parallel unit speaks of that unit.
    const isOwn = values["unitExists"] === undefined;
    if (isOwn) for (const name of beside) if (values[name] !== undefined) this.#beside.set(name, values[name]);
    const notices = noticesOf(isOwn ? { ...Object.fromEntries(this.#beside), ...values } : values, values, family);
    return notices === undefined ? reading : { ...reading, notices };
  }
}

function noticesOf(known: Values, own: Values, family: string): readonly Notice[] | undefined {
  if (Array.isArray(own["warnings"])) {
    const code = faultCodeOf(known, family);
    const fault = code === undefined ? undefined : explainFault(code, family);
    return [...(fault ? [fault] : []), ...explainWarnings(known, family)];
  }
  const codes = [own["faultCode"], own["l2FaultCode"]].filter((code): code is string => typeof code === "string");
  if (codes.length === 0) return undefined;
  return [...new Set(codes)].flatMap((code) => explainFault(code, family) ?? []);
}
