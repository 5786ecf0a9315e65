import { metric, type Metric } from "../../../model/metric.ts";
import type { Codec } from "../../field.ts";
import type { Setting } from "../../setting.ts";
import { ledSpeeds, QLED } from "../extras.ts";
import { findFamily } from "../families.ts";
import type { CodeTable, LedTable } from "../family.ts";
import { amountSetting, argumentOf, blindSetting, called, choiceSetting, define, switchSetting, type Declaration } from "./kinds.ts";

const common = { topic: "lights", level: "everyday" } as const satisfies Partial<Declaration>;
const papers = ["DMK2", "DMAX", "DMAX2"] as const;

/** A code of one digit, kept as it stands: what it means is the family's. */
const digit: Codec<string> = {
  shape: "N",
  decode: (raw) => (/^\d$/.test(raw) ? raw : undefined),
  encode: (value) => value,
};

function codeSetting(of: Metric, label: string, table: (led: LedTable) => CodeTable, declaration: Declaration): Setting {
  return choiceSetting(
    { ...called(of), label },
    { ...declaration, only: (family) => Object.keys(table(family.led)).length > 0 },
    { query: QLED, key: of.key, codec: digit, table: ({ family }) => table(findFamily(family).led), shape: "N" },
  );
}

const speeds: CodeTable = Object.fromEntries(["0", "1", "2"].map((code) => [code, ledSpeeds.decode(code) ?? code]));

/** `#rrggbb` and the nine digits of red, green and blue. */
function toDigits(colour: unknown): string | undefined {
  const parts = typeof colour === "string" ? /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/.exec(colour) : null;
  return parts
    ?.slice(1)
    .map((hex) => String(Number.parseInt(hex, 16)).padStart(3, "0"))
    .join("");
}
function toColour(digits: string): string | undefined {
  const parts = /^(\d{3})(\d{3})(\d{3})$/.exec(digits)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** `place`: 1 line, 2 AVR, 3 battery. */
function colourSetting(name: string, label: string, place: number): Setting {
  const code = `PLEDC${place}`;
  const key = metric.ledColours.key;
  const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as readonly string[]) : []);
  return define(
    { name, label },
    { ...common, code, papers, explanation: "The colour of this part of the LED strip.", source: "notes §9.6" },
    {
      shape: "RRRGGGBBB, 000 to 255 each",
      readBack: {
        query: QLED,
        read: (values) => toColour(listOf(values[key])[place - 1] ?? ""),
        changed: (values, value) => ({
          ...values,
          [key]: listOf(values[key]).map((digits, index) => (index === place - 1 ? (toDigits(value) ?? digits) : digits)),
        }),
      },
      values: () => ({ kind: "text", form: "a colour like #a020f0", pattern: "^#[0-9a-f]{6}$" }),
      commands(value) {
        const digits = toDigits(value);
        return digits === undefined ? [] : [code + digits];
      },
      parse(command) {
        const argument = argumentOf(code, command);
        return argument === undefined ? undefined : toColour(argument);
      },
    },
  );
}

const colourCount = define(
  { name: "ledColourCount", label: "LED colours at once" },
  {
    ...common,
    code: "PLEDT",
    papers: ["DMK2", "DMAX"],
    only: ({ led }) => led.colours.length > 0,
    explanation: "How many colours the LED strip shows at once.",
    source: "notes §9.6",
  },
  {
    shape: "N",
    readBack: {
      query: QLED,
      read: ({ [metric.ledPresentation.key]: code }) => (typeof code === "string" ? Number(code) : undefined),
      changed: (values, value) => ({ ...values, [metric.ledPresentation.key]: String(value) }),
    },
    values: ({ family }) => ({ kind: "list", values: findFamily(family).led.colours }),
    commands: (value) => (typeof value === "number" && Number.isInteger(value) ? [`PLEDT${value}`] : []),
    parse: (command) => (/^PLEDT\d$/.test(command) ? Number(command.slice(-1)) : undefined),
  },
);

export const lightSettings: readonly Setting[] = [
  switchSetting(
    called(metric.ledEnabled),
    { ...common, code: "PLEDE", papers, explanation: "The coloured LED strip on or off.", source: "notes §9.6" },
    { query: QLED, key: metric.ledEnabled.key },
  ),
  choiceSetting(
    called(metric.ledSpeed),
    { ...common, code: "PLEDS", papers, explanation: "How fast the LED strip moves.", source: "notes §9.6" },
    { query: QLED, key: metric.ledSpeed.key, codec: ledSpeeds, table: () => speeds, shape: "N" },
  ),
  codeSetting(metric.ledEffect, "LED effect", ({ effects }) => effects, {
    ...common,
    code: "PLEDM",
    papers,
    explanation: "How the LED strip moves.",
    source: "notes §9.6, §8.22",
  }),
  amountSetting(
    called(metric.ledBrightness),
    {
      ...common,
      code: "PLEDB",
      papers,
      only: ({ led }) => led.brightness.length > 0,
      explanation: "How bright the LED strip is; the largest is the brightest.",
      source: "notes §9.6",
    },
    {
      query: QLED,
      key: metric.ledBrightness.key,
      width: 1,
      digits: 0,
      values: ({ family }) => ({ kind: "list", values: findFamily(family).led.brightness }),
    },
  ),
  colourCount,
  codeSetting(metric.ledPresentation, "What the LED colours show", ({ presentations }) => presentations, {
    ...common,
    code: "PLEDD",
    papers: ["DMAX2"],
    explanation: "Which value the colours of the LED strip stand for.",
    source: "notes §9.6",
  }),
  colourSetting("ledColourLine", "LED colour for the grid", 1),
  colourSetting("ledColourAvr", "LED colour for AVR", 2),
  colourSetting("ledColourBattery", "LED colour for the battery", 3),
  switchSetting(
    { name: "logoLight", label: "Light of the logo" },
    { ...common, code: "LOGO", papers: ["DMAX2"], explanation: "The lit logo on or off. It cannot be read back.", source: "notes §9.6" },
    undefined,
  ),
  blindSetting(
    { name: "welcomeLight", label: "Welcome light show" },
    {
      ...common,
      code: "WEL",
      papers: ["DMAX2"],
      explanation: "Which light show greets at the start; 0 none. It cannot be read back.",
      source: "notes §9.6",
    },
    { width: 1, values: { kind: "list", values: [0, 1, 2] } },
  ),
];
