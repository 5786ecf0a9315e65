import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
import { choice, decimal, field, fixedInt, int, yesNo, type Codec } from "../field.ts";
import {
  batteryTypes,
  chargerSourcePriorities,
  inputVoltageRanges,
  machineTypes,
  operationLogics,
  outputModes,
  outputModesOfAnyWidth,
  outputSourcePriorities,
  pvOkConditions,
  pvPowerBalances,
  topologies,
} from "./choices.ts";

/** Fields 0 to 24, the same in every document; the shortest reply worth taking has 23. */
const common = [
  field(metric.ratedGridVoltage, decimal(5, 1)),
  field(metric.ratedGridCurrent, decimal(4, 1)),
  field(metric.ratedOutputVoltage, decimal(5, 1)),
  field(metric.ratedOutputFrequency, decimal(4, 1)),
  field(metric.ratedOutputCurrent, decimal(4, 1)),
  field(metric.ratedApparentPower, int(4)),
  field(metric.ratedActivePower, int(4)),
  field(metric.ratedBatteryVoltage, decimal(4, 1)),
  field(metric.batteryRechargeVoltage, decimal(4, 1)),
  field(metric.batteryCutOffVoltage, decimal(4, 1)),
  field(metric.batteryBulkVoltage, decimal(4, 1)),
  field(metric.batteryFloatVoltage, decimal(4, 1)),
  field(metric.batteryType, batteryTypes),
  field(metric.maxAcChargeCurrent, int(2)),
  field(metric.maxChargeCurrent, int(3)),
  field(metric.inputVoltageRange, inputVoltageRanges),
  field(metric.outputSourcePriority, outputSourcePriorities),
  field(metric.chargerSourcePriority, chargerSourcePriorities),
  field(metric.maxParallelUnits, int(1), { absent: "-" }),
  field(metric.machineType, machineTypes),
  field(metric.topology, topologies),
  field(metric.outputMode, outputModesOfAnyWidth),
  field(metric.batteryRedischargeVoltage, decimal(4, 1)),
  field(metric.pvOkCondition, pvOkConditions),
  field(metric.pvPowerBalance, pvPowerBalances),
] as const;

/**
 * An older unit sends the C.V. time with two digits. Only such as cannot well be a longer number that lost its last digit
 * with a zero byte of the checksum.
 */
const twoDigitMinutes: Codec<number> = {
  shape: "NN, 40 or more in steps of 5",
  decode: (raw) => (/^[4-9][05]$/.test(raw) ? Number(raw) : undefined),
  encode: String,
};

export const QPIRI = query("QPIRI", {
  title: "Ratings and current settings",
  source: "notes §8.6; 25 to 29 fields",
  cadence: "slow",
  everywhere: true,
  layouts: [
    // Fronus, PowMr and VM clones put voltages of unknown meaning behind field 24: they stay in the tail.
    layout([26, Infinity], common, { index: 25, matches: /\./ }),
    layout(
      [23, Infinity],
      [
        ...common,
        [field(metric.maxCvChargeTime, int(3)), field(metric.maxCvChargeTime, twoDigitMinutes)],
        field(metric.operationLogic, operationLogics),
        field(metric.maxDischargeCurrent, int(3)),
      ],
    ),
  ],
});

const defaults = [
  field(metric.outputVoltageSetting, decimal(5, 1)),
  field(metric.outputFrequencySetting, decimal(4, 1)),
  field(metric.maxAcChargeCurrent, int(4)),
  field(metric.batteryCutOffVoltage, decimal(4, 1)),
  field(metric.batteryFloatVoltage, decimal(4, 1)),
  field(metric.batteryBulkVoltage, decimal(4, 1)),
  field(metric.batteryRechargeVoltage, decimal(4, 1)),
  field(metric.maxChargeCurrent, int(2)),
  field(metric.inputVoltageRange, inputVoltageRanges),
  field(metric.outputSourcePriority, outputSourcePriorities),
  field(metric.chargerSourcePriority, chargerSourcePriorities),
  field(metric.batteryType, batteryTypes),
  // The wire says 0 for "buzzer enabled".
  field(metric.buzzerSilenced, yesNo),
  field(metric.powerSaving, yesNo),
  field(metric.overloadRestart, yesNo),
  field(metric.overTemperatureRestart, yesNo),
  field(metric.lcdBacklight, yesNo),
  field(metric.sourceInterruptAlarm, yesNo),
  field(metric.faultCodeRecord, yesNo),
  field(metric.overloadBypass, yesNo),
  field(metric.lcdReturnToDefault, yesNo),
  field(metric.outputMode, outputModes),
  field(metric.batteryRedischargeVoltage, decimal(4, 1)),
  field(metric.pvOkCondition, pvOkConditions),
  field(metric.pvPowerBalance, pvPowerBalances),
] as const;

/** The factory defaults, not what is set now (that is QPIRI). */
export const QDI = query("QDI", {
  title: "Factory defaults",
  source: "notes §8.13; 25, 26, 27 fields, 29 in D15",
  cadence: "once",
  layouts: [
    layout(
      [29, Infinity],
      [
        ...defaults,
        field(metric.chargingStages, choice({ automatic: "0", twoStage: "1", threeStage: "2" })),
        field(metric.dataLogPopUp, yesNo),
        field(metric.maxSolarChargeCurrent, int(3)),
        field(metric.maxCvChargeTime, int(3)),
      ],
    ),
    layout(
      [25, 28],
      [
        ...defaults,
        field(metric.maxCvChargeTime, int(3)),
        // One digit is the operation logic (DGK, DMK2, DTWIN), three are the discharge limit (DMAX, DMAX2).
        [field(metric.operationLogic, operationLogics), field(metric.maxDischargeCurrent, fixedInt(3))],
      ],
    ),
  ],
});
