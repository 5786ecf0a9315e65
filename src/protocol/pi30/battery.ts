import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
import { choice, decimal, field, int, noYes, steps, unexplained, yesNo } from "../field.ts";
import { batteryTypesOfTwoDigits, chargingStages } from "./choices.ts";

/** Fields of QBEQI; a Phocos unit sends them behind those of Q1 as well. `first`: the number of the first one. */
export const equalizationFields = (first: 0 | 17) =>
  [
    field(metric.equalizationEnabled, yesNo),
    field(metric.equalizationTime, int(3)),
    field(metric.equalizationPeriod, int(3)),
    field(metric.equalizationMaxCurrent, int(3)),
    // Likely the days until the next equalization, and at the other place the C.V. charging time; no PI30 paper says so.
    unexplained(first === 0 ? 4 : 21),
    field(metric.equalizationVoltage, decimal(5, 2)),
    unexplained(first === 0 ? 6 : 23),
    field(metric.equalizationTimeout, int(3)),
    field(metric.equalizationActive, yesNo),
    field(metric.equalizationElapsed, int(4)),
  ] as const;

export const QBEQI = query("QBEQI", {
  title: "Equalization",
  source: "notes §8.16",
  cadence: "slow",
  layouts: [layout([10, 10], equalizationFields(0))],
});

/** What the battery's own management tells. MAX units may answer with a bare ACK, and one paper has 13 fields it does not explain. */
export const QBMS = query("QBMS", {
  title: "Battery management",
  source: "notes §8.20; 10 fields, 13 in DMK2 unexplained",
  cadence: "medium",
  layouts: [
    layout(
      [10, 10],
      [
        field(metric.bmsConnected, noYes),
        field(metric.bmsSoc, int(3)),
        field(metric.bmsForcesAcCharging, yesNo),
        field(metric.bmsStopsDischarging, yesNo),
        field(metric.bmsStopsCharging, yesNo),
        field(metric.bmsChargeVoltage, steps(3, 0.1, "V")),
        field(metric.bmsFloatVoltage, steps(3, 0.1, "V")),
        field(metric.bmsCutOffVoltage, steps(3, 0.1, "V")),
        field(metric.bmsMaxChargeCurrent, int(4)),
        field(metric.bmsMaxDischargeCurrent, int(4)),
      ],
    ),
    layout([13, 13], [], { index: 0, matches: /^\d{4}$/ }, { index: 1, matches: /^\d{3}$/ }, { index: 2, matches: /^\d$/ }),
  ],
});

/** Three digits: discharge wholly, discharge with standby, charge; source: notes §8.21 and §9.4. */
export const batteryControls = choice({
  allowed: "111",
  dischargeOffShutdown: "011",
  dischargeOffStandby: "101",
  chargeOff: "110",
  bothOffShutdown: "010",
  bothOffStandby: "100",
  cleared: "000",
});

export const QBATCD = query("QBATCD", {
  title: "Charging and discharging allowed",
  source: "notes §8.21, §9.4",
  cadence: "slow",
  shape: "numbers",
  layouts: [layout([1, 1], [field(metric.batteryControl, batteryControls)])],
});

export const QCST = query("QCST", {
  title: "Charging stages",
  source: "notes §8.15; D15",
  cadence: "slow",
  shape: "twoDigits",
  layouts: [layout([1, 1], [field(metric.chargingStages, chargingStages)])],
});

/** 255 stands for automatic. */
export const QCVT = query("QCVT", {
  title: "Max. C.V. charging time",
  source: "notes §8.15; D15",
  cadence: "slow",
  shape: "numbers",
  layouts: [layout([1, 1], [field(metric.maxCvChargeTime, int(3))])],
});

/** The payload ends with a space. */
export const QBV = query("QBV", {
  title: "Battery voltage and SoC",
  source: "notes §8.25; VMII-4000",
  cadence: "onDemand",
  layouts: [layout([2, 2], [field(metric.batteryVoltage, decimal(4, 1)), field(metric.batterySoc, int(3))])],
});

export const QBT = query("QBT", {
  title: "Battery type",
  source: "notes §8.25; VMII-4000",
  cadence: "onDemand",
  shape: "twoDigits",
  layouts: [layout([1, 1], [field(metric.batteryType, batteryTypesOfTwoDigits)])],
});
