import { metric } from "../../model/metric.ts";
import type { Value, Values } from "../../model/reading.ts";
import type { Codec } from "../field.ts";
import { chargerSourcePriorities, outputModes, outputSourcePriorities, splitPhaseModes } from "./choices.ts";
import { findFamily } from "./families.ts";
import type { CodeTable, Family, Paper } from "./family.ts";
import { unitStatuses } from "./parallel.ts";
import { deviceStatuses, revoStatuses } from "./status.ts";

/** The word for a code of a reply, which may have fewer digits than the table; `unknown:CODE` where the table has none. */
export function wordOf(table: CodeTable, digits: string): string {
  return Object.entries(table).find(([code]) => Number(code) === Number(digits))?.[1] ?? `unknown:${digits}`;
}

/** Values that hold words whose codes mean something else on some makes, or lists of them. */
const vocabularies: readonly {
  readonly codec: Codec<string>;
  /** Absent where the words are the common ones. */
  readonly wordOn: (family: Family) => ((code: string) => string | undefined) | undefined;
  readonly metrics: readonly { readonly key: string }[];
}[] = [
  {
    codec: outputSourcePriorities,
    wordOn:
      ({ outputPriorities }) =>
      (code) =>
        wordOf(outputPriorities, code),
    metrics: [
      metric.outputSourcePriority,
      metric.outputSourcePriorityNow,
      metric.outputSourcePriorityByHour,
      metric.outputSourcePriorityOrder,
    ],
  },
  {
    codec: chargerSourcePriorities,
    wordOn:
      ({ chargerPriorities }) =>
      (code) =>
        wordOf(chargerPriorities, code),
    metrics: [
      metric.chargerSourcePriority,
      metric.chargerSourcePriorityNow,
      metric.chargerSourcePriorityByHour,
      metric.chargerSourcePriorityOrder,
    ],
  },
  {
    codec: outputModes,
    wordOn: ({ isSplitPhase }) => (isSplitPhase ? (code) => splitPhaseModes.decode(code) : undefined),
    metrics: [metric.outputMode],
  },
];

/**
 * The same values in the words of this family. Replies are decoded without knowing the make; on some makes the same code,
 * or the same bit of the status, means something else (notes §7, §8.8).
 */
export function inWordsOf(key: string, values: Values): Values {
  const family = findFamily(key);
  const changes: Record<string, Value> = {};
  for (const { codec, wordOn, metrics } of vocabularies) {
    const wordFor = wordOn(family);
    if (!wordFor) continue;
    const inWords = (word: string): string => wordFor(codec.encode(word)) ?? word;
    for (const of of metrics) {
      const value = values[of.key];
      if (typeof value === "string") changes[of.key] = inWords(value);
      else if (Array.isArray(value)) changes[of.key] = (value as readonly string[]).map(inWords);
    }
  }
  const { [metric.maxAcChargeCurrent.key]: first, [metric.maxChargeCurrent.key]: second } = values;
  // Only the factory defaults have the output voltage under this name.
  if (family.swapsDefaultCurrents && metric.outputVoltageSetting.key in values && first !== undefined && second !== undefined)
    Object.assign(changes, { [metric.maxAcChargeCurrent.key]: second, [metric.maxChargeCurrent.key]: first });
  const all = Object.keys(changes).length === 0 ? values : { ...values, ...changes };
  return renamed(family, withStatusOf(family, all));
}

function renamed({ renamed: names }: Family, values: Values): Values {
  if (!names) return values;
  const entries = Object.entries(values);
  const kept = entries.filter(([name]) => !Object.hasOwn(names, name));
  // What gets a name takes it from what had it: a Revo's PV power stands in another place.
  const moved = entries.flatMap(([name, value]) => (names[name] ? [[names[name], value] as const] : []));
  return Object.fromEntries([...kept, ...moved]);
}

const namesOf = (codec: Codec<readonly string[]>): readonly string[] => codec.decode("1".repeat(8)) ?? [];
const commonStatus = namesOf(deviceStatuses);
const splitPhaseStatus = namesOf(unitStatuses);
const revoStatus = namesOf(revoStatuses);

/** Papers in which b7 of the status tells that PV or grid feeds the load, and b3 is reserved; in the others it is as decoded. */
const feedsLoad: ReadonlySet<Paper> = new Set(["DGK", "DMK2", "DTWIN"]);

/** What the bits are called on a family, b7 first; b7 and b3 stay without a meaning where its papers do not agree or there are none. */
function statusNames({ papers, isSplitPhase, renamed: others }: Family): readonly string[] {
  if (isSplitPhase) return splitPhaseStatus;
  if (others) return revoStatus;
  const feeds = papers.some((paper) => feedsLoad.has(paper));
  const isAsDecoded = papers.some((paper) => !feedsLoad.has(paper));
  if (isAsDecoded && !feeds) return commonStatus;
  const b7 = feeds && !isAsDecoded ? "pvOrGridFeedsLoad" : "b7";
  return commonStatus.map((name) => (name === "sbuPriorityAdded" ? b7 : name === "batterySteady" ? "b3" : name));
}

function withStatusOf(family: Family, values: Values): Values {
  const { [metric.deviceStatus.key]: status, ...rest } = values;
  const names = statusNames(family);
  if (!Array.isArray(status) || names === commonStatus) return values;
  const told = (status as readonly string[]).map((name) => names[commonStatus.indexOf(name)] ?? name);
  return { ...rest, [(family.isSplitPhase ? metric.unitStatus : metric.deviceStatus).key]: told };
}
