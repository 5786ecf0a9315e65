import type { ValuesOf } from "../protocol/command.ts";
import type { QDI, QPIRI } from "../protocol/pi30/ratings.ts";

/** Ratings and settings of the simulated unit, by the names and words of QPIRI. */
export type Ratings = Required<ValuesOf<typeof QPIRI>>;

/** An 8 kW MAX with a 16-cell iron-phosphate battery, set up to live from sun and battery. */
export const max8kw: Ratings = {
  ratedGridVoltage: 230,
  ratedGridCurrent: 34.7,
  ratedOutputVoltage: 230,
  ratedOutputFrequency: 50,
  ratedOutputCurrent: 34.7,
  ratedApparentPower: 8000,
  ratedActivePower: 8000,
  ratedBatteryVoltage: 48,
  batteryRechargeVoltage: 51,
  batteryCutOffVoltage: 48,
  batteryBulkVoltage: 55.2,
  batteryFloatVoltage: 54,
  batteryType: "userDefined",
  maxAcChargeCurrent: 30,
  maxChargeCurrent: 100,
  inputVoltageRange: "appliance",
  outputSourcePriority: "sbu",
  chargerSourcePriority: "solarFirst",
  maxParallelUnits: 9,
  machineType: "offGrid",
  topology: "transformerless",
  outputMode: "single",
  batteryRedischargeVoltage: 54,
  pvOkCondition: "oneUnitWithPv",
  pvPowerBalance: "chargeAndLoad",
  maxCvChargeTime: 480,
  operationLogic: "automatic",
  maxDischargeCurrent: 0,
};

/** What differs in a 5 kW KING. */
export const king5kw: Partial<Ratings> = {
  ratedGridCurrent: 21.7,
  ratedOutputCurrent: 21.7,
  ratedApparentPower: 5000,
  ratedActivePower: 5000,
  maxAcChargeCurrent: 60,
  maxChargeCurrent: 80,
};

/** What such a unit is set to when it leaves the factory. */
export const max8kwDefaults: ValuesOf<typeof QDI> = {
  outputVoltageSetting: 230,
  outputFrequencySetting: 50,
  maxAcChargeCurrent: 30,
  batteryCutOffVoltage: 44,
  batteryFloatVoltage: 54,
  batteryBulkVoltage: 56.4,
  batteryRechargeVoltage: 46,
  maxChargeCurrent: 60,
  inputVoltageRange: "appliance",
  outputSourcePriority: "utilityFirst",
  chargerSourcePriority: "solarAndUtility",
  batteryType: "agm",
  buzzerSilenced: false,
  powerSaving: false,
  overloadRestart: false,
  overTemperatureRestart: false,
  lcdBacklight: true,
  sourceInterruptAlarm: true,
  faultCodeRecord: true,
  overloadBypass: false,
  lcdReturnToDefault: true,
  outputMode: "single",
  batteryRedischargeVoltage: 54,
  pvOkCondition: "oneUnitWithPv",
  pvPowerBalance: "chargeAndLoad",
  maxCvChargeTime: 0,
  maxDischargeCurrent: 0,
};

export const options = {
  enabled: ["overloadBypass", "lcdReturnToDefault", "overloadRestart", "faultCodeRecord"],
  disabled: ["buzzer", "powerSaving", "overTemperatureRestart", "lcdBacklight", "sourceInterruptAlarm"],
} as const;

/** A, steps a MAX offers. */
export const selectableChargeCurrents = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120] as const;
export const selectableAcChargeCurrents = [2, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120] as const;
