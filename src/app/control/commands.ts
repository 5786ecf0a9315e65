import { randomUUID } from "node:crypto";
import type { Actor, Outcome, SettingChange } from "../../model/control.ts";
import { classify } from "../../protocol/pi30/settings/catalogue.ts";
import type { Setting, UnitFacts } from "../../protocol/setting.ts";
import type { ChangeHow } from "./pending.ts";
import type { ControlService } from "./service.ts";

/** The name under which a command stands in the journal that is no setting of the catalogue. */
export const commandName = "command";

/** What may be sent at all: printable, not to be taken for a reply, and no longer than any command is. */
const sendable = /^(?! )[ -'\u0029-~]{1,40}(?<! )$/;

/** A command that the catalogue does not know, for experts: nothing is checked, and nothing tells what came of it. */
const rawCommand = (command: string): Setting => ({
  kind: "setting",
  code: command,
  info: {
    name: commandName,
    label: "Raw command",
    explanation: "A command that the catalogue does not know.",
    topic: "reset",
    level: "expert",
    confirm: command,
  },
  source: "typed by the user",
  shape: command,
  needs: [],
  readBack: undefined,
  allowed: () => ({ kind: "list", values: [command] }),
  check: () => undefined,
  commands: () => [command],
  parse: (given) => (given === command ? command : undefined),
  effect: undefined,
});

export interface CommandWish {
  readonly id: string;
  readonly inverter: string;
  /** As typed, e.g. `POP02`; no inquiry. */
  readonly command: string;
  readonly actor: Actor;
  readonly confirm?: string | undefined;
}

/**
 * Does what a command asks for, on the same way as any change: a known one becomes its setting and value, with all checks.
 * What must never be sent is refused. What is unknown is sent only where the configuration allows the raw console, at the
 * expert level, confirmed with the command itself.
 */
export async function changeByCommand(
  service: ControlService,
  { id, inverter, command, actor, confirm }: CommandWish,
  how: ChangeHow,
): Promise<Outcome> {
  const change = (setting: string, value: SettingChange["value"]): SettingChange => ({
    id,
    inverter,
    setting,
    value,
    actor,
    ...(confirm !== undefined && { confirm }),
  });
  const raw = change(commandName, command.slice(0, 100));
  if (!sendable.test(command)) return await service.refuse(raw, "expected a command of at most 40 printable characters");
  const facts: UnitFacts = { family: "unknown", unit: 0, wide: false, ...service.makeOf(inverter), values: {} };
  const meant = classify(command, facts);
  if (meant.kind === "setting") return await service.change(change(meant.setting.info.name, meant.value), how);
  if (meant.kind === "forbidden") return await service.refuse(raw, meant.reason);
  if (/^(Q|VERFW)/i.test(command))
    return await service.refuse(
      raw,
      "an inquiry that the catalogue does not know is not asked: its answer could not be told from an old one",
    );
  const capitals = command.toUpperCase();
  // A unit that does not mind small letters would do it without the checks.
  if (capitals !== command && classify(capitals, facts).kind === "setting")
    return await service.refuse(raw, `expected a command in the letters it is sent in, such as ${capitals}`);
  if (!service.rulesOf(inverter).console || actor.via !== "console")
    return await service.refuse(
      raw,
      "the catalogue has no such setting; `control: {console: true}` lets `sonkrag raw` send it all the same",
    );
  return await service.change(raw, how, rawCommand(command));
}

/** For the shared port: a command of another program, by the rules for everybody. */
export function changeForClient(service: ControlService) {
  return async (
    inverter: string,
    command: string,
    client: string,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly isSo: boolean }> => {
    const actor: Actor = { via: "sharedPort", name: client };
    // Most programs wait a few seconds for ACK: it comes when the value reads back, not when its effect was watched too.
    let onReadBack: () => void = () => undefined;
    const isReadBack = new Promise<{ readonly isSo: boolean }>((resolve) => (onReadBack = () => resolve({ isSo: true })));
    const ended = changeByCommand(service, { id: randomUUID(), inverter, command, actor }, { ...options, onReadBack });
    return await Promise.race([isReadBack, ended.then(({ kind }) => ({ isSo: kind === "applied" || kind === "unchanged" }))]);
  };
}
