import { lengthFromText, timeFromText } from "../app/control/until.ts";
import { nearest } from "../app/did-you-mean.ts";
import type { Outcome } from "../model/control.ts";
import { ConfigError } from "../model/errors.ts";
import type { SettingInfo } from "../model/setting.ts";
import { settings } from "../protocol/pi30/settings/catalogue.ts";
import { asker, controlled, exitOf, inverterOf, outcomeText, type ControlOptions } from "./control.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

export interface SetOptions extends ControlOptions {
  readonly confirm?: string;
  readonly until?: string;
  readonly for?: string;
  readonly then?: string;
}

/** Changes one setting. */
export async function set(given: string, value: string, options: SetOptions, terminal: Terminal): Promise<Exit> {
  const { name: setting, confirm, explanation } = infoOf(given);
  return await controlled(options, terminal, async (call, { isRunning, config }) => {
    const until = termOf(options, config.site.timeZone);
    if (until !== undefined && !isRunning)
      throw new ConfigError(
        "--until, --for: expected a running sonkrag, found none; without one nobody would set the value that follows (`sonkrag run`)",
      );
    const params = {
      ...inverterOf(options),
      setting,
      text: value,
      ...(until && { until }),
      ...(options.confirm !== undefined && { confirm: options.confirm }),
      ...asker(),
    };
    const outcome = (await call("set", params)) as Outcome;
    const exit = await told(outcome, options, terminal);
    if (outcome.kind === "refused" && confirm !== undefined && options.confirm !== confirm)
      terminal.stderr.write(`${explanation}\nTo do it all the same: --confirm ${JSON.stringify(confirm)}\n`);
    return exit;
  });
}

/** By its name, or by its program number on the unit's display. Throws ConfigError. */
function infoOf(given: string): SettingInfo {
  const infos = settings.map(({ info }) => info);
  const byNumber = /^\d{1,2}$/.test(given) ? infos.filter(({ lcdProgram }) => lcdProgram === Number(given)) : [];
  const found = infos.find(({ name }) => name === given) ?? (byNumber.length === 1 ? byNumber[0] : undefined);
  if (found !== undefined) return found;
  if (byNumber.length > 1) {
    const names = byNumber.map(({ name }) => name).join(", ");
    throw new ConfigError(`expected one setting, got program ${given}, which several have: ${names}`);
  }
  const near = nearest(
    given,
    infos.map(({ name }) => name),
  );
  const hint = near === undefined ? "`sonkrag settings` lists them" : `did you mean ${near}?`;
  throw new ConfigError(`expected the name of a setting or its program number on the display, got ${JSON.stringify(given)}; ${hint}`);
}

/** Takes the last change back. */
export async function undo(options: ControlOptions & { readonly confirm?: string }, terminal: Terminal): Promise<Exit> {
  return await controlled(options, terminal, async (call) => {
    const params = { ...inverterOf(options), ...(options.confirm !== undefined && { confirm: options.confirm }), ...asker() };
    return await told((await call("undo", params)) as Outcome, options, terminal);
  });
}

/** Sends a command as text. */
export async function raw(command: string, options: ControlOptions & { readonly confirm?: string }, terminal: Terminal): Promise<Exit> {
  return await controlled(options, terminal, async (call) => {
    const params = { ...inverterOf(options), command, ...(options.confirm !== undefined && { confirm: options.confirm }), ...asker() };
    return await told((await call("command", params)) as Outcome, options, terminal);
  });
}

async function told(outcome: Outcome, { json }: ControlOptions, terminal: Terminal): Promise<Exit> {
  await print(terminal, json === true ? `${JSON.stringify(outcome)}\n` : outcomeText(outcome));
  return exitOf(outcome);
}

function termOf({ until, for: length, then: next }: SetOptions, timeZone: string): object | undefined {
  if (until === undefined && length === undefined && next === undefined) return undefined;
  if (next === undefined) throw new ConfigError("--then: expected the value that follows, got none");
  if ((until === undefined) === (length === undefined))
    throw new ConfigError("expected either --until TIME or --for DURATION beside --then");
  const nextText = next;
  if (until !== undefined) return { at: timeFromText(until, { now: Date.now(), timeZone }), nextText };
  return { forMs: lengthFromText(length ?? ""), nextText };
}
