import type { Value, Values } from "../model/reading.ts";
import type { SettingValue } from "../model/setting.ts";
import { QMCHGCR, QMSCHGCR, QMUCHGCR } from "../protocol/pi30/currents.ts";
import { QPGSn } from "../protocol/pi30/parallel.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { settings } from "../protocol/pi30/settings/catalogue.ts";
import { isAllowed, type Setting, type UnitFacts } from "../protocol/setting.ts";
import type { Unit } from "./answers.ts";
import { consequences } from "./consequences.ts";
import type { Member } from "./member.ts";
import type { CurrentForm } from "./profile.ts";
import { profiles } from "./profiles.ts";

/** What a command that may change something comes to. */
export interface Judged {
  /** `unknown` is met as every unknown command is. */
  readonly verdict: "ack" | "nak" | "unknown";
  /** For people. */
  readonly outcome: string;
  /** Makes it true; absent where nothing changes. */
  readonly apply?: () => void;
}

/** How each form of a current is read; `mNN` takes `100` for "unit 1, 0 A". */
const readers: Readonly<Record<CurrentForm, (text: string) => { readonly unit?: number; readonly amperes: number } | undefined>> = {
  NNN: (text) => (/^\d{3}$/.test(text) ? { amperes: Number(text) } : undefined),
  mNN: (text) => (/^\d{3}$/.test(text) ? { unit: Number(text[0]), amperes: Number(text.slice(1)) } : undefined),
  mNNN: (text) => (/^\d{4}$/.test(text) ? { unit: Number(text[0]), amperes: Number(text.slice(1)) } : undefined),
};

/** What each command for a current sets, by the name under which QPIRI shows it, and which answer lists what is taken. */
const currents = {
  MCHGC: { shownAs: "maxChargeCurrent", list: QMCHGCR },
  MNCHGC: { shownAs: "maxChargeCurrent", list: QMCHGCR },
  MUCHGC: { shownAs: "maxAcChargeCurrent", list: QMUCHGCR },
  MSCHGC: { shownAs: undefined, list: QMSCHGCR },
} as const;
type CurrentCode = keyof typeof currents;

/** Of all models, the longest first: `POPLG00` is never read as a strange `POP`. */
const everyCode = [...new Set(profiles.flatMap((profile) => profile.settings.commands))].sort((one, other) => other.length - one.length);

/**
 * Judges a command as this unit's processor does. The currents are read after the unit's own profile, everything else
 * after the catalogue.
 */
export function judge(unit: Unit, command: string): Judged {
  const { member, members } = unit;
  const code = everyCode.find((known) => command.startsWith(known));
  if (code === undefined || !member.profile.settings.commands.includes(code)) return { verdict: "unknown", outcome: "unknown command" };
  if (Object.hasOwn(currents, code)) return judgeCurrent(unit, code as CurrentCode, command.slice(code.length));
  // Some commands name the unit that is meant.
  for (const target of new Set([member, ...members])) {
    for (const setting of settings) {
      const facts = factsOf(setting, target);
      const value = setting.parse(command, facts);
      if (value === undefined) continue;
      return target.powered ? judgeSetting(unit, target, setting, value, facts) : refused(`unit ${target.index} is not there`);
    }
  }
  return refused("no argument that this model takes");
}

function judgeCurrent(unit: Unit, code: CurrentCode, argument: string): Judged {
  const { shownAs, list } = currents[code];
  const { currents: forms, highestCurrent = Infinity } = unit.member.profile.settings;
  const read = (forms[code] ?? []).map((form) => readers[form](argument)).find((each) => each !== undefined);
  if (read === undefined) return refused(`${argument} is no form of a current on this model`);
  const { unit: index = unit.member.index, amperes } = read;
  const target = unit.members[index];
  if (target?.powered !== true) return refused(`read as ${amperes} A for unit ${index}, which is not there`);
  const taken: readonly unknown[] = Object.values(target.shown(list)).flat();
  if (!taken.includes(amperes)) return refused(`${amperes} A is not on its list`);
  if (amperes > highestCurrent) return refused(`${amperes} A is on its list, and yet it does not take it`);
  if (shownAs === undefined) return { verdict: "ack", outcome: `unit ${index}: ${amperes} A, shown nowhere` };
  return {
    verdict: "ack",
    outcome: `unit ${index}: ${shownAs} = ${amperes}`,
    apply: () => {
      change(unit, target, { [shownAs]: amperes });
    },
  };
}

function judgeSetting(unit: Unit, target: Member, setting: Setting, value: SettingValue, facts: UnitFacts): Judged {
  const own = setting.allowed({ ...facts, wide: false });
  // Its profile says that it has it, whatever the papers of its family say.
  const allowed = own.kind === "none" && own.because === "lacking" ? setting.allowed(facts) : own;
  const { name } = setting.info;
  if (allowed.kind === "none") return refused(`${name}: ${allowed.reason}`);
  if (!isAllowed(allowed, value)) return refused(`${name}: ${String(value)} is none of its values`);
  return {
    verdict: "ack",
    outcome: `unit ${target.index}: ${name} = ${String(value)}`,
    apply: () => {
      const { readBack } = setting;
      if (readBack !== undefined) {
        // The record of a parallel unit shows what that unit itself is set to.
        const query = readBack.query.code === QPGSn.code ? QPIRI : readBack.query;
        target.change(query, readBack.changed(target.shown(query), value, facts));
      }
      change(unit, target, consequences(unit, target, name, value));
    },
  };
}

/** The first unit of a system leads: the physics goes by it. */
function change(unit: Unit, target: Member, values: Values): void {
  target.change(QPIRI, values);
  if (target === unit.members[0]) unit.inverter.ratings = target.ratings;
}

function refused(why: string): Judged {
  return { verdict: "nak", outcome: `refused: ${why}` };
}

function factsOf({ needs }: Setting, member: Member): UnitFacts {
  const values: Record<string, Value> = {};
  for (const query of needs) Object.assign(values, member.shown(query));
  return { values, family: member.profile.family, unit: member.index, wide: true };
}
