import type { Metric } from "../../../model/metric.ts";
import type { Value } from "../../../model/reading.ts";
import type { Allowed, SettingInfo, SettingValue } from "../../../model/setting.ts";
import type { Query } from "../../command.ts";
import type { Codec } from "../../field.ts";
import type { Effect, NotOffered, ReadBack, Setting, UnitFacts, UnitMake } from "../../setting.ts";
import { findFamily } from "../families.ts";
import type { CodeTable, Family, Paper } from "../family.ts";
import { wordOf } from "../words.ts";

/** What every declaration of a setting says; the rest follows from its kind. */
export interface Declaration extends Omit<SettingInfo, "name" | "label" | "unit" | "form"> {
  readonly code: string;
  readonly source: string;
  /** The papers that know the command; every paper where absent. */
  readonly papers?: readonly Paper[];
  /** Families that have it under this name; all where absent. */
  readonly only?: (family: Family) => boolean;
  /** Answers to look at besides the one in which the value is read back. */
  readonly needs?: readonly Query[];
  /** Why it cannot be changed on this unit or at the moment. */
  readonly locked?: (facts: UnitFacts) => NotOffered | undefined;
  readonly check?: Setting["check"];
  readonly effect?: Effect;
}

/** Name, label and unit; a metric says all three. */
export type Named = Pick<SettingInfo, "name" | "label" | "unit">;

export const called = ({ key, label, unit }: Metric): Named => ({ name: key, label, ...(unit && { unit }) });

export const lacking = (reason: string): NotOffered => ({ kind: "none", because: "lacking", reason });
export const locked = (reason: string): NotOffered => ({ kind: "none", because: "locked", reason });

/** What makes a kind of setting. */
interface Kind {
  readonly form?: SettingInfo["form"];
  readonly shape: string;
  readonly readBack: ReadBack | undefined;
  readonly values: (facts: UnitFacts) => Allowed | NotOffered;
  readonly commands: Setting["commands"];
  readonly parse: Setting["parse"];
}

/** Puts a setting together: what its unit does not have is not offered, whatever its kind. */
export function define(named: Named, declaration: Declaration, kind: Kind): Setting {
  const { code, source, papers, only = () => true, needs = [], locked: lock, check, effect, ...info } = declaration;
  const { readBack } = kind;
  const missing = (facts: UnitFacts): NotOffered | undefined => {
    const family = findFamily(facts.family);
    const known = papers === undefined || family.papers.some((paper) => papers.includes(paper));
    // Of a model without a paper, only what it shows by itself is known.
    const shown = readBack !== undefined && family.papers.length === 0;
    if (family.closed !== undefined) return lacking(family.closed);
    if (!only(family)) return lacking(`models of this family (${family.title}) have no such setting`);
    if (!known && !shown && !facts.wide) return lacking(`${code} is not among the commands that are known of this model (${family.title})`);
    if (readBack !== undefined && readBack.read(facts.values, facts) === undefined)
      return lacking(`this unit does not tell it in its answer to ${readBack.query.code}`);
    return lock?.(facts);
  };
  return {
    kind: "setting",
    code,
    info: { ...named, ...info, ...(kind.form && { form: kind.form }) },
    source,
    shape: kind.shape,
    needs: readBack ? [...new Set([readBack.query, ...needs])] : needs,
    readBack,
    allowed: (facts) => missing(facts) ?? kind.values(facts),
    check: check ?? (() => undefined),
    commands: (value, facts) => (only(findFamily(facts.family)) ? kind.commands(value, facts) : []),
    parse: (command, facts) => (only(findFamily(facts.family)) ? kind.parse(command, facts) : undefined),
    effect,
  };
}

/** Where a value is read back: the name in a query's reply. */
interface ReadFrom {
  readonly query: Query;
  readonly key: string;
}

/** The argument of a command with this code; absent for another command. */
export function argumentOf(code: string, command: string): string | undefined {
  return command.startsWith(code) ? command.slice(code.length) : undefined;
}

/** A value read and written without translation. */
export function plainly({ query, key }: ReadFrom, isOne: (value: Value | undefined) => value is SettingValue): ReadBack {
  return {
    query,
    read: (values) => {
      const value = values[key];
      return isOne(value) ? value : undefined;
    },
    changed: (values, value) => ({ ...values, [key]: value }),
  };
}

export const isNumber = (value: Value | undefined): value is number => typeof value === "number";
const isBoolean = (value: Value | undefined): value is boolean => typeof value === "boolean";

/** One of several words. The codes of command and reply are the same number; the same code may be another word on another make. */
export interface Choice extends ReadFrom {
  /** Words by the argument of the command. */
  readonly table: (unit: UnitMake) => CodeTable;
  /** Arguments the unit takes; all of the table where absent. */
  readonly taken?: (facts: UnitFacts) => readonly string[];
  /** How the reply's code is written, so that its digits are known. */
  readonly codec: Codec<string>;
  readonly shape: string;
  /** The command for an argument, where more than the argument follows the code. */
  readonly command?: (argument: string, facts: UnitFacts) => string | undefined;
  readonly matches?: ReadBack["matches"];
}

export function choiceSetting(named: Named, declaration: Declaration, choice: Choice): Setting {
  const { query, key, table, taken, codec, shape, matches } = choice;
  const command = choice.command ?? ((argument: string) => declaration.code + argument);
  const argumentOfWord = (word: SettingValue, unit: UnitMake): string | undefined =>
    Object.entries(table(unit)).find(([, listed]) => listed === word)?.[0];
  const offered = (facts: UnitFacts): string[] => {
    const words = table(facts);
    return Object.keys(words)
      .sort()
      .filter((argument) => (taken?.(facts).includes(argument) ?? true) && command(argument, facts) !== undefined);
  };
  return define(named, declaration, {
    shape,
    readBack: {
      query,
      read(values, unit) {
        const word = values[key];
        if (typeof word !== "string") return undefined;
        return wordOf(table(unit), codec.encode(word));
      },
      changed(values, word, unit) {
        const argument = argumentOfWord(word, unit) ?? "";
        // The reply may have fewer digits than the command.
        const decoded = codec.decode(argument) ?? codec.decode(argument.replace(/^0+(?=.)/, ""));
        return decoded === undefined ? values : { ...values, [key]: decoded };
      },
      ...(matches && { matches }),
    },
    values: (facts) => ({ kind: "list", values: offered(facts).map((argument) => table(facts)[argument]!) }),
    commands(word, facts) {
      const argument = argumentOfWord(word, facts);
      const sent = argument === undefined ? undefined : command(argument, facts);
      return sent === undefined ? [] : [sent];
    },
    parse: (text, facts) =>
      text.startsWith(declaration.code)
        ? Object.entries(table(facts)).find(([argument]) => command(argument, facts) === text)?.[1]
        : undefined,
  });
}

/** An amount: always as many digits as documented, zero padded. */
interface Amount extends ReadFrom {
  readonly width: number;
  readonly digits: number;
  readonly values: (facts: UnitFacts) => Allowed | NotOffered;
}

export function amountSetting(named: Named, declaration: Declaration, { width, digits, values, ...from }: Amount): Setting {
  return define(named, declaration, {
    shape: digits === 0 ? "N".repeat(width) : `${"N".repeat(width - digits - 1)}.${"N".repeat(digits)}`,
    readBack: plainly(from, isNumber),
    values,
    ...amountForm(declaration.code, width, digits),
  });
}

/** Command and number, each from the other. */
function amountForm(code: string, width: number, digits: number): Pick<Setting, "commands" | "parse"> {
  const pattern = new RegExp(digits === 0 ? `^\\d{${width}}$` : `^\\d{${width - digits - 1}}\\.\\d{${digits}}$`);
  return {
    commands(value) {
      const text = typeof value === "number" ? value.toFixed(digits).padStart(width, "0") : "";
      return pattern.test(text) ? [code + text] : [];
    },
    parse(command) {
      const text = argumentOf(code, command);
      return text !== undefined && pattern.test(text) ? Number(text) : undefined;
    },
  };
}

/** On and off, `1` and `0`. */
export function switchSetting(named: Named, declaration: Declaration, from: ReadFrom | undefined): Setting {
  const { code } = declaration;
  return define(named, declaration, {
    form: "switch",
    shape: "0 off · 1 on",
    readBack: from && plainly(from, isBoolean),
    values: () => ({ kind: "list", values: [true, false] }),
    commands: (value) => [`${code}${value === true ? 1 : 0}`],
    parse: (command) => (command === `${code}1` ? true : command === `${code}0` ? false : undefined),
  });
}

/** Something that is done once. Its only value is `true`. */
export function actionSetting(named: Named, declaration: Declaration, readBack?: ReadBack): Setting {
  return define(named, declaration, {
    form: "action",
    shape: "no argument",
    readBack,
    values: () => ({ kind: "list", values: [true] }),
    commands: (value) => (value === true ? [declaration.code] : []),
    parse: (command) => (command === declaration.code ? true : undefined),
  });
}

/** What an inquiry has no word for: the unit takes it, and nobody can read it back. */
export function blindSetting(
  named: Named,
  declaration: Declaration,
  { width, values }: { readonly width: number; readonly values: Allowed },
): Setting {
  return define(named, declaration, {
    shape: "N".repeat(width),
    readBack: undefined,
    values: () => values,
    ...amountForm(declaration.code, width, 0),
  });
}
