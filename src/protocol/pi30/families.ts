import type { Family, FamilyRule } from "./family.ts";
import { families, unknownFamily } from "./family-list.ts";

/** What a unit has shown of itself; the card collects it. */
export interface FamilyEvidence {
  /** Reply to QGMN, e.g. `044`. */
  readonly modelNumber?: string | undefined;
  /** Reply to QMN, e.g. `VMIII-3200`. */
  readonly modelName?: string | undefined;
  readonly firmware?: string | undefined;
  /** How many fields the latest reply of a command had, by the command as sent. */
  readonly fields: Readonly<Record<string, number>>;
  /** True when the command was answered with data. */
  readonly answers: (command: string) => boolean;
  /** True when the command was asked and brought no data; a command that is not answered where absent. */
  readonly lacks?: ((command: string) => boolean) | undefined;
  /** The latest payload of a command, where it is known. */
  readonly payload?: ((command: string) => string | undefined) | undefined;
}

/** The family whose facts hold for this unit: the first in the list that fits, `unknown` when none does. */
export function familyOf(evidence: FamilyEvidence): Family {
  return families.find(({ rules }) => rules.some((rule) => fits(rule, evidence))) ?? unknownFamily;
}

/** By its key; `unknown` for a key that is none, e.g. out of a card of a later version. */
export function findFamily(key: string): Family {
  return families.find((family) => family.key === key) ?? unknownFamily;
}

function fits(rule: FamilyRule, { modelNumber, modelName, fields, answers, lacks, payload }: FamilyEvidence): boolean {
  const lacking = lacks ?? ((command: string) => !answers(command));
  const texts = rule.payload?.map(([command, pattern]) => pattern.test(payload?.(command) ?? "")) ?? [];
  const counts = Object.entries(rule.fields ?? {}).map(([command, wanted]) => wanted.includes(fields[command] ?? -1));
  return (
    (rule.modelNumbers === undefined || rule.modelNumbers.includes(modelNumber ?? "")) &&
    (rule.modelName === undefined || rule.modelName.test(modelName ?? "")) &&
    (rule.answers ?? []).every(answers) &&
    (rule.lacks ?? []).every(lacking) &&
    texts.every(Boolean) &&
    counts.every(Boolean)
  );
}
