import { metric } from "../../model/metric.ts";
import type { Value, Values } from "../../model/reading.ts";
import type { Codec } from "../field.ts";
import { chargerSourcePriorities, outputSourcePriorities } from "./choices.ts";
import { findFamily } from "./families.ts";
import type { CodeTable } from "./family.ts";

/** The word for a code of a reply, which may have fewer digits than the table; `unknown:CODE` where the table has none. */
export function wordOf(table: CodeTable, digits: string): string {
  return Object.entries(table).find(([code]) => Number(code) === Number(digits))?.[1] ?? `unknown:${digits}`;
}

/** Values that hold words of a priority, or lists of them. */
const priorities = [
  {
    codec: outputSourcePriorities as Codec<string>,
    tableOf: (family: string): CodeTable => findFamily(family).outputPriorities,
    metrics: [
      metric.outputSourcePriority,
      metric.outputSourcePriorityNow,
      metric.outputSourcePriorityByHour,
      metric.outputSourcePriorityOrder,
    ],
  },
  {
    codec: chargerSourcePriorities as Codec<string>,
    tableOf: (family: string): CodeTable => findFamily(family).chargerPriorities,
    metrics: [
      metric.chargerSourcePriority,
      metric.chargerSourcePriorityNow,
      metric.chargerSourcePriorityByHour,
      metric.chargerSourcePriorityOrder,
    ],
  },
];

/**
 * The same values with the priorities in the words of this family. Replies are decoded without knowing the make; on some
 * makes the same code means something else (notes §7).
 */
export function inWordsOf(family: string, values: Values): Values {
  const changes: Record<string, Value> = {};
  for (const { codec, tableOf, metrics } of priorities) {
    const inWords = (word: string): string => wordOf(tableOf(family), codec.encode(word));
    for (const { key } of metrics) {
      const value = values[key];
      if (typeof value === "string") changes[key] = inWords(value);
      else if (Array.isArray(value)) changes[key] = (value as readonly string[]).map(inWords);
    }
  }
  return Object.keys(changes).length === 0 ? values : { ...values, ...changes };
}
