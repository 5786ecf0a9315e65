import { metric } from "../../model/metric.ts";
import { layout, query, wholeQuery } from "../command.ts";
import { choice, decimal, field, int, text, unexplained, yesNo, type Codec } from "../field.ts";
import { inputVoltageRangesOfTwoDigits, outputModesOfTwoDigits } from "./choices.ts";

export const QBOOT = query("QBOOT", {
  title: "Boot loader",
  source: "notes §8.15",
  cadence: "onDemand",
  shape: "digit",
  layouts: [layout([1, 1], [field(metric.bootLoader, yesNo)])],
});

export const QOPM = query("QOPM", {
  title: "Output mode",
  source: "notes §8.15; repeats QPIRI",
  cadence: "onDemand",
  shape: "twoDigits",
  layouts: [layout([1, 1], [field(metric.outputMode, outputModesOfTwoDigits)])],
});

export const QGR = query("QGR", {
  title: "Input voltage range",
  source: "notes §8.25; VMII-4000; repeats QPIRI",
  cadence: "onDemand",
  shape: "twoDigits",
  layouts: [layout([1, 1], [field(metric.inputVoltageRange, inputVoltageRangesOfTwoDigits)])],
});

/** Digits YYYYMMDDHHMMSS in the unit's own local time, which has no zone; the value is `2021-07-26T12:26:06`. */
const clockTime: Codec<string> = {
  shape: "YYYYMMDDHHMMSS",
  decode(raw) {
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(raw)?.slice(1);
    if (!parts) return undefined;
    const [year, month, day, hour, minute, second] = parts.map(Number) as [number, number, number, number, number, number];
    const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
    // A part that is too large would have carried over into the next.
    const iso = `${parts.slice(0, 3).join("-")}T${parts.slice(3).join(":")}`;
    return year >= 2000 && year <= 2099 && time.toISOString().startsWith(iso) ? iso : undefined;
  },
  encode: (iso) =>
    text("a time like 2021-07-26T12:26:06", /^\d{4}(-\d\d){2}T\d\d(:\d\d){2}$/)
      .encode(iso)
      .replaceAll(/\D/g, ""),
};

export const QT = query("QT", {
  title: "Clock",
  source: "notes §8.17; local time of the unit, no zone",
  cadence: "slow",
  // A serial number may be 14 digits that are a time as well.
  shape: "QID",
  layouts: [layout([1, 1], [field(metric.unitClock, clockTime)])],
});

export const ledSpeeds = choice({ low: "0", medium: "1", fast: "2" });

/** The colours follow one another without a space in what was captured, with spaces in the papers. */
const ledStrip: Codec<{
  readonly ledEnabled: boolean;
  readonly ledSpeed: string;
  readonly ledEffect: string;
  readonly ledBrightness: number;
  readonly ledPresentation: string;
  readonly ledColours: readonly string[];
}> = {
  shape: "enabled, speed, effect, brightness, presentation: one digit each; then groups of RRRGGGBBB",
  decode(raw) {
    const match = /^([01]) (\d) (\d) (\d) (\d) ((?:\d{9} ?){1,3})$/.exec(raw);
    const speed = ledSpeeds.decode(match?.[2] ?? "");
    if (!match || speed === undefined) return undefined;
    return {
      ledEnabled: match[1] === "1",
      ledSpeed: speed,
      ledEffect: match[3]!,
      ledBrightness: Number(match[4]),
      ledPresentation: match[5]!,
      ledColours: match[6]!.match(/\d{9}/g)!,
    };
  },
  encode: ({ ledEnabled, ledSpeed, ledEffect, ledBrightness, ledPresentation, ledColours }) =>
    [yesNo.encode(ledEnabled), ledSpeeds.encode(ledSpeed as "low"), ledEffect, ledBrightness, ledPresentation, ledColours.join("")].join(
      " ",
    ),
};

export const QLED = wholeQuery("QLED", {
  title: "LED strip",
  source: "notes §8.22; MAX, MAX II, MKS II",
  cadence: "slow",
  codec: ledStrip,
  names: ["ledEnabled", "ledSpeed", "ledEffect", "ledBrightness", "ledPresentation", "ledColours"],
  legend: [
    `speed: ${ledSpeeds.shape}`,
    "effect, MAX: 0 breathing · 2 solid · 3 right scrolling",
    "effect, MKS II: 0 breathing · 1 flashing · 2 solid · 3 right scroll · 4 left scroll · 5 right spark · 6 left spark",
    "effect, MAX II: 0 to 3, of which 3 is solid",
    "brightness: 1 (low) to 9 (high); MAX II: 0 to 2",
    "presentation: the number of colours; MAX II: 0 PV power · 1 battery % · 2 load % · 3 energy source · 4 battery charge or discharge",
  ],
});

/** A space may follow the digit. */
export const QWFS = query("QWFS", {
  title: "Wi-Fi state",
  source: "notes §8.22; MAX II and remote-panel models",
  cadence: "onDemand",
  shape: "digit",
  layouts: [layout([1, 1], [field(metric.wifiConnected, yesNo)])],
});

export const secondOutputPlans = choice({ maybeOff: "2", maybeOn: "3" });

export const QDOP = query("QDOP", {
  title: "Second output",
  source: "notes §8.23; DTWIN",
  cadence: "medium",
  layouts: [
    layout(
      [14, 14],
      [
        field(metric.secondOutputOn, yesNo),
        field(metric.secondOutputPlan, secondOutputPlans),
        field(metric.secondOutputLink, choice({ normal: "0", lost: "1", noController: "2" })),
        // "Over-current protection", reserved.
        unexplained(3),
        field(metric.secondOutputCurrent, decimal(4, 1)),
        field(metric.secondOutputOffVoltage, decimal(4, 1)),
        field(metric.secondOutputOffTime, int(3)),
        field(metric.secondOutputCurrentLimit, int(2)),
        field(metric.batteryRechargeSoc, int(3)),
        field(metric.batteryRedischargeSoc, int(3)),
        field(metric.batteryCutOffSoc, int(3)),
        field(metric.secondOutputOffSoc, int(3)),
        field(metric.secondOutputOnHour, int(2)),
        field(metric.secondOutputOffHour, int(2)),
      ],
    ),
  ],
});
