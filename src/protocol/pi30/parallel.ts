import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
import { decimal, field, fixedInt, flags, int, text, yesNo } from "../field.ts";
import { chargerSourcePriorities, operatingModes, outputModes } from "./choices.ts";

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
        field(metric.serialNumber, text("serial number", /^[0-9A-Za-z]{8,20}$/)),
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
        field(
          metric.unitStatus,
          flags(
            "solarChargerPresent",
            "acCharging",
            "solarCharging",
            "batteryOpen",
            "batteryUnderVoltage",
            "lineLost",
            "loadOn",
            "settingsChanged",
          ),
        ),
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
