import { parseDocument } from "yaml";
import { z } from "zod";
import { valueSchema } from "../../api/control.ts";
import type { SettingState } from "../../model/control.ts";
import { ConfigError, RefusedError } from "../../model/errors.ts";
import type { SettingInfo, SettingValue } from "../../model/setting.ts";
import { describeAllowed, holds, meantFor, settingText, writes, type Setting, type UnitFacts } from "../../protocol/setting.ts";

/** Values by the name of the setting. */
export type Wanted = Readonly<Record<string, SettingValue>>;

/** One setting on the way to a sheet. */
export interface PlanStep {
  readonly setting: string;
  readonly from: SettingValue;
  readonly to: SettingValue;
  /** The word that this step needs. */
  readonly confirm?: string;
}

/** How a unit gets from what it is to what a sheet says. */
export interface Plan {
  /** In an order in which every step is allowed: no voltage ever crosses its neighbour. */
  readonly steps: readonly PlanStep[];
  /** What is so already. */
  readonly same: readonly string[];
  /** What cannot be done, with the reason. */
  readonly problems: readonly { readonly setting: string; readonly reason: string }[];
}

/** The clock goes on, and a reset is no state: neither belongs into a sheet. */
function belongs({ topic }: SettingInfo): boolean {
  return topic !== "clock" && topic !== "reset";
}

/** The way from a unit's present settings to those of a sheet. */
export function planOfSheet(wanted: Wanted, facts: UnitFacts, settings: readonly Setting[]): Plan {
  const steps: PlanStep[] = [];
  const same: string[] = [];
  const problems = Object.keys(wanted)
    .filter((name) => !settings.some(({ info }) => info.name === name))
    .map((setting) => ({ setting, reason: "no such setting" }));
  let present = facts;
  let open: { readonly setting: Setting; readonly to: SettingValue; readonly from: SettingValue }[] = [];
  for (const setting of settings) {
    const { name } = setting.info;
    const wish = wanted[name];
    if (wish === undefined) continue;
    const to = meantFor(setting.info, wish);
    const from = setting.readBack?.read(facts.values, facts);
    if (!belongs(setting.info)) problems.push({ setting: name, reason: "a clock or a reset is no state that could be given back" });
    else if (from === undefined) problems.push({ setting: name, reason: "this unit does not tell it" });
    else if (holds(setting, to, from)) same.push(name);
    else open.push({ setting, to, from });
  }
  // Each step leaves a set that is allowed, and the last one is the sheet: then there is always a next one that may be done.
  for (;;) {
    const next = open.find(({ setting, to }) => objectionTo(setting, to, present) === undefined);
    if (next === undefined) break;
    open = open.filter((each) => each !== next);
    const { setting, from, to } = next;
    const { name, confirm } = setting.info;
    steps.push({ setting: name, from, to, ...(confirm !== undefined && { confirm }) });
    present = { ...present, values: setting.readBack?.changed(present.values, to, present) ?? present.values };
  }
  for (const { setting, to } of open)
    problems.push({ setting: setting.info.name, reason: objectionTo(setting, to, present) ?? "not possible in any order" });
  return { steps, same, problems };
}

function objectionTo(setting: Setting, to: SettingValue, facts: UnitFacts): string | undefined {
  try {
    return writes(setting, to, facts).length === 0 ? "no command is known for it" : undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error.message.replace(`${setting.info.name}: `, "");
    throw error;
  }
}

export interface SheetHead {
  readonly inverter: string;
  readonly family: string;
  /** A time for people. */
  readonly time: string;
  readonly simulated: boolean;
}

/** Why the value of a setting that tells one is not to be given back; absent where it may be, if only after another one. */
function hindrance({ info, allowed, reason, locked }: SettingState): string | undefined {
  if (!belongs(info)) return info.topic === "clock" ? "a clock goes on" : "it is no state";
  return allowed !== undefined || locked === true ? undefined : (reason ?? "it cannot be set");
}

/**
 * A unit's settings as a document by the numbers of its display, one line each. What it only tells and cannot be set stands below
 * as a comment.
 */
export function sheetText({ inverter, family, time, simulated }: SheetHead, states: readonly SettingState[]): string {
  const told = states.filter(({ value }) => value !== undefined);
  const lines = told.flatMap((state) => {
    const { info, value, allowed, reason } = state;
    if (value === undefined || hindrance(state) !== undefined) return [];
    const { lcdProgram, name, unit, label } = info;
    const keys = [
      ...(lcdProgram === undefined ? [] : [`program: ${lcdProgram}`]),
      `name: ${name}`,
      `value: ${scalar(value)}`,
      ...(unit === undefined ? [] : [`unit: ${scalar(unit)}`]),
    ];
    const offer = allowed === undefined ? `not at the moment: ${reason ?? ""}` : describeAllowed(allowed, unit);
    return [onOneLine(`  - { ${keys.join(", ")} } # ${label}: ${offer}`)];
  });
  const facts = told.flatMap((state) => {
    const { info, value } = state;
    const why = hindrance(state);
    if (value === undefined || why === undefined) return [];
    return [onOneLine(`#   ${info.name}: ${settingText(value)}${info.unit === undefined ? "" : ` ${info.unit}`} (${why})`)];
  });
  const head = [
    `# Settings of ${inverter}, read ${time}.${simulated ? " SIMULATED: nothing here is real." : ""}`,
    "# `sonkrag settings diff` compares them with an inverter, `sonkrag settings apply` brings them back.",
    "sheet: 1",
    `inverter: ${scalar(inverter)}`,
    `family: ${scalar(family)}`,
    lines.length === 0 ? "settings: []" : "settings:",
  ];
  const below = facts.length === 0 ? [] : ["# Told by the unit, and not to be given back:", ...facts];
  return `${[...head, ...lines, ...below].join("\n")}\n`;
}

const onOneLine = (text: string): string => text.replaceAll(/[\r\n]+/g, " ");

function scalar(value: SettingValue): string {
  // `on` is what people call it; YAML 1.2 takes it for a word, and a plan for the switch's value.
  if (typeof value !== "string") return settingText(value);
  const isPlain = /^[A-Za-z][\w-]*$/.test(value) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

const sheetSchema = z.object({
  sheet: z.literal(1),
  inverter: z.string().optional(),
  family: z.string(),
  settings: z.array(z.object({ name: z.string(), value: valueSchema })),
});

export interface Sheet {
  readonly inverter?: string;
  readonly family: string;
  readonly wanted: Wanted;
}

/** Reads a sheet. Throws ConfigError with the place of the mistake. */
export function parseSheet(text: string, file: string): Sheet {
  const document = parseDocument(text);
  const [mistake] = document.errors;
  if (mistake !== undefined)
    throw new ConfigError(`${file}: expected a sheet of settings in YAML, got: ${mistake.message}`, { cause: mistake });
  const parsed = sheetSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(
      `${file}: ${issue?.path.join(".") || "the document"}: expected a sheet as \`sonkrag settings export\` writes it, got another one (${issue?.message ?? ""})`,
      { cause: parsed.error },
    );
  }
  const { inverter, family, settings } = parsed.data;
  const wanted: Record<string, SettingValue> = {};
  for (const { name, value } of settings) {
    if (Object.hasOwn(wanted, name)) throw new ConfigError(`${file}: expected each setting once, got ${name} twice`);
    Object.defineProperty(wanted, name, { value, enumerable: true });
  }
  return { ...(inverter !== undefined && { inverter }), family, wanted };
}

/** What of a sheet is meant for this unit: of another one's sheet not what says which place that one has among others. */
export function wantedOf(
  sheet: Sheet,
  inverter: string,
  settings: readonly { readonly info: SettingInfo }[],
): { readonly wanted: Wanted; readonly leftAlone: readonly string[] } {
  const isOwn = sheet.inverter === inverter;
  const ofOneUnit = new Set(settings.filter(({ info }) => info.ofOneUnit).map(({ info }) => info.name));
  const [wanted, leftAlone]: [Record<string, SettingValue>, string[]] = [{}, []];
  for (const [name, value] of Object.entries(sheet.wanted)) {
    if (isOwn || !ofOneUnit.has(name)) Object.defineProperty(wanted, name, { value, enumerable: true });
    else leftAlone.push(name);
  }
  return { wanted, leftAlone };
}

/** Why a sheet of one unit is not for another; absent when it is. */
export function mismatch(sheet: Sheet, unit: { readonly inverter: string; readonly family: string }): string | undefined {
  if (sheet.inverter === unit.inverter) return undefined;
  if (sheet.family === unit.family && unit.family !== "unknown") return undefined;
  return (
    `the sheet is of an inverter of the family ${sheet.family}, and ${unit.inverter} is of the family ${unit.family}; ` +
    "the same setting may mean something else there"
  );
}
