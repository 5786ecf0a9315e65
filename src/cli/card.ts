import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { stringify } from "yaml";
import { cardOf, sharedCard } from "../app/card.ts";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { unaskedOf } from "../app/plan.ts";
import { createLogger } from "../app/logger.ts";
import { packageVersion } from "../app/version.ts";
import { balanceText } from "../model/balance.ts";
import type { CardDocument, CardSetting, MalformedField, Support } from "../model/card.ts";
import { settings } from "../protocol/pi30/settings/catalogue.ts";
import { describeAllowed } from "../protocol/setting.ts";
import { isSimulated } from "../sim/answers.ts";
import { actionText } from "./control.ts";
import type { Exit } from "./exit.ts";
import { columns, print, type Terminal } from "./terminal.ts";

export interface CardOptions extends ConfigFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly inverter?: string;
  /** Where the card for others goes. */
  readonly share?: string;
}

/** Shows what was found out about the make of an inverter. */
export async function card(options: CardOptions, terminal: Terminal): Promise<Exit> {
  const flags: ConfigFlags = { ...options, logLevel: options.logLevel ?? "warn" };
  const { config } = loadConfig({ file: options.config, flags, env: terminal.env, cwd: terminal.cwd });
  const logger = createLogger({ ...config.log, write: (line) => terminal.stderr.write(line) });
  const tell = (line: string): void => void terminal.stderr.write(`${line}\n`);
  const document = await cardOf({ config, logger, inverter: options.inverter, devices: options.device, tell }, terminal);
  if (options.share !== undefined) {
    const head = `# Model card of an inverter, by sonkrag ${packageVersion()}. Serial numbers are replaced, times are left out.\n`;
    await writeFile(resolve(terminal.cwd, options.share), head + stringify(sharedCard(document)));
    tell(`${options.share}: written; look through it, then it can be shared.`);
  }
  if (options.json) await print(terminal, `${JSON.stringify(document)}\n`);
  else if (options.share === undefined) await print(terminal, cardText(document, unaskedOf(document.card, config.poll)));
  return "ok";
}

const supports: Readonly<Record<Support, string>> = {
  answers: "Answers",
  hasNothing: "Has nothing to tell",
  refuses: "Refuses",
  silent: "Is silent to",
  unreadable: "Answers in an unknown form",
};

function cardText({ card: { commands, ...about }, facts, balance }: CardDocument, unasked: readonly string[]): string {
  const { parallel } = facts;
  const model = [facts.modelName, facts.modelNumber && `number ${facts.modelNumber}`].filter(Boolean).join(", ");
  const rows: (readonly [string, string])[] = [
    ["Model", model || "does not tell"],
    ["Family", `${facts.familyTitle} (${facts.family})`],
    ["Firmware", [about.firmware ?? "does not tell", facts.secondFirmware && `second ${facts.secondFirmware}`].filter(Boolean).join(", ")],
    ["Serial number", about.serialNumber ?? "does not tell"],
    ["Protocol", about.protocol],
    ["PV inputs", `${facts.pvInputs}, power ${facts.pvPower}`],
    ...(balance === undefined ? [] : [["Energy balance", balanceText(balance)] as const]),
    ["Units", `${parallel.units}${parallel.units > 1 ? `, this is number ${parallel.number}` : ""}; phases: ${parallel.phases}`],
    ["Zero checksum byte", `in requests ${about.requestChecksum}, in replies ${about.replyChecksum}`],
    ...Object.entries(supports).flatMap(([support, words]) => {
      const which = Object.entries(commands).filter(([, record]) => record.support === support);
      const texts = which.map(([command, { fields }]) => (fields === undefined || fields < 2 ? command : `${command} (${fields} fields)`));
      return texts.length === 0 ? [] : [[words, texts.join(", ")] as const];
    }),
    ...(unasked.length === 0 ? [] : [["Not asked yet", unasked.join(", ")] as const]),
    ...Object.entries(facts.unknownFields).map(
      ([command, fields]) => [`Unknown in ${command}`, fields.map(({ index, text }) => `field ${index}: ${text}`).join(", ")] as const,
    ),
    ...Object.entries(facts.malformedFields).map(([command, field]) => [`Malformed in ${command}`, malformedText(field)] as const),
  ];
  const taken = Object.entries(facts.settings).map(([name, setting]) => [name, offerText(name, setting)]);
  const simulated = isSimulated(about.serialNumber) ? "SIMULATED: nothing here is real\n" : "";
  const unfinished = about.complete ? "" : "Not complete yet: ask again in half a minute.\n";
  return `${simulated}${unfinished}${lines(rows)}\nSettings it takes:\n${lines(taken)}`;
}

function malformedText({ index, name, text, isHabit }: MalformedField): string {
  return `field ${index} (${name}): ${text}; ${isHabit ? "always so: the other fields are trusted" : "no field of the reply is trusted yet"}`;
}

function offerText(name: string, setting: CardSetting): string {
  const info = settings.find((each) => each.info.name === name)?.info;
  if (info?.form === "action") return actionText(info);
  return setting.kind === "locked" ? `locked: ${setting.reason}` : describeAllowed(setting, info?.unit);
}

function lines(rows: readonly (readonly string[])[]): string {
  return columns(rows)
    .map((line) => `${line}\n`)
    .join("");
}
