import { lengthFromText, timeFromText } from "../app/control/until.ts";
import type { Outcome } from "../model/control.ts";
import { ConfigError } from "../model/errors.ts";
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
export async function set(setting: string, value: string, options: SetOptions, terminal: Terminal): Promise<Exit> {
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
    return await told((await call("set", params)) as Outcome, options, terminal);
  });
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
