import { metric, type Metric } from "../../../model/metric.ts";
import type { Allowed } from "../../../model/setting.ts";
import { numberOf, type NotOffered, type Setting, type UnitFacts } from "../../setting.ts";
import { QBEQI } from "../battery.ts";
import { findFamily } from "../families.ts";
import type { BatteryClass, Paper, VoltageSheet } from "../family.ts";
import { widestVoltages } from "../family-list.ts";
import { QPIRI } from "../ratings.ts";
import { ladder } from "./ladder.ts";
import { amountSetting, called, locked, type Declaration } from "./kinds.ts";

const inOrder = ladder("V", 0.1, [
  { of: metric.batteryCutOffVoltage, apart: true },
  { of: metric.batteryRechargeVoltage, apart: true },
  { of: metric.batteryRedischargeVoltage, apart: false },
  { of: metric.batteryFloatVoltage, apart: false },
  { of: metric.batteryBulkVoltage, apart: false },
]);

/** The range for this unit's battery. */
export function voltageRange(of: keyof VoltageSheet, { family, values, wide }: UnitFacts): Allowed | NotOffered {
  const rated = numberOf(values, metric.ratedBatteryVoltage.key);
  const sheet = wide ? widestVoltages : findFamily(family).voltages;
  const range = sheet[of][rated as BatteryClass];
  if (range !== undefined) return range;
  return locked(
    rated === undefined ? "the unit does not tell its battery's rated voltage" : `no range is known for a battery of ${rated} V`,
  );
}

/** Where the battery type brings its own voltages, the unit takes no others. */
function setByType({ values }: UnitFacts): NotOffered | undefined {
  const type = values[metric.batteryType.key];
  if (typeof type !== "string" || type === "userDefined" || type.startsWith("unknown:")) return undefined;
  return locked(`the battery type is ${type}, which brings its own voltage: only with the type userDefined can another be set`);
}

function voltageSetting(of: Metric, range: keyof VoltageSheet, declaration: Omit<Declaration, "topic" | "level" | "check">): Setting {
  return amountSetting(
    called(of),
    { ...declaration, topic: "battery", level: "expert", check: (value, facts) => inOrder(of, value, facts) },
    { query: QPIRI, key: of.key, width: 4, digits: 1, values: (facts) => voltageRange(range, facts) },
  );
}

const recharge = voltageSetting(metric.batteryRechargeVoltage, "recharge", {
  code: "PBCV",
  explanation: "With priority SBU or solar first: at this battery voltage the load goes back to the grid.",
  lcdProgram: 12,
  source: "notes §9.3",
});

const redischarge = voltageSetting(metric.batteryRedischargeVoltage, "redischarge", {
  code: "PBDV",
  explanation:
    "With priority SBU or solar first: at this battery voltage the load goes from the grid back to the battery; 0 waits until it is full.",
  lcdProgram: 13,
  source: "notes §9.3",
});

const cutOff = voltageSetting(metric.batteryCutOffVoltage, "cutOff", {
  code: "PSDV",
  explanation: "At this battery voltage the unit switches the output off when there is no grid. Too low, and the battery is ruined.",
  confirm: "battery voltage",
  lcdProgram: 29,
  source: "notes §9.3",
  locked: setByType,
});

const bulk = voltageSetting(metric.batteryBulkVoltage, "charge", {
  code: "PCVV",
  explanation: "The battery is charged up to this voltage (constant-voltage stage). Too high for the battery, and it is ruined or burns.",
  confirm: "battery voltage",
  lcdProgram: 26,
  source: "notes §9.3",
  locked: setByType,
});

const float = voltageSetting(metric.batteryFloatVoltage, "charge", {
  code: "PBFT",
  explanation: "A full battery is kept at this voltage.",
  confirm: "battery voltage",
  lcdProgram: 27,
  source: "notes §9.3",
  locked: setByType,
});

/** A charge as strong as this ruins every other battery. */
export function equalizable({ values }: UnitFacts): NotOffered | undefined {
  const type = values[metric.batteryType.key];
  if (typeof type !== "string" || type === "userDefined" || type === "flooded" || type.startsWith("unknown:")) return undefined;
  return locked(`the battery type is ${type}: only a flooded or a user-defined battery is equalized`);
}

/** The papers that know equalization. */
export const equalizationPapers: readonly Paper[] = ["DGK", "DMK2", "DMAX", "DMAX2", "DTWIN"];

/** Above bulk by its nature, but never below it; the two come from different answers. */
const equalization = amountSetting(
  called(metric.equalizationVoltage),
  {
    code: "PBEQV",
    explanation: "The voltage of an equalization: a strong charge that only flooded lead batteries may get. Never for lithium.",
    topic: "equalization",
    level: "expert",
    confirm: "battery voltage",
    lcdProgram: 31,
    source: "notes §9.3",
    papers: equalizationPapers,
    needs: [QPIRI],
    locked: equalizable,
    check(value, { values }) {
      const floatVoltage = numberOf(values, metric.batteryFloatVoltage.key);
      const present = numberOf(values, metric.equalizationVoltage.key);
      if (typeof value !== "number" || floatVoltage === undefined || value >= floatVoltage) return undefined;
      if (present !== undefined && value >= present) return undefined;
      return `${value} V would not be right: the equalization voltage has to be not below the float charging voltage, which is ${floatVoltage} V`;
    },
  },
  {
    query: QBEQI,
    key: metric.equalizationVoltage.key,
    width: 5,
    digits: 2,
    values: (facts) => voltageRange("equalization", facts),
  },
);

export const voltageSettings: readonly Setting[] = [recharge, redischarge, cutOff, bulk, float, equalization];
