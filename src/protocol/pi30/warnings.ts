import { wholeQuery } from "../command.ts";
import type { Codec } from "../field.ts";

/** Positions 0 to 30, the same in every document. */
const common = [
  "pvLoss",
  "inverterFault",
  "busVoltageOver",
  "busVoltageUnder",
  "busSoftStartFailed",
  "gridFailed",
  "outputShort",
  "inverterVoltageTooLow",
  "inverterVoltageTooHigh",
  "overTemperature",
  "fanLocked",
  "batteryVoltageHigh",
  "batteryLow",
  "overcharge",
  "batteryUnderVoltageShutdown",
  "batteryDerating",
  "overload",
  "eepromFault",
  "inverterOverCurrent",
  "inverterSoftStartFailed",
  "selfTestFailed",
  "dcVoltageOnOutput",
  "batteryOpen",
  "currentSensorFailed",
  "batteryShort",
  "powerLimit",
  "pvVoltageHigh",
  "mpptOverload",
  "mpptOverloadWarning",
  "batteryTooLowToCharge",
] as const;

/**
 * What each position means, by the length of the reply. In the 36-character form positions 31 to 33 hold a fault-code
 * digit or a warning, depending on the model, and a Phocos unit shows a steady 1 there: they are no warnings here but
 * stay in `warningBits`.
 */
const tables: readonly { readonly upTo: number; readonly names: readonly (string | undefined)[] }[] = [
  { upTo: 32, names: [...common, "position30", "position31"] },
  { upTo: 36, names: [...common, "position30", undefined, undefined, undefined, "highAcInputAtSoftStart", "batteryEqualizing"] },
  {
    upTo: 40,
    names: [
      ...common,
      "pv2VoltageHigh",
      "mppt2Overload",
      "mppt2OverloadWarning",
      "batteryTooLowToCharge2",
      "pv3VoltageHigh",
      "mppt3Overload",
      "mppt3OverloadWarning",
      "batteryTooLowToCharge3",
      "position38",
      "position39",
    ],
  },
];

const warningBits: Codec<{ warnings: readonly string[]; warningBits: string }> = {
  shape: "32 to 40 characters 0/1",
  decode(raw) {
    if (!/^[01]{31}[0-9]{1,3}[01]{0,6}$/.test(raw) || raw.length < 32 || raw.length > 40) return undefined;
    const { names } = tables.find(({ upTo }) => raw.length <= upTo)!;
    return { warnings: names.filter((name, position): name is string => name !== undefined && raw[position] === "1"), warningBits: raw };
  },
  encode: (values) => values.warningBits,
};

export const QPIWS = wholeQuery("QPIWS", {
  title: "Warnings",
  source: "notes §8.12 and §10.1",
  cadence: "medium",
  codec: warningBits,
});

/** The characters of a 36-position reply with these warnings set. Throws TypeError for a name that form does not have. */
export function warningBitsOf(warnings: readonly string[]): string {
  const { names } = tables[1]!;
  const stranger = warnings.find((name) => !names.includes(name));
  if (stranger !== undefined) throw new TypeError(`expected one of ${names.filter(Boolean).join(", ")}, got ${stranger}`);
  return names.map((name) => (name !== undefined && warnings.includes(name) ? "1" : "0")).join("");
}

/** Option letters, lower case on the wire; source: notes §8.7. */
const optionNames: Readonly<Record<string, string>> = {
  a: "buzzer",
  b: "overloadBypass",
  c: "overloadBypass2",
  d: "solarFeedToGrid",
  j: "powerSaving",
  k: "lcdReturnToDefault",
  l: "dataLogPopUp",
  m: "batteryConnected",
  u: "overloadRestart",
  v: "overTemperatureRestart",
  x: "lcdBacklight",
  y: "sourceInterruptAlarm",
  z: "faultCodeRecord",
};
const letters = new Map(Object.entries(optionNames).map(([letter, name]) => [name, letter]));
const nameOf = (letter: string): string => optionNames[letter] ?? `unknown:${letter}`;
const letterOf = (name: string): string => letters.get(name) ?? name.slice("unknown:".length);

const optionFlags: Codec<{ enabledFlags: readonly string[]; disabledFlags: readonly string[] }> = {
  shape: "E + letters switched on + D + letters switched off",
  decode(raw) {
    const match = /^E([a-z]*)D([a-z]*)$/.exec(raw);
    return match ? { enabledFlags: Array.from(match[1]!, nameOf), disabledFlags: Array.from(match[2]!, nameOf) } : undefined;
  },
  encode: ({ enabledFlags, disabledFlags }) => `E${enabledFlags.map(letterOf).join("")}D${disabledFlags.map(letterOf).join("")}`,
};

export const QFLAG = wholeQuery("QFLAG", {
  title: "Option flags",
  source: "notes §8.7",
  cadence: "slow",
  codec: optionFlags,
});
