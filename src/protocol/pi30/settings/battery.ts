import { metric, type Metric } from "../../../model/metric.ts";
import type { Setting } from "../../setting.ts";
import { batteryControls, QBATCD, QCST, QCVT } from "../battery.ts";
import { batteryTypes, chargingStages } from "../choices.ts";
import { QDOP } from "../extras.ts";
import { findFamily } from "../families.ts";
import type { CodeTable } from "../family.ts";
import { QPIRI } from "../ratings.ts";
import { amountSetting, called, choiceSetting, type Declaration } from "./kinds.ts";
import { ladder } from "./ladder.ts";

const allBatteryTypes: CodeTable = Object.fromEntries(
  Array.from({ length: 10 }, (_, code) => [`0${code}`, batteryTypes.decode(String(code)) ?? String(code)]),
);

const batteryType = choiceSetting(
  called(metric.batteryType),
  {
    code: "PBT",
    explanation:
      "Which battery is connected. Most types bring their own voltages, which replace those that are set. A type that is not the battery's ruins it.",
    topic: "battery",
    level: "expert",
    confirm: "battery type",
    lcdProgram: 5,
    source:
      "notes §9.3, §7; the types are those of the family's papers, and userDefined on the first models too: the papers print only 00 and 01 for PBT there, but 2 for QPIRI, and units were captured with it",
  },
  {
    query: QPIRI,
    key: metric.batteryType.key,
    codec: batteryTypes,
    table: () => allBatteryTypes,
    taken: ({ family, wide }) => (wide ? Object.keys(allBatteryTypes) : findFamily(family).batteryTypes),
    shape: "NN",
  },
);

const cvExplanation = "The longest time at the bulk voltage before the charger goes over to float";

const maxCvChargeTime = amountSetting(
  called(metric.maxCvChargeTime),
  {
    code: "PCVT",
    explanation: `${cvExplanation}; 0 leaves it to the unit.`,
    topic: "charging",
    level: "everyday",
    lcdProgram: 32,
    source: "notes §9.3; 0 to 900 in DMAX, DMAX2",
    papers: ["DGK", "DMK2", "DMAX", "DMAX2", "DTWIN"],
    only: ({ cvChargeTimeBy }) => cvChargeTimeBy === "QPIRI",
  },
  { query: QPIRI, key: metric.maxCvChargeTime.key, width: 3, digits: 0, values: ({ family }) => findFamily(family).cvChargeTime },
);

/** The same on models that have an inquiry of its own for it, and other values. */
const cvChargeTime = amountSetting(
  { ...called(metric.maxCvChargeTime), name: "cvChargeTime", label: "Max. C.V. charging time (Plus models)" },
  {
    code: "PCVT",
    explanation: `${cvExplanation}; 255 leaves it to the unit.`,
    topic: "charging",
    level: "everyday",
    source: "notes §9.3; D15",
    only: ({ cvChargeTimeBy }) => cvChargeTimeBy === "QCVT",
  },
  { query: QCVT, key: metric.maxCvChargeTime.key, width: 3, digits: 0, values: ({ family }) => findFamily(family).cvChargeTime },
);

const chargingStagesSetting = choiceSetting(
  called(metric.chargingStages),
  {
    code: "PCST",
    explanation: "Whether the battery is charged in two stages (bulk only) or three (bulk, then float), or as the unit sees fit.",
    topic: "charging",
    level: "everyday",
    source: "notes §9.3; D15",
    papers: ["D15"],
  },
  {
    query: QCST,
    key: metric.chargingStages.key,
    codec: chargingStages,
    table: () => Object.fromEntries(["00", "01", "02"].map((code) => [code, chargingStages.decode(code) ?? code])),
    shape: "NN",
  },
);

/** Codes after which a unit neither charges nor discharges: nobody may come back to such a battery by accident. */
const bothOff = ["010", "100"];
const controlCodes: CodeTable = Object.fromEntries(
  ["111", "011", "101", "110", "000", ...bothOff].map((code) => [code, batteryControls.decode(code) ?? code]),
);
const [CLEARED, ALLOWED] = [controlCodes["000"]!, controlCodes["111"]!];

const batteryControl = choiceSetting(
  called(metric.batteryControl),
  {
    code: "PBATCD",
    explanation:
      "Locks charging or discharging until it is cleared. With discharging off the load has no supply when sun and grid do not suffice: the unit then shuts down, or stands by.",
    topic: "battery",
    level: "expert",
    confirm: "battery lock",
    source: "notes §9.4; the meaning after DMAX and DMAX2",
    papers: ["DMK2", "DMAX", "DMAX2"],
    // DMK2 has it for the models of Phocos alone.
    only: ({ key, papers }) => key === "phocos" || papers.length === 0 || papers.includes("DMAX") || papers.includes("DMAX2"),
  },
  {
    query: QBATCD,
    key: metric.batteryControl.key,
    codec: batteryControls,
    table: () => controlCodes,
    taken: ({ wide }) => Object.keys(controlCodes).filter((code) => wide || !bothOff.includes(code)),
    shape: "abc: discharge, discharge with standby, charge",
    // Clearing brings back what was before the locks, which is both allowed.
    matches: (wanted, read) => wanted === read || (wanted === CLEARED && read === ALLOWED),
  },
);

const maxDischargeCurrent = amountSetting(
  called(metric.maxDischargeCurrent),
  {
    code: "PBATMAXDISC",
    explanation:
      "Above this current out of the battery the load goes over to the grid, or loses its supply when there is none; 0 switches the limit off.",
    topic: "battery",
    level: "expert",
    confirm: "discharge limit",
    lcdProgram: 41,
    source: "notes §9.2",
    papers: ["DMK2", "DMAX", "DMAX2"],
  },
  {
    query: QPIRI,
    key: metric.maxDischargeCurrent.key,
    width: 3,
    digits: 0,
    values: ({ family }) => findFamily(family).maxDischargeCurrent,
  },
);

const inOrder = ladder("%", 1, [
  { of: metric.batteryCutOffSoc, apart: true },
  { of: metric.batteryRechargeSoc, apart: true },
  { of: metric.batteryRedischargeSoc, apart: false },
]);

/** Where a battery tells its state of charge: the same decisions in percent. */
function levelSetting(of: Metric, min: number, max: number, declaration: Pick<Declaration, "code" | "explanation" | "confirm">): Setting {
  return amountSetting(
    called(of),
    {
      ...declaration,
      topic: "battery",
      level: "expert",
      source: "notes §9.3; DTWIN",
      papers: ["DTWIN"],
      check: (value, facts) => inOrder(of, value, facts),
    },
    { query: QDOP, key: of.key, width: 3, digits: 0, values: () => ({ kind: "range", min, max, step: 1 }) },
  );
}

export const batterySettings: readonly Setting[] = [
  batteryType,
  maxCvChargeTime,
  cvChargeTime,
  chargingStagesSetting,
  maxDischargeCurrent,
  batteryControl,
  levelSetting(metric.batteryRechargeSoc, 5, 95, {
    code: "PBCC",
    explanation: "With a battery that tells its state of charge: at this charge the load goes back to the grid.",
  }),
  levelSetting(metric.batteryRedischargeSoc, 10, 100, {
    code: "PBDC",
    explanation: "With a battery that tells its state of charge: at this charge the load goes from the grid back to the battery.",
  }),
  levelSetting(metric.batteryCutOffSoc, 0, 90, {
    code: "PSDC",
    explanation: "With a battery that tells its state of charge: at this charge the unit switches the output off when there is no grid.",
    confirm: "battery level",
  }),
];
