import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
import { decimal, field, flags, int, steps, text, unexplained, yesNo } from "../field.ts";
import { countryRegulations, operatingModes } from "./choices.ts";
import { revoSigns } from "./revo.ts";

/** Field 16 of QPIGS, b7 first, after the papers of most models; what b7 and b3 are elsewhere, the words of a family tell. */
export const deviceStatuses = flags(
  "sbuPriorityAdded",
  "settingsChanged",
  "solarChargerFirmwareUpdated",
  "loadOn",
  "batterySteady",
  "charging",
  "solarCharging",
  "acCharging",
);

/** Field 16 of a Revo, of which the last three are used. */
export const revoStatuses = flags("b7", "b6", "b5", "b4", "b3", "charging", "solarCharging", "acCharging");

const revoFields = [
  field(metric.gridVoltage, decimal(5, 1)),
  field(metric.gridFrequency, decimal(4, 1)),
  field(metric.outputVoltage, decimal(5, 1)),
  field(metric.outputFrequency, decimal(4, 1)),
  unexplained(4),
  field(metric.loadActivePower, int(4)),
  field(metric.loadPercent, int(3)),
  field(metric.busVoltage, int(3)),
  field(metric.batteryVoltage, decimal(5, 2)),
  field(metric.batteryChargeCurrent, int(3)),
  field(metric.batterySoc, int(3)),
  [field(metric.heatSinkTemperature, int(4)), field(metric.heatSinkRaw, int(4))],
  field(metric.pv1Power, int(4)),
  field(metric.pv1Voltage, decimal(5, 1)),
  unexplained(14),
  field(metric.pvEnergyOfDay, int(5)),
  field(metric.deviceStatus, revoStatuses),
  unexplained(17),
  unexplained(18),
  unexplained(19),
  unexplained(20),
] as const;

export const QPIGS = query("QPIGS", {
  title: "General status",
  source: "D14 to DMAX2, notes §8.8; 17, 21, 24 and 25 fields, power of five digits above 9999 VA; Revo §13.2",
  cadence: "fast",
  everywhere: true,
  layouts: [
    ...revoSigns.map((sign) => layout([21, 21], revoFields, ...sign)),
    {
      lengths: [17, 21, 24, 25],
      ...layout(
        [16, Infinity],
        [
          field(metric.gridVoltage, decimal(5, 1)),
          field(metric.gridFrequency, decimal(4, 1)),
          field(metric.outputVoltage, decimal(5, 1)),
          field(metric.outputFrequency, decimal(4, 1)),
          field(metric.loadApparentPower, int(4)),
          field(metric.loadActivePower, int(4)),
          field(metric.loadPercent, int(3)),
          field(metric.busVoltage, int(3)),
          field(metric.batteryVoltage, decimal(5, 2)),
          field(metric.batteryChargeCurrent, int(3)),
          field(metric.batterySoc, int(3)),
          // 1–3 kVA units send the raw A/D value, e.g. 0620, in place of degrees.
          [field(metric.heatSinkTemperature, int(4)), field(metric.heatSinkRaw, int(4))],
          // Without a point it is the current into the battery (older units), with one the PV1 input current (newer).
          [field(metric.pvChargeCurrent, int(4)), field(metric.pv1Current, decimal(4, 1))],
          field(metric.pv1Voltage, decimal(5, 1)),
          field(metric.scc1BatteryVoltage, decimal(5, 2)),
          field(metric.batteryDischargeCurrent, int(5)),
          field(metric.deviceStatus, deviceStatuses),
          field(metric.fanOffsetVoltage, steps(2, 10, "mV")),
          field(metric.eepromVersion, text("NN", /^\d{2}$/)),
          field(metric.pv1Power, int(5)),
          field(metric.chargeStatus, flags("floatCharging", "switchedOn", "dustProofKit")),
          field(metric.solarFeedToGrid, yesNo),
          field(metric.countryRegulation, countryRegulations),
          field(metric.solarFeedPower, int(4)),
          field(metric.gridInputCurrent, decimal(4, 1)),
        ],
      ),
    },
  ],
});

export const QPIGS2 = query("QPIGS2", {
  title: "Second status: further PV inputs, second phase",
  source: "notes §8.9; variant by field count: 3 (MAX, MAX II), 12 (D15), 11 (PI41)",
  cadence: "fast",
  layouts: [
    layout([3, 3], [field(metric.pv2Current, decimal(4, 1)), field(metric.pv2Voltage, decimal(5, 1)), field(metric.pv2Power, int(5))]),
    layout(
      [12, Infinity],
      [
        field(metric.pv2Current, int(4)),
        field(metric.pv2Voltage, decimal(5, 1)),
        field(metric.scc2BatteryVoltage, decimal(5, 2)),
        field(metric.pv2Power, int(5)),
        field(metric.solarChargerStatus, flags("scc2Charging", "scc3Charging", "b5", "b4", "b3", "b2", "b1", "b0")),
        field(metric.acChargeCurrent, int(4)),
        field(metric.acChargePower, int(4)),
        field(metric.pv3Current, int(4)),
        field(metric.pv3Voltage, decimal(5, 1)),
        field(metric.scc3BatteryVoltage, decimal(5, 2)),
        field(metric.pv3Power, int(4)),
        field(metric.pvPower, int(5)),
      ],
    ),
    layout(
      [11, 11],
      [
        field(metric.l2GridVoltage, decimal(5, 1)),
        field(metric.l2GridFrequency, decimal(4, 1)),
        field(metric.l2OutputVoltage, decimal(5, 1)),
        field(metric.l2OutputFrequency, decimal(4, 1)),
        field(metric.l2LoadApparentPower, int(4)),
        field(metric.l2LoadActivePower, int(4)),
        field(metric.l2LoadPercent, int(3)),
        field(metric.pv2Current, int(4)),
        field(metric.pv2Voltage, decimal(5, 1)),
        field(metric.l2BatteryVoltage, decimal(5, 2)),
        field(metric.l2Status, flags("scc2Present", "acCharging", "scc2Charging", "b4", "b3", "lineLost", "loadOn", "b0")),
      ],
    ),
  ],
});

export const QMOD = query("QMOD", {
  title: "Operating mode",
  source: "notes §8.11",
  cadence: "fast",
  everywhere: true,
  layouts: [layout([1, 1], [field(metric.operatingMode, operatingModes)])],
});
