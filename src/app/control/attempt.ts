import type { Outcome, SettingChange } from "../../model/control.ts";
import { SinkError } from "../../model/errors.ts";
import type { Logger } from "../../model/logger.ts";
import type { SettingValue } from "../../model/setting.ts";
import { describeAllowed, holds, isAllowed, settingText, type Setting } from "../../protocol/setting.ts";
import type { Clock } from "../../session/clock.ts";
import type { UnitOutcome } from "../../session/control.ts";
import type { Journal } from "./journal.ts";
import type { ControlRules } from "./rules.ts";
import { doubtOf, whoIs, type ControlUnit } from "./control-unit.ts";

export interface AttemptOptions {
  readonly setting: Setting;
  readonly unit: ControlUnit;
  /** The value that has to be there before; anything else refuses the change. */
  readonly expected: SettingValue | undefined;
  readonly rules: (inverter: string) => ControlRules;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly onReadBack: () => void;
}

/** Why the end of a lease is not sent that somebody has given up or replaced meanwhile. */
export const leaseIsOver = "the lease was given up or replaced meanwhile";

/** Refused right before the first write, for a reason that only showed there. */
class Objection extends Error {}

/**
 * One change on one unit, with its intent in the journal before anything leaves, and within the write budget. Rejects with
 * the signal's reason only; what was sent by then is found out at the next start.
 */
export async function attempt(change: SettingChange, options: AttemptOptions): Promise<Outcome> {
  const { setting, unit, journal, clock, logger, signal } = options;
  const startedAt = clock.now();
  let intents = 0;
  let before: SettingValue | undefined;
  const ended = (reason: string): UnitOutcome => ({
    ...(intents === 0 ? { kind: "refused", by: "us" } : { kind: "unconfirmed" }),
    reason,
    ...(before !== undefined && { before, ...(intents === 0 && { after: before }) }),
    written: [],
    startedAt,
    endedAt: clock.now(),
  });
  try {
    const other = otherUnit(change, options);
    if (other !== undefined) return { change, ...ended(other) };
    const badTerm = await termObjection(change, options);
    if (badTerm !== undefined) return { change, ...ended(badTerm) };
    const result = await unit.control.change(setting, change.value, {
      signal,
      onReadBack: options.onReadBack,
      beforeWrite: async ({ command }, present) => {
        before = present;
        mustBeWritable(change, present, intents, options);
        await journal.add({
          kind: "intent",
          change,
          command,
          ...whoIs(unit),
          ...(present !== undefined && { before: present }),
        });
        intents++;
      },
    });
    return { change, ...result };
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof Objection) return { change, ...ended(error.message) };
    if (error instanceof SinkError) return { change, ...ended(`what cannot be put into the journal is not sent: ${error.message}`) };
    logger.error(`${change.inverter}: a mistake in sonkrag itself while changing ${change.setting}: ${stackOf(error)}`);
    return { change, ...ended(`a mistake in sonkrag itself, which its log tells: ${String(error)}`) };
  }
}

/** Why the end of a lease is not for the unit that is there; absent when it is. */
function otherUnit({ actor }: SettingChange, { journal, unit }: AttemptOptions): string | undefined {
  const meant = actor.via === "lease" ? journal.ledger.leaseOf(actor.name ?? "")?.who : undefined;
  const doubt = doubtOf(meant, unit);
  return doubt && `the lease is ${doubt.reason}; \`sonkrag leases end\` gives it up`;
}

/** `sent` is how many commands of this change have left already. Throws Objection. */
function mustBeWritable(change: SettingChange, before: SettingValue | undefined, sent: number, options: AttemptOptions): void {
  const { setting, rules, journal } = options;
  const { name } = setting.info;
  const { ledger } = journal;
  const isRevert = change.actor.via === "lease";
  const lease = isRevert ? ledger.leaseOf(change.actor.name ?? "") : undefined;
  if (isRevert && lease === undefined) throw new Objection(leaseIsOver);
  const expected = lease === undefined ? options.expected : lease.isSet ? lease.value : undefined;
  if (expected !== undefined && (before === undefined || !holds(setting, expected, before)))
    throw new Objection(`${name} was changed since: expected ${settingText(expected)}, found ${settingText(before ?? "nothing")}`);
  const { perHour, perDay } = rules(change.inverter).budget;
  const { lastHour, lastDay } = ledger.budget.used(change);
  // Every lease keeps one write for its end; this one is among them once its first command has been announced.
  const own = change.until !== undefined && sent === 0 ? 1 : 0;
  const kept = isRevert ? 0 : ledger.reserved(change.inverter, name) + own;
  for (const { used, most, span } of [
    { used: lastHour, most: perHour, span: "an hour" },
    { used: lastDay, most: perDay, span: "a day" },
  ])
    if (used + kept + 1 > most)
      throw new Objection(
        `${name} was written ${used} times within ${span}${kept > 0 ? `, ${kept} more are kept for the end of leases` : ""}, and ` +
          `${most} ${span} are allowed (\`control: {budget: …}\`): every write wears the inverter's memory`,
      );
}

/** Why a lease could not be ended; absent for a change that is none. */
async function termObjection({ until }: SettingChange, { setting, unit, signal }: AttemptOptions): Promise<string | undefined> {
  if (until === undefined) return undefined;
  if (setting.readBack === undefined) return "nobody can tell when this lease has ended: the setting cannot be read back";
  const [state] = await unit.control.read([setting], { signal });
  // Without `allowed` the change itself is refused, with a better reason.
  if (state?.allowed === undefined || isAllowed(state.allowed, until.next)) return undefined;
  return `after the lease: expected ${describeAllowed(state.allowed, setting.info.unit)}, got ${typeof until.next === "string" ? JSON.stringify(until.next) : settingText(until.next)}`;
}

export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
