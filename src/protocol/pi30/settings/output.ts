import { metric } from "../../../model/metric.ts";
import { numberOf, type Effect, type Setting, type UnitFacts } from "../../setting.ts";
import { findFamily } from "../families.ts";
import { QPIRI } from "../ratings.ts";
import { QMOD, QPIGS } from "../status.ts";
import { amountSetting, called, define, isNumber, lacking, locked, plainly } from "./kinds.ts";

/** True for the models of 110 to 127 V. */
export function isLowVoltage(values: UnitFacts["values"]): boolean {
  return (numberOf(values, metric.ratedOutputVoltage.key) ?? 230) < 160;
}

/** On battery the unit makes the output itself; from the grid it passes on what comes. */
function shows(key: string, tolerance: number, describe: Effect["describe"]): Effect {
  return {
    queries: [QMOD, QPIGS],
    seen(values, value) {
      const measured = numberOf(values, key);
      if (values[metric.operatingMode.key] !== "battery" || measured === undefined || typeof value !== "number") return undefined;
      return Math.abs(measured - value) <= tolerance;
    },
    describe,
  };
}

const underLoad = "Devices may be damaged by a voltage or frequency they are not made for; most units take it only in standby.";

const VOLTS = [220, 230, 240];
const LOW_VOLTS = [110, 120, 127];

/** Volts by command; no paper has POPV for 120 V. */
const voltageForms = {
  V: { write: (volts: number) => `V${String(volts).padStart(3, "0")}`, pattern: /^V(\d{3})$/, perUnit: 1, volts: [...VOLTS, ...LOW_VOLTS] },
  POPV: { write: (volts: number) => `POPV${String(volts * 10).padStart(4, "0")}`, pattern: /^POPV(\d{4})$/, perUnit: 10, volts: VOLTS },
} as const;
const anyForm = Object.keys(voltageForms) as (keyof typeof voltageForms)[];

function formsOf(family: string): readonly (keyof typeof voltageForms)[] {
  const { outputVoltage: known, papers } = findFamily(family);
  return known.length > 0 || papers.length > 0 ? known : anyForm;
}

const outputVoltage = define(
  called(metric.outputVoltageSetting),
  {
    code: "V",
    explanation: `The voltage the unit makes for the load. ${underLoad}`,
    topic: "output",
    level: "expert",
    confirm: "output voltage",
    lcdProgram: 10,
    source: "notes §9.1: V on VM III, VM IV and MAX, POPV on MKS II to IV",
    effect: shows(metric.outputVoltage.key, 5, (value) => `the output has about ${String(value)} V`),
  },
  {
    shape: "V and NNN, or POPV and NNNN in tenths of a volt",
    readBack: plainly({ query: QPIRI, key: metric.ratedOutputVoltage.key }, isNumber),
    values({ family, values, wide }) {
      const { outputVoltage: commands, papers, title } = findFamily(family);
      if (commands.length === 0 && !(wide && papers.length === 0))
        return papers.length === 0
          ? locked("which command sets it is not known of this model")
          : lacking(`no command for it is known of this model (${title})`);
      const volts = isLowVoltage(values) ? LOW_VOLTS : VOLTS;
      const said = volts.filter((each) => formsOf(family).some((code) => voltageForms[code].volts.includes(each)));
      return said.length > 0 ? { kind: "list", values: said } : lacking(`no command for 110 to 127 V is known of this model (${title})`);
    },
    commands(value, { family }) {
      if (typeof value !== "number" || !Number.isInteger(value)) return [];
      return formsOf(family).flatMap((code) => (voltageForms[code].volts.includes(value) ? [voltageForms[code].write(value)] : []));
    },
    parse(command, { family }) {
      for (const { pattern, perUnit } of formsOf(family).map((code) => voltageForms[code])) {
        const digits = pattern.exec(command)?.[1];
        if (digits !== undefined) return Number(digits) / perUnit;
      }
      return undefined;
    },
  },
);

const outputFrequency = amountSetting(
  called(metric.outputFrequencySetting),
  {
    code: "F",
    explanation: `The frequency the unit makes for the load. ${underLoad}`,
    topic: "output",
    level: "expert",
    confirm: "output frequency",
    lcdProgram: 9,
    source: "notes §9.1",
    effect: shows(metric.outputFrequency.key, 0.5, (value) => `the output has about ${String(value)} Hz`),
  },
  { query: QPIRI, key: metric.ratedOutputFrequency.key, width: 2, digits: 0, values: () => ({ kind: "list", values: [50, 60] }) },
);

export const outputSettings: readonly Setting[] = [outputVoltage, outputFrequency];
