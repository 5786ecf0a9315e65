import { settingText } from "../protocol/setting.ts";
import { withoutControls } from "../app/logger.ts";
import type { Actor } from "../model/control.ts";
import type { JournalEntry, LeaseEndEntry, LeaseState } from "../model/journal.ts";
import { asker, controlled, inverterOf, type ControlOptions } from "./control.ts";
import type { Exit } from "./exit.ts";
import { columns, print, type Terminal } from "./terminal.ts";

export interface JournalOptions extends ControlOptions {
  readonly limit?: number;
  readonly before?: number;
}

/** Shows the latest attempts to change something, newest first. */
export async function journal(options: JournalOptions, terminal: Terminal): Promise<Exit> {
  const { limit = 20, before } = options;
  const entries = await controlled(
    options,
    terminal,
    async (call) =>
      (await call("journal", { ...inverterOf(options), limit, ...(before !== undefined && { before }) })) as readonly JournalEntry[],
    { needsInverter: false },
  );
  if (options.json) for (const entry of entries) await print(terminal, `${JSON.stringify(entry)}\n`);
  else if (entries.length === 0) await print(terminal, "Nothing was ever tried to change.\n");
  else await print(terminal, `${columns(entries.map((entry) => journalRow(entry).map(withoutControls))).join("\n")}\n`);
  return "ok";
}

/** Shows the leases that run. */
export async function leases(options: ControlOptions, terminal: Terminal): Promise<Exit> {
  const running = await controlled(options, terminal, async (call) => (await call("leases", {})) as readonly LeaseState[], {
    needsInverter: false,
  });
  if (options.json) await print(terminal, `${JSON.stringify(running)}\n`);
  else if (running.length === 0) await print(terminal, "No lease runs.\n");
  else {
    const rows = running.map(({ id, inverter, setting, value, next, until, overdue, trouble }) => [
      id,
      inverter,
      `${setting} = ${settingText(value)}`,
      `until ${timeText(until)}`,
      `then ${settingText(next)}`,
      overdue ? `OVERDUE${trouble === undefined ? "" : `: ${trouble}`}` : "",
    ]);
    await print(terminal, `${columns(rows).join("\n")}\n`);
  }
  return "ok";
}

/** Gives a lease up. */
export async function endLease(lease: string, options: ControlOptions, terminal: Terminal): Promise<Exit> {
  await controlled(options, terminal, async (call) => await call("endLease", { lease, ...asker() }), { needsInverter: false });
  await print(terminal, `The lease ${lease} was given up; what is set stays.\n`);
  return "ok";
}

/** One entry in a line of the list. */
export function journalRow(entry: JournalEntry): string[] {
  const head = [String(entry.n), timeText(entry.at)];
  if (entry.kind === "leaseEnd")
    return [...head, entry.inverter, actorText(entry.actor), `the lease of ${entry.setting} ${endText(entry)}`, ""];
  const { change } = entry.kind === "intent" ? entry : entry.outcome;
  const what = `${change.setting} = ${settingText(change.value)}`;
  if (entry.kind === "intent") return [...head, change.inverter, actorText(change.actor), what, `sends ${entry.command}`];
  const { kind, reason, before } = entry.outcome;
  const was = before === undefined ? "" : ` (before: ${settingText(before)})`;
  const more = entry.more === undefined ? "" : ` (and ${entry.more} more)`;
  return [...head, change.inverter, actorText(change.actor), `${what}${was}`, `${kind}${more}${kind === "applied" ? "" : `: ${reason}`}`];
}

/** A lease that ends itself early has found another value than its own: somebody's newer wish, which it leaves alone. */
function endText({ actor }: LeaseEndEntry): string {
  return actor.via === "lease"
    ? "gave way: the setting was changed elsewhere meanwhile, such as on the unit's panel; it stays as it was found"
    : "was given up; what is set stays";
}

function actorText({ via, name }: Actor): string {
  return name === undefined ? via : `${via} ${name}`;
}

function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
