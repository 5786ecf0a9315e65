import type { Values } from "../model/reading.ts";
import { chargerSourcePriorities, outputSourcePriorities } from "../protocol/pi30/choices.ts";
import { numberOf } from "../protocol/setting.ts";
import type { ChargerPriority, OutputPriority, Profile } from "./profile.ts";

/** What the physics goes by: ratings and settings of the unit, by the names of QPIRI, with what the unit makes of its priorities. */
export interface Ratings {
  readonly ratedOutputVoltage: number;
  readonly ratedOutputFrequency: number;
  readonly ratedApparentPower: number;
  readonly ratedActivePower: number;
  readonly ratedBatteryVoltage: number;
  readonly batteryRechargeVoltage: number;
  readonly batteryCutOffVoltage: number;
  readonly batteryBulkVoltage: number;
  readonly batteryFloatVoltage: number;
  /** 0: when full. */
  readonly batteryRedischargeVoltage: number;
  readonly maxAcChargeCurrent: number;
  readonly maxChargeCurrent: number;
  /** A; 0 without a limit. */
  readonly maxDischargeCurrent: number;
  /** min; 0 automatic. */
  readonly maxCvChargeTime: number;
  readonly inputVoltageRange: "appliance" | "ups";
  readonly outputSourcePriority: OutputPriority;
  readonly chargerSourcePriority: ChargerPriority;
  /** Whether the battery may be charged and discharged. */
  readonly charges: boolean;
  readonly discharges: boolean;
}

/** An 8 kW unit with a 16-cell iron-phosphate battery, set up to live from sun and battery. */
export const plainRatings: Ratings = {
  ratedOutputVoltage: 230,
  ratedOutputFrequency: 50,
  ratedApparentPower: 8000,
  ratedActivePower: 8000,
  ratedBatteryVoltage: 48,
  batteryRechargeVoltage: 51,
  batteryCutOffVoltage: 48,
  batteryBulkVoltage: 55.2,
  batteryFloatVoltage: 54,
  batteryRedischargeVoltage: 54,
  maxAcChargeCurrent: 30,
  maxChargeCurrent: 100,
  maxDischargeCurrent: 0,
  maxCvChargeTime: 480,
  inputVoltageRange: "appliance",
  outputSourcePriority: "sbu",
  chargerSourcePriority: "solarFirst",
  charges: true,
  discharges: true,
};

const usualOutput: Readonly<Record<string, OutputPriority>> = { "0": "utilityFirst", "1": "solarFirst", "2": "sbu" };
const usualCharger: Readonly<Record<string, ChargerPriority>> = {
  "0": "utilityFirst",
  "1": "solarFirst",
  "2": "solarAndUtility",
  "3": "onlySolar",
};

/** What the unit lives by when it shows these values in QPIRI and these three digits in QBATCD. */
export function ratingsOf(profile: Profile, shown: Values, locks = "000"): Ratings {
  const amount = (name: Exclude<keyof Ratings, "charges" | "discharges">): number => numberOf(shown, name) ?? 0;
  const code = (codec: { encode(word: never): string }, word: unknown): string => codec.encode(word as never);
  const outputs = profile.outputPriorities ?? usualOutput;
  const chargers = profile.chargerPriorities ?? usualCharger;
  return {
    ratedOutputVoltage: amount("ratedOutputVoltage"),
    ratedOutputFrequency: amount("ratedOutputFrequency"),
    ratedApparentPower: amount("ratedApparentPower"),
    ratedActivePower: amount("ratedActivePower"),
    ratedBatteryVoltage: amount("ratedBatteryVoltage"),
    batteryRechargeVoltage: amount("batteryRechargeVoltage"),
    batteryCutOffVoltage: amount("batteryCutOffVoltage"),
    batteryBulkVoltage: amount("batteryBulkVoltage"),
    batteryFloatVoltage: amount("batteryFloatVoltage"),
    batteryRedischargeVoltage: amount("batteryRedischargeVoltage"),
    maxAcChargeCurrent: amount("maxAcChargeCurrent"),
    maxChargeCurrent: amount("maxChargeCurrent"),
    maxDischargeCurrent: amount("maxDischargeCurrent"),
    maxCvChargeTime: amount("maxCvChargeTime"),
    inputVoltageRange: shown["inputVoltageRange"] === "ups" ? "ups" : "appliance",
    outputSourcePriority: outputs[code(outputSourcePriorities, shown["outputSourcePriority"])] ?? "utilityFirst",
    chargerSourcePriority: chargers[code(chargerSourcePriorities, shown["chargerSourcePriority"])] ?? "solarAndUtility",
    // 000 clears the locks; else the second digit is for discharging and the third for charging (notes §9.4).
    charges: locks === "000" || locks[2] === "1",
    discharges: locks === "000" || locks.startsWith("11"),
  };
}
