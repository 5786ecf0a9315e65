import { metric } from "../../../model/metric.ts";
import { numberOf, type Setting } from "../../setting.ts";
import { QDOP, secondOutputPlans } from "../extras.ts";
import { QPIRI } from "../ratings.ts";
import { actionSetting, amountSetting, called, choiceSetting, define, lacking, locked, type Declaration } from "./kinds.ts";
import { voltageRange } from "./voltages.ts";

const common = { topic: "secondOutput", source: "notes §9.6; DTWIN", papers: ["DTWIN"] } as const satisfies Partial<Declaration>;

/** The relay itself: the unit may switch it again by the limits below. */
const relay = define(
  called(metric.secondOutputOn),
  {
    ...common,
    code: "PTOPE",
    explanation: "Switches the second output on or off at once, whatever its limits say.",
    level: "expert",
    confirm: "second output",
  },
  {
    form: "switch",
    shape: "0 off · 1 on",
    readBack: {
      query: QDOP,
      read: ({ [metric.secondOutputOn.key]: on }) => (typeof on === "boolean" ? on : undefined),
      changed: (values, value) => ({ ...values, [metric.secondOutputOn.key]: value }),
    },
    values: () => ({ kind: "list", values: [true, false] }),
    commands: (value) => [`PTOPE${value === true ? 1 : 0}`],
    parse: (command) => (command === "PTOPE1" ? true : command === "PTOPE0" ? false : undefined),
  },
);

const plan = choiceSetting(
  called(metric.secondOutputPlan),
  {
    ...common,
    code: "PTOPE",
    explanation: "Whether the second output may be on, as far as its limits of voltage, time and current allow.",
    level: "expert",
    confirm: "second output",
  },
  {
    query: QDOP,
    key: metric.secondOutputPlan.key,
    codec: secondOutputPlans,
    table: () => Object.fromEntries(["2", "3"].map((code) => [code, secondOutputPlans.decode(code) ?? code])),
    shape: "2 maybe off · 3 maybe on",
  },
);

const offVoltage = amountSetting(
  called(metric.secondOutputOffVoltage),
  {
    ...common,
    code: "PTOPV",
    explanation: "At this battery voltage the second output is switched off, so that the rest is left for the first.",
    level: "everyday",
    needs: [QPIRI],
  },
  {
    query: QDOP,
    key: metric.secondOutputOffVoltage.key,
    width: 4,
    digits: 1,
    // No paper prints a range: anywhere from the lowest cut-off to the highest voltage for going back to the grid.
    values(facts) {
      const [cutOff, recharge] = [voltageRange("cutOff", facts), voltageRange("recharge", facts)];
      if (cutOff.kind === "none") return cutOff;
      return cutOff.kind === "range" && recharge.kind === "range" ? { ...cutOff, max: recharge.max } : cutOff;
    },
  },
);

const hoursForm = /^(\d\d)-(\d\d)$/;
const isHour = (text: string): boolean => Number(text) <= 23;
const hours = define(
  { name: "secondOutputHours", label: "Hours of the second output" },
  { ...common, code: "PTOPS", explanation: "From which hour to which hour the second output is on.", level: "everyday" },
  {
    shape: "HH HH: on and off",
    readBack: {
      query: QDOP,
      read(values) {
        const both = [numberOf(values, metric.secondOutputOnHour.key), numberOf(values, metric.secondOutputOffHour.key)];
        return both.includes(undefined) ? undefined : both.map((hour) => String(hour).padStart(2, "0")).join("-");
      },
      changed(values, value) {
        const [, on, off] = hoursForm.exec(String(value)) ?? [];
        if (on === undefined || off === undefined) return values;
        return { ...values, [metric.secondOutputOnHour.key]: Number(on), [metric.secondOutputOffHour.key]: Number(off) };
      },
    },
    values: () => ({ kind: "text", form: "two hours like 08-18", pattern: "^([01][0-9]|2[0-3])-([01][0-9]|2[0-3])$" }),
    commands(value) {
      const [, on, off] = hoursForm.exec(String(value)) ?? [];
      return on === undefined || off === undefined ? [] : [`PTOPS${on} ${off}`];
    },
    parse(command) {
      const [, on, off] = /^PTOPS(\d\d) (\d\d)$/.exec(command) ?? [];
      return on !== undefined && off !== undefined && isHour(on) && isHour(off) ? `${on}-${off}` : undefined;
    },
  },
);

export const secondOutputSettings: readonly Setting[] = [
  relay,
  plan,
  offVoltage,
  amountSetting(
    called(metric.secondOutputOffSoc),
    { ...common, code: "PTOPVC", explanation: "At this battery charge the second output is switched off.", level: "everyday" },
    { query: QDOP, key: metric.secondOutputOffSoc.key, width: 3, digits: 0, values: () => ({ kind: "range", min: 0, max: 100, step: 1 }) },
  ),
  amountSetting(
    called(metric.secondOutputOffTime),
    {
      ...common,
      code: "PTOPD",
      explanation: "After discharging the battery for so long the second output is switched off; 999 never.",
      level: "everyday",
    },
    {
      query: QDOP,
      key: metric.secondOutputOffTime.key,
      width: 3,
      digits: 0,
      values: () => ({ kind: "range", min: 0, max: 990, step: 1, also: [999] }),
    },
  ),
  amountSetting(
    called(metric.secondOutputCurrentLimit),
    {
      ...common,
      code: "PTOPC",
      explanation: "Above this current the second output is switched off.",
      level: "everyday",
      needs: [QPIRI],
      locked: ({ values }) =>
        numberOf(values, metric.ratedOutputCurrent.key) === undefined
          ? locked("the unit does not tell its rated output current")
          : undefined,
    },
    {
      query: QDOP,
      key: metric.secondOutputCurrentLimit.key,
      width: 2,
      digits: 0,
      values: ({ values }) => ({
        kind: "range",
        min: 1,
        max: Math.min(99, Math.floor(numberOf(values, metric.ratedOutputCurrent.key) ?? 1)),
        step: 1,
      }),
    },
  ),
  hours,
  actionSetting(
    { name: "clearSecondOutputWarning", label: "Clear the over-current warning of the second output" },
    {
      ...common,
      code: "PTOPW",
      explanation: "Takes back the warning after an over-current. Nothing tells whether it is done.",
      level: "everyday",
      needs: [QDOP],
      locked: ({ values }) =>
        values[metric.secondOutputOn.key] === undefined
          ? lacking("this unit does not tell of a second output (no answer to QDOP)")
          : undefined,
    },
  ),
];
