import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
import { decimal, field, fixedInt, flags, int, text, yesNo, type Codec } from "../field.ts";
import { chargerSourcePriorities, operatingModes, outputModes } from "./choices.ts";

/** b7 to b0. */
export const unitStatuses = flags(
  "solarChargerPresent",
  "acCharging",
  "solarCharging",
  "batteryOpen",
  "batteryUnderVoltage",
  "lineLost",
  "loadOn",
  "settingsChanged",
);

const serialNumbers = text("serial number", /^[0-9A-Za-z]{8,20}$/);

/** One digit, or two of which PI41 units send `11`: anything but zero means that the unit is there. */
const presence: Codec<boolean> = {
  shape: "0 no · 1 yes",
  decode: (raw) => (/^[01]{1,2}$/.test(raw) ? raw.includes("1") : undefined),
  encode: (there) => yesNo.encode(there),
};

/**
 * One unit of a parallel system. A single MAX answers "exists: no" with valid data; the record of a unit that is not
 * there has a serial number of zeros.
 */
export const QPGSn = query("QPGSn", {
  title: "Parallel unit",
  source: "notes §8.10; 27 fields, 29 with a second PV input",
  cadence: "medium",
  layouts: [
    layout(
      [27, Infinity],
      [
        field(metric.unitExists, yesNo),
        field(metric.serialNumber, serialNumbers),
        field(metric.operatingMode, operatingModes),
        field(metric.faultCode, text("NN", /^\d{2}$/)),
        field(metric.gridVoltage, decimal(5, 1)),
        field(metric.gridFrequency, decimal(5, 2)),
        field(metric.outputVoltage, decimal(5, 1)),
        field(metric.outputFrequency, decimal(5, 2)),
        field(metric.loadApparentPower, int(4)),
        field(metric.loadActivePower, int(4)),
        field(metric.loadPercent, int(3)),
        field(metric.batteryVoltage, decimal(4, 1)),
        field(metric.batteryChargeCurrent, int(3)),
        field(metric.batterySoc, int(3)),
        field(metric.pv1Voltage, decimal(5, 1)),
        field(metric.totalChargeCurrent, int(3)),
        field(metric.totalLoadApparentPower, int(5)),
        field(metric.totalLoadActivePower, int(5)),
        field(metric.totalLoadPercent, int(3)),
        field(metric.unitStatus, unitStatuses),
        field(metric.outputMode, outputModes),
        field(metric.chargerSourcePriority, chargerSourcePriorities),
        field(metric.maxChargeCurrent, int(3)),
        field(metric.maxChargeCurrentLimit, int(3)),
        field(metric.maxAcChargeCurrent, int(2)),
        field(metric.pv1Current, int(2)),
        field(metric.batteryDischargeCurrent, int(3)),
        field(metric.pv2Voltage, decimal(5, 1)),
        field(metric.pv2Current, fixedInt(2)),
      ],
    ),
  ],
});

export const QP2GSn = query("QP2GSn", {
  title: "Parallel unit, further solar chargers or second phase",
  source: "notes §8.10; 9 fields in D15, 17 in PI41",
  cadence: "medium",
  layouts: [
    layout(
      [9, 9],
      [
        field(metric.unitExists, yesNo),
        field(metric.pv1Power, int(5)),
        field(metric.pv2Voltage, decimal(5, 1)),
        field(metric.pv2Current, int(4)),
        field(metric.pv2Power, int(5)),
        field(metric.pv3Voltage, decimal(5, 1)),
        field(metric.pv3Current, int(4)),
        field(metric.pv3Power, int(5)),
        field(metric.solarChargerStatus, flags("scc2Present", "scc2Charging", "scc3Present", "scc3Charging", "b3", "b2", "b1", "b0")),
      ],
    ),
    layout(
      [17, 17],
      [
        field(metric.unitExists, presence),
        field(metric.serialNumber, serialNumbers),
        field(metric.l2OperatingMode, operatingModes),
        field(metric.l2FaultCode, text("NN", /^\d{2}$/)),
        field(metric.l2GridVoltage, decimal(5, 1)),
        field(metric.l2GridFrequency, decimal(5, 2)),
        field(metric.l2OutputVoltage, decimal(5, 1)),
        field(metric.l2OutputFrequency, decimal(5, 2)),
        field(metric.l2LoadApparentPower, int(4)),
        field(metric.l2LoadActivePower, int(4)),
        field(metric.l2LoadPercent, int(3)),
        field(metric.l2BatteryVoltage, decimal(4, 1)),
        field(metric.l2BatteryChargeCurrent, int(3)),
        field(metric.l2BatterySoc, int(3)),
        field(metric.pv2Voltage, decimal(5, 1)),
        field(metric.pv2Current, int(2)),
        field(
          metric.l2Status,
          flags("scc2Present", "acCharging", "scc2Charging", "batteryOpen", "batteryUnderVoltage", "lineLost", "loadOn", "settingsChanged"),
        ),
      ],
    ),
  ],
});

export const Q2PGSn = query("Q2PGSn", {
  title: "Parallel unit that feeds the grid",
  source: "notes §8.10; DMK2, struck through there; model 025",
  cadence: "onDemand",
  layouts: [
    layout(
      [4, 4],
      [
        field(metric.unitExists, yesNo),
        field(metric.pvPower, int(4)),
        field(metric.solarFeedToGrid, yesNo),
        field(metric.solarFeedPower, fixedInt(4)),
      ],
    ),
  ],
});
