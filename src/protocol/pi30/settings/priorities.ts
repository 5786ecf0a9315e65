import { metric } from "../../../model/metric.ts";
import type { Setting, UnitFacts } from "../../setting.ts";
import { numberOf } from "../../setting.ts";
import type { Codec } from "../../field.ts";
import {
  chargerSourcePriorities,
  countryRegulations,
  inputVoltageRanges,
  operationLogics,
  outputModes,
  outputSourcePriorities,
  pvOkConditions,
  pvPowerBalances,
} from "../choices.ts";
import { findFamily } from "../families.ts";
import type { CodeTable } from "../family.ts";
import { QPGSn } from "../parallel.ts";
import { QPIRI } from "../ratings.ts";
import { QMOD, QPIGS } from "../status.ts";
import { isLowVoltage } from "./output.ts";
import { called, choiceSetting, lacking, locked, type Choice } from "./kinds.ts";

const gridIsThere = (values: UnitFacts["values"]): boolean => (numberOf(values, metric.gridVoltage.key) ?? 0) > 80;

/** Two digits, the same word on every make. */
function alike(codec: Codec<string>, codes: readonly string[]): CodeTable {
  return Object.fromEntries(codes.map((code) => [code, codec.decode(code.slice(-1)) ?? codec.decode(code) ?? code]));
}

const outputSourcePriority = choiceSetting(
  called(metric.outputSourcePriority),
  {
    code: "POP",
    explanation:
      "What feeds the load first. Utility first: the grid, battery only when it fails. Solar first: sun, then grid. SBU: sun, then battery, the grid only when the battery is low.",
    topic: "output",
    level: "everyday",
    lcdProgram: 1,
    source: "notes §9.1",
    effect: {
      queries: [QMOD, QPIGS],
      seen(values, value) {
        const mode = values[metric.operatingMode.key];
        if (mode !== "battery" && mode !== "line") return undefined;
        if (value === "sbu") return mode === "battery";
        return value === "utilityFirst" && gridIsThere(values) ? mode === "line" : undefined;
      },
      describe: (value) =>
        value === "sbu"
          ? "the unit feeds the load from sun and battery (if the battery is full enough)"
          : "the unit feeds the load from the grid",
    },
  },
  {
    query: QPIRI,
    key: metric.outputSourcePriority.key,
    codec: outputSourcePriorities,
    table: ({ family }) => findFamily(family).outputPriorities,
    shape: "NN",
  },
);

const chargerTable: Pick<Choice, "codec" | "table" | "taken"> = {
  codec: chargerSourcePriorities,
  table: ({ family }) => findFamily(family).chargerPriorities,
  taken: ({ family }) => {
    const { chargerPriorities, chargerPrioritiesTaken } = findFamily(family);
    return chargerPrioritiesTaken ?? Object.keys(chargerPriorities);
  },
};

const chargerSourcePriority = choiceSetting(
  called(metric.chargerSourcePriority),
  {
    code: "PCP",
    explanation:
      "What charges the battery. Solar first: the grid only without sun. Solar and utility: both together. Only solar: never the grid. A KING says in its own words whether the sun serves battery or load first, and whether the grid may charge.",
    topic: "charging",
    level: "everyday",
    lcdProgram: 16,
    source: "notes §9.1, §7; the meaning of the codes is the family's",
    effect: {
      queries: [QPIGS],
      seen(values, value) {
        if (value !== "onlySolar" && value !== "batteryFirstOnlySolar" && value !== "loadFirstOnlySolar") return undefined;
        const status = values[metric.deviceStatus.key];
        if (!Array.isArray(status) || !status.includes("charging")) return undefined;
        return !status.includes("acCharging");
      },
      describe: () => "the battery is charged by the sun alone",
    },
  },
  { query: QPIRI, key: metric.chargerSourcePriority.key, shape: "NN", ...chargerTable },
);

/** Several units on one cable: the command names the unit. */
const unitChargerSourcePriority = choiceSetting(
  { name: "unitChargerSourcePriority", label: "Charger source priority of this unit in a parallel system" },
  {
    code: "PPCP",
    explanation: "As the charger source priority, for one unit of several that work in parallel; set over the cable of any of them.",
    topic: "parallel",
    level: "everyday",
    source: "notes §9.1",
    papers: ["D14", "D4K", "D15", "DMK2", "DMAX", "DMAX2", "DTWIN"],
    locked: ({ values }) =>
      values[metric.outputMode.key] === "single" ? lacking("the unit works alone: set its charger source priority instead") : undefined,
  },
  {
    query: QPGSn,
    key: metric.chargerSourcePriority.key,
    shape: "mNN",
    command: (argument, { unit }) => `PPCP${unit}${argument}`,
    ...chargerTable,
  },
);

const inputVoltageRange = choiceSetting(
  called(metric.inputVoltageRange),
  {
    code: "PGR",
    explanation:
      "Which grid voltages the unit takes. Appliance: a wide range, for household appliances and generators. UPS: a narrow range and quick switching, for computers.",
    topic: "output",
    level: "everyday",
    lcdProgram: 3,
    source: "notes §9.1",
  },
  {
    query: QPIRI,
    key: metric.inputVoltageRange.key,
    codec: inputVoltageRanges,
    table: () => alike(inputVoltageRanges, ["00", "01"]),
    shape: "NN",
  },
);

const operationLogic = choiceSetting(
  called(metric.operationLogic),
  {
    code: "POPLG",
    explanation:
      "How a KING treats the grid. Automatic: as it sees fit. On-line: always through the inverter. ECO: straight from the grid while it is good.",
    topic: "output",
    level: "everyday",
    source: "notes §9.1",
    // The papers name it for the KING alone.
    only: ({ key, papers }) => key === "king" || papers.length === 0,
  },
  {
    query: QPIRI,
    key: metric.operationLogic.key,
    codec: operationLogics,
    table: () => alike(operationLogics, ["00", "01", "02"]),
    shape: "NN",
  },
);

const outputMode = choiceSetting(
  called(metric.outputMode),
  {
    code: "POPM",
    explanation:
      "Whether the unit works alone, in parallel or as one phase of several. A wrong mode on connected units destroys them: all units have to be off the load, and wired for it.",
    topic: "parallel",
    level: "expert",
    confirm: "output mode",
    lcdProgram: 28,
    ofOneUnit: true,
    source: "notes §9.1",
    locked: ({ values, family, unit }) => {
      const most = numberOf(values, metric.maxParallelUnits.key);
      if (most === undefined || most <= 1) return lacking("the unit cannot work together with others");
      // One paper puts the number of the unit in front: only for unit 0 are both readings the same bytes.
      return unit > 0 && findFamily(family).papers.length === 0
        ? locked("on a model that is not known, only the first unit's mode can be set without doubt: set it at the unit")
        : undefined;
    },
  },
  {
    query: QPIRI,
    key: metric.outputMode.key,
    codec: outputModes,
    table: () => alike(outputModes, ["00", "01", "02", "03", "04", "05", "06", "07"]),
    taken: ({ values }) => (isLowVoltage(values) ? ["00", "01", "02", "03", "04", "05", "06", "07"] : ["00", "01", "02", "03", "04"]),
    shape: "NN, or mN on the first models",
    command: (argument, { family, unit }) =>
      findFamily(family).outputModeForm === "mN" ? `POPM${unit}${argument.slice(-1)}` : `POPM${argument}`,
  },
);

const pvOkCondition = choiceSetting(
  called(metric.pvOkCondition),
  {
    code: "PPVOKC",
    explanation: "When a parallel system takes the sun for present: when one unit has PV, or only when all have.",
    topic: "parallel",
    level: "everyday",
    source: "notes §9.1",
    papers: ["D14", "D4K", "D15", "DGK", "DMK2", "DTWIN"],
  },
  {
    query: QPIRI,
    key: metric.pvOkCondition.key,
    codec: pvOkConditions,
    table: () => alike(pvOkConditions, ["0", "1"]),
    shape: "N",
  },
);

const pvPowerBalance = choiceSetting(
  called(metric.pvPowerBalance),
  {
    code: "PSPB",
    explanation: "How much power is taken from the sun: no more than the charge current allows, or that and the load together.",
    topic: "charging",
    level: "everyday",
    source: "notes §9.1",
    papers: ["D14", "D4K", "D15", "DGK", "DMK2", "DTWIN"],
  },
  {
    query: QPIRI,
    key: metric.pvPowerBalance.key,
    codec: pvPowerBalances,
    table: () => alike(pvPowerBalances, ["0", "1"]),
    shape: "N",
  },
);

const countryRegulation = choiceSetting(
  called(metric.countryRegulation),
  {
    code: "SRS",
    explanation: "The rules by which a unit that feeds into the grid parts from it. It has to be the one of your grid's operator.",
    topic: "output",
    level: "expert",
    confirm: "grid regulation",
    source: "notes §9.1",
    papers: ["DMK2", "DTWIN"],
  },
  {
    query: QPIGS,
    key: metric.countryRegulation.key,
    codec: countryRegulations,
    table: () => alike(countryRegulations, ["00", "01", "02"]),
    shape: "NN",
  },
);

export const prioritySettings: readonly Setting[] = [
  outputSourcePriority,
  chargerSourcePriority,
  unitChargerSourcePriority,
  inputVoltageRange,
  operationLogic,
  outputMode,
  pvOkCondition,
  pvPowerBalance,
  countryRegulation,
];
