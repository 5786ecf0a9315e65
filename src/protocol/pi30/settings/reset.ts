import { metric } from "../../../model/metric.ts";
import type { SettingValue } from "../../../model/setting.ts";
import { numberOf, type Setting } from "../../setting.ts";
import { QLT } from "../energy.ts";
import { QT } from "../extras.ts";
import { actionSetting, blindSetting, called, define } from "./kinds.ts";

/** A clock that was set goes on while it is read back, and a second may be lost on the way. */
const CLOCK_BEHIND_S = 5;
const CLOCK_AHEAD_S = 60;

function secondsOf(time: SettingValue): number {
  return Date.parse(`${String(time)}Z`) / 1000;
}

const clock = define(
  called(metric.unitClock),
  {
    code: "DAT",
    explanation: "The unit's own clock, in local time without a zone. Its energy counters of the day go by it.",
    topic: "clock",
    level: "everyday",
    lcdProgram: 95,
    source: "notes §9.6: 12 digits",
    papers: ["DGK", "DMK2", "DMAX", "DMAX2", "DTWIN"],
    check: (value) => (isTime(String(value)) ? undefined : `${String(value)} is a day that its month does not have`),
  },
  {
    shape: "YYMMDDHHMMSS",
    readBack: {
      query: QT,
      read: ({ [metric.unitClock.key]: time }) => (typeof time === "string" ? time : undefined),
      changed: (values, value) => ({ ...values, [metric.unitClock.key]: String(value) }),
      matches(wanted, read) {
        const ahead = secondsOf(read) - secondsOf(wanted);
        return ahead >= -CLOCK_BEHIND_S && ahead <= CLOCK_AHEAD_S;
      },
    },
    values: () => ({
      kind: "text",
      form: "a local time like 2026-01-31T18:30:00",
      pattern: "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
    }),
    commands(value) {
      const time = String(value);
      const digits = time.replaceAll(/\D/g, "").slice(2);
      return isTime(time) ? [`DAT${digits}`] : [];
    },
    parse(command) {
      const parts = /^DAT(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(command)?.slice(1);
      if (!parts) return undefined;
      const time = `20${parts.slice(0, 3).join("-")}T${parts.slice(3).join(":")}`;
      return isTime(time) ? time : undefined;
    },
  },
);

function isTime(time: string): boolean {
  const at = new Date(`${time}Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(time);
}

/** What a counter that was erased has counted again until it is read back; Wh. */
const ERASED_WH = 100;

const eraseEnergy = actionSetting(
  { name: "eraseEnergyCounters", label: "Erase the energy counters" },
  {
    code: "RTEY",
    explanation: "Sets the unit's counters of PV and load energy to zero, those of past days and years included. It cannot be undone.",
    topic: "reset",
    level: "expert",
    confirm: "erase energy",
    source: "notes §9.6",
    papers: ["DGK", "DMK2", "DMAX", "DMAX2", "DTWIN"],
  },
  {
    query: QLT,
    read(values) {
      const energy = numberOf(values, metric.loadEnergyTotal.key);
      return energy === undefined ? undefined : energy < ERASED_WH;
    },
    changed: (values, value) => (value === true ? { ...values, [metric.loadEnergyTotal.key]: 0 } : values),
  },
);

export const resetSettings: readonly Setting[] = [
  clock,
  blindSetting(
    { name: "dataLogPeriod", label: "Period of the unit's data log", unit: "min" },
    {
      code: "PDL",
      explanation: "How often the unit writes into its own log. It cannot be read back.",
      topic: "clock",
      level: "everyday",
      lcdProgram: 94,
      source: "notes §9.6",
      papers: ["DMK2", "DTWIN"],
    },
    { width: 2, values: { kind: "list", values: [3, 5, 10, 20, 30, 60] } },
  ),
  eraseEnergy,
  actionSetting(
    { name: "eraseDataLog", label: "Erase the unit's data log" },
    {
      code: "RTDL",
      explanation: "Empties the unit's own log. It cannot be undone, and nothing tells whether it is done.",
      topic: "reset",
      level: "expert",
      confirm: "erase data log",
      source: "notes §9.6",
      papers: ["DGK", "DMK2", "DMAX", "DMAX2", "DTWIN"],
    },
  ),
  actionSetting(
    { name: "factoryReset", label: "Factory reset" },
    {
      code: "PF",
      explanation:
        "Sets everything back to the maker's values: battery type AGM, all voltages, currents and priorities, output voltage and frequency. The load may lose its supply, a lithium battery may be ruined.",
      topic: "reset",
      level: "expert",
      confirm: "factory reset",
      source: "notes §9.6; the defaults are those of QDI",
    },
  ),
];
