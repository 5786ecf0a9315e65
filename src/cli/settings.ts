import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { mismatch, parseSheet, sheetText, wantedOf, type Plan } from "../app/control/sheet.ts";
import type { SettingsReport } from "../app/control/control-methods.ts";
import { ageText } from "../app/age-text.ts";
import type { Call } from "../app/control/with-control.ts";
import type { Outcome, SettingState } from "../model/control.ts";
import { ConfigError, SinkError } from "../model/errors.ts";
import type { BudgetState } from "../model/journal.ts";
import { describeAllowed, settingText } from "../protocol/setting.ts";
import { actionText, asker, controlled, exitOf, inverterOf, outcomeText, type ControlOptions } from "./control.ts";
import type { Exit } from "./exit.ts";
import { columns, print, type Terminal } from "./terminal.ts";

export interface ListOptions extends ControlOptions {
  readonly all?: boolean;
  /** Reads all of them now. */
  readonly fresh?: boolean;
}

/** Shows every setting that the inverter has, with its value and what it takes. */
export async function listSettings(options: ListOptions, terminal: Terminal): Promise<Exit> {
  const report = await controlled(options, terminal, async (call) => await reportOf(call, options, { latest: options.fresh !== true }));
  if (options.json) {
    await print(terminal, `${JSON.stringify(report)}\n`);
    return "ok";
  }
  const shown = report.settings.filter(({ value, allowed }) => options.all === true || value !== undefined || allowed !== undefined);
  const now = Date.now();
  const rows = shown.map(({ info, value, at, allowed, reason }) => [
    info.lcdProgram === undefined ? "" : String(info.lcdProgram).padStart(2, "0"),
    info.name,
    value === undefined ? (info.form === "action" ? "" : "–") : `${settingText(value)}${info.unit === undefined ? "" : ` ${info.unit}`}`,
    value === undefined || at === undefined ? "" : ageText(now - at),
    info.level === "expert" ? "expert" : "",
    allowed === undefined ? (reason ?? "") : info.form === "action" ? actionText(info) : short(describeAllowed(allowed)),
  ]);
  const notice = report.enabled
    ? `Changing is on, level ${report.level}.`
    : "Changing is off; `control: {enabled: true}` in the configuration turns it on.";
  const head = `${report.inverter}${report.simulated ? "  SIMULATED: nothing here is real" : ""}\n${notice}\n\n`;
  await print(terminal, `${head}${columns([["LCD", "NAME", "VALUE", "AGE", "", "TAKES"], ...rows]).join("\n")}\n`);
  return "ok";
}

/** Writes the sheet of settings. */
export async function exportSettings(options: ControlOptions & { readonly output?: string }, terminal: Terminal): Promise<Exit> {
  const report = await controlled(options, terminal, async (call) => await reportOf(call, options));
  const text = sheetText({ ...report, time: new Date().toISOString() }, report.settings);
  if (options.output === undefined) {
    await print(terminal, text);
    return "ok";
  }
  const path = resolve(terminal.cwd, options.output);
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST")
      throw new ConfigError(`--output ${path}: expected a new file, got one that exists; it is left as it is`, { cause });
    throw new SinkError(`${path}: expected to write a new file, got ${String(cause)}`, { cause });
  }
  return "ok";
}

export interface ApplyOptions extends ControlOptions {
  readonly dryRun?: boolean;
  readonly confirm?: readonly string[];
  readonly otherFamily?: boolean;
}

/** Shows what a sheet would change. */
export async function diffSettings(file: string, options: ApplyOptions, terminal: Terminal): Promise<Exit> {
  return await applySettings(file, { ...options, dryRun: true }, terminal);
}

/** Brings an inverter to what a sheet says, step by step; the first that fails is the last. */
export async function applySettings(file: string, options: ApplyOptions, terminal: Terminal): Promise<Exit> {
  const sheet = parseSheet(await textOf(file, terminal), file);
  return await controlled(options, terminal, async (call) => {
    const report = await reportOf(call, options);
    const reason = mismatch(sheet, report);
    if (reason !== undefined && options.otherFamily !== true)
      throw new ConfigError(`${file}: ${reason}; --other-family compares them all the same`);
    const { inverter } = report;
    const { wanted, leftAlone } = wantedOf(sheet, inverter, report.settings);
    for (const name of leftAlone)
      terminal.stderr.write(
        `sonkrag: ${name} is left alone: the sheet is of another inverter, and it says which place that one has among others\n`,
      );
    const plan = (await call("plan", { inverter, wanted })) as Plan;
    if (options.json !== true) await print(terminal, planText(plan, report.settings));
    else if (options.dryRun === true) await print(terminal, `${JSON.stringify(plan)}\n`);
    if (options.dryRun === true) return "ok";
    const unnamed = plan.steps.filter(({ confirm }) => confirm !== undefined && options.confirm?.includes(confirm) !== true);
    if (unnamed.length > 0) {
      const words = unnamed.map(({ setting, confirm }) => `${setting}: --confirm ${JSON.stringify(confirm)}`).join("\n");
      throw new ConfigError(`expected a word for each of these steps; nothing was changed\n${words}`);
    }
    for (const [index, { setting, to, confirm }] of plan.steps.entries()) {
      const params = { inverter, setting, value: to, ...(confirm !== undefined && { confirm }), sheet: true, ...asker() };
      const outcome = (await call("set", params)) as Outcome;
      await print(terminal, options.json === true ? `${JSON.stringify(outcome)}\n` : outcomeText(outcome));
      if (exitOf(outcome) === "ok") continue;
      const left = plan.steps.length - index - 1;
      terminal.stderr.write(`sonkrag: stopped there: ${index} of ${plan.steps.length} steps are done, ${left} were not tried\n`);
      return exitOf(outcome);
    }
    return plan.problems.length === 0 ? "ok" : "refused";
  });
}

/** Shows how often each setting was written, and how often it may be. */
export async function showBudget(options: ControlOptions, terminal: Terminal): Promise<Exit> {
  const budget = await controlled(
    options,
    terminal,
    async (call) => (await call("budget", inverterOf(options))) as readonly BudgetState[],
    {
      needsInverter: false,
    },
  );
  if (options.json) await print(terminal, `${JSON.stringify(budget)}\n`);
  else if (budget.length === 0) await print(terminal, "No setting was written within a day.\n");
  else {
    const rows = budget.map(({ inverter, setting, lastHour, lastDay, perHour, perDay }) => [
      inverter,
      setting,
      `${lastHour} of ${perHour}`,
      `${lastDay} of ${perDay}`,
    ]);
    await print(terminal, `${columns([["INVERTER", "SETTING", "LAST HOUR", "LAST DAY"], ...rows]).join("\n")}\n`);
  }
  return "ok";
}

async function reportOf(call: Call, options: ControlOptions, { latest = false } = {}): Promise<SettingsReport> {
  return (await call("settings", { ...inverterOf(options), ...(latest && { latest }) })) as SettingsReport;
}

async function textOf(file: string, terminal: Terminal): Promise<string> {
  try {
    return await readFile(resolve(terminal.cwd, file), "utf8");
  } catch (cause) {
    throw new ConfigError(`${file}: expected a sheet of settings, could not read it: ${String(cause)}`, { cause });
  }
}

function planText({ steps, same, problems }: Plan, states: readonly SettingState[]): string {
  const unitOf = (name: string): string => {
    const unit = states.find(({ info }) => info.name === name)?.info.unit;
    return unit === undefined ? "" : ` ${unit}`;
  };
  const rows = steps.map(({ setting, from, to, confirm }) => [
    setting,
    `${settingText(from)} → ${settingText(to)}${unitOf(setting)}`,
    confirm === undefined ? "" : `needs --confirm ${JSON.stringify(confirm)}`,
  ]);
  const cannot = problems.map(({ setting, reason }) => `cannot: ${setting}: ${reason}`);
  const count = `${steps.length} to change, ${same.length} the same${problems.length === 0 ? "" : `, ${problems.length} cannot be changed`}`;
  return `${[...columns(rows), ...cannot, count].join("\n")}\n`;
}

function short(text: string): string {
  return text.length > 90 ? `${text.slice(0, 88)}…` : text;
}
