import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
import { choice, decimal, field, int, text, unexplained, yesNoOfTwoDigits } from "../field.ts";
import { equalizationFields } from "./battery.ts";

const chargeStages = choice({ none: "10", bulk: "11", absorb: "12", float: "13" });

const common = [
  field(metric.absorbTimeLeft, int(5)),
  field(metric.floatTimeLeft, int(5)),
  field(metric.solarChargerConnected, yesNoOfTwoDigits),
  field(metric.solarChargerAllowed, yesNoOfTwoDigits),
  field(metric.averageChargeCurrent, int(2)),
  field(metric.solarChargerTemperature, int(3)),
  field(metric.inverterTemperature, int(3)),
  field(metric.batteryStageTemperature, int(3)),
  field(metric.transformerTemperature, int(3)),
  // Some firmware shows an input pin here.
  field(metric.parallelRole, choice({ new: "00", slave: "01", master: "02" })),
  field(metric.fanLocked, yesNoOfTwoDigits),
  unexplained(11),
  field(metric.fanSpeed, int(4)),
  field(metric.solarChargingPower, int(4)),
  unexplained(14),
  field(metric.synchronisationFrequency, decimal(5, 2)),
  field(metric.chargeStage, chargeStages),
] as const;

/** Not in any paper: to be shown, never to be acted upon. Forms of other lengths are kept as they come. */
export const Q1 = query("Q1", {
  title: "Internal status",
  source: "notes §8.24; 17, 18 (VMII-4000) and 27 fields (Phocos); undocumented by the maker",
  cadence: "medium",
  layouts: [
    layout([17, 17], common),
    layout(
      [18, 18],
      [
        unexplained(0),
        unexplained(1),
        field(metric.absorbTimeLeft, int(5)),
        field(metric.floatTimeLeft, int(5)),
        unexplained(4),
        unexplained(5),
        field(metric.solarChargerConnected, yesNoOfTwoDigits),
        field(metric.solarChargerAllowed, yesNoOfTwoDigits),
        unexplained(8),
        // Equals that of QPIGS; which temperatures stand beside it is not known.
        field(metric.heatSinkTemperature, int(3)),
        unexplained(10),
        unexplained(11),
        unexplained(12),
        field(metric.fanLocked, yesNoOfTwoDigits),
        unexplained(14),
        unexplained(15),
        field(metric.solarChargingPower, int(4)),
        field(metric.chargeStage, chargeStages),
      ],
    ),
    layout([27, 27], [...common, ...equalizationFields(17)]),
    // Digits without a point, the second number a long one: no other command answers so.
    layout([11, 40], [], { index: 0, matches: /^\d{3,5}$/ }, { index: 1, matches: /^\d{4,5}$/ }, { index: 2, matches: /^\d{2,5}$/ }),
  ],
});

/** Known by name only: whatever comes is kept as it is. */
export const Q2 = query("Q2", {
  title: "Internal status, second part",
  source: "notes §8.25; undocumented, varies",
  cadence: "onDemand",
  shape: "anything",
  layouts: [layout([1, Infinity], [])],
});

export const QMD = query("QMD", {
  title: "Rating by the UPS protocol",
  source: "notes §8.25; VMII-4000; not reliable",
  cadence: "onDemand",
  layouts: [
    layout(
      [8, 8],
      [
        field(metric.upsModelName, padded("text of 15 characters filled up with #", 15)),
        field(metric.upsApparentPower, paddedNumber(7)),
        field(metric.upsPowerFactor, int(2)),
        field(metric.upsPhases, text("N/N", /^\d\/\d$/)),
        field(metric.upsInputVoltage, int(3)),
        field(metric.upsOutputVoltage, int(3)),
        field(metric.upsBatteryCount, int(2)),
        field(metric.upsBatteryVoltage, decimal(4, 1)),
      ],
    ),
  ],
});

function padded(shape: string, width: number): ReturnType<typeof text> {
  const whole = text(shape, new RegExp(`^#*[0-9A-Za-z][!-~]*$`));
  return {
    shape,
    decode: (raw) => (raw.length === width ? whole.decode(raw)?.replace(/^#+/, "") : undefined),
    encode: (value) => whole.encode(value.padStart(width, "#")),
  };
}

function paddedNumber(width: number): ReturnType<typeof int> {
  return {
    shape: `a number filled up with # to ${width} characters`,
    decode: (raw) => (raw.length === width && /^#*\d+$/.test(raw) ? Number(raw.replace(/^#+/, "")) : undefined),
    encode: (value) => String(value).padStart(width, "#"),
  };
}

/** Likely a snapshot of the last fault; nobody has seen it filled. */
export const QFS = query("QFS", {
  title: "Last fault, presumably",
  source: "notes §8.25; VMII-4000, always zero",
  cadence: "onDemand",
  layouts: [layout([15, 15], [], { index: 0, matches: /^\d{2}$/ }, { index: 1, matches: /^\d{2}$/ }, { index: 2, matches: /^\d{2}$/ })],
});

export const QWS = query("QWS", {
  title: "Warnings of the UPS protocol",
  source: "notes §8.25; VMII-4000, stays zero",
  cadence: "onDemand",
  layouts: [layout([1, 1], [], { index: 0, matches: /^[01]{64}$/ })],
});
