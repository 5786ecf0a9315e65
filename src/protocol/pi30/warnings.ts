import { wholeQuery } from "../command.ts";
import type { Codec } from "../field.ts";
import { commonWarnings, placedWarnings } from "./warning-list.ts";

/**
 * What each position means, by the length of the reply. In the 36-character form positions 31 to 33 hold a fault-code
 * digit or a warning, depending on the model, and a Phocos unit shows a steady 1 there: they are no warnings here but
 * stay in `warningBits`.
 */
const tables: readonly { readonly length: number; readonly form: RegExp; readonly names: readonly (string | undefined)[] }[] = (
  [
    [32, /^[01]{32}$/],
    [36, /^[01]{31}\d{3}[01]{2}$/],
    [38, /^[01]{38}$/],
    // Reported of a clone, without a word on the last ones: they stay in `warningBits`.
    [40, /^[01]{40}$/],
  ] as const
).map(([length, form]) => {
  const names: (string | undefined)[] = Array.from({ length }, (_, position) => commonWarnings[position]?.key);
  for (const { key, at, families } of placedWarnings) {
    const position = (at as Readonly<Partial<Record<number, number>>>)[length];
    if (position !== undefined && families === undefined) names[position] = key;
  }
  return { length, form, names };
});

const warningBits: Codec<{ warnings: readonly string[]; warningBits: string }> = {
  shape: "32, 36, 38 or 40 characters 0/1",
  decode(raw) {
    const table = tables.find(({ form }) => form.test(raw));
    if (!table) return undefined;
    return {
      warnings: table.names.filter((name, position): name is string => name !== undefined && raw[position] === "1"),
      warningBits: raw,
    };
  },
  encode: (values) => values.warningBits,
};

export const QPIWS = wholeQuery("QPIWS", {
  title: "Warnings",
  source: "notes §8.12 and §10.1",
  cadence: "medium",
  codec: warningBits,
  names: ["warnings", "warningBits"],
  legend: tables.map(
    ({ length, names }) =>
      `${length} characters: ${names.map((name, position) => `${position} ${name ?? "(digit of a fault code, or a warning of some models)"}`).join(" · ")}`,
  ),
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
const letterOf = (name: string): string => letters.get(name) ?? /^unknown:([a-z])$/.exec(name)?.[1] ?? "?";

const optionFlags: Codec<{ enabledFlags: readonly string[]; disabledFlags: readonly string[] }> = {
  shape: "E + letters switched on + D + letters switched off",
  decode(raw) {
    // Either list may be empty; `E` or `D` alone is an operating mode. A letter stands in one list, once.
    if (!/^(E[a-z]*D[a-z]*|D[a-z]*E[a-z]*|[ED][a-z]+)$/.test(raw) || new Set(raw).size !== raw.length) return undefined;
    const lists: Record<string, string[]> = { E: [], D: [] };
    for (const [, capital, list] of raw.matchAll(/([ED])([a-z]*)/g)) lists[capital!]!.push(...Array.from(list!, nameOf));
    return { enabledFlags: lists["E"]!, disabledFlags: lists["D"]! };
  },
  encode: ({ enabledFlags, disabledFlags }) => `E${enabledFlags.map(letterOf).join("")}D${disabledFlags.map(letterOf).join("")}`,
};

export const QFLAG = wholeQuery("QFLAG", {
  title: "Option flags",
  source: "notes §8.7",
  cadence: "slow",
  codec: optionFlags,
  names: ["enabledFlags", "disabledFlags"],
  legend: Object.entries(optionNames).map(([letter, name]) => `${letter} ${name}`),
});
