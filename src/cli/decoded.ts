import { valueText } from "../app/value-text.ts";
import { findMetric } from "../model/metric.ts";
import type { Value, Values } from "../model/reading.ts";
import type { Reply } from "../protocol/decode.ts";
import { columns } from "./terminal.ts";

/** What a reply says; a value without a unit has null there. */
export type Decoded =
  | {
      readonly kind: "data";
      readonly values: Readonly<Record<string, { readonly value: Value; readonly unit: string | null }>>;
      readonly tail: readonly string[];
    }
  | { readonly kind: "ack" }
  | { readonly kind: "nak" };

/** A reply as it is printed for machines. */
export function decodedOf(reply: Reply<unknown>): Decoded {
  if (reply.kind !== "data") return { kind: reply.kind };
  const values = reply.values as Values;
  const withUnits = Object.entries(values).map(([name, value]) => [name, { value, unit: findMetric(name)?.unit ?? null }] as const);
  return { kind: "data", values: Object.fromEntries(withUnits), tail: reply.tail };
}

/** For people: name, value, unit and label, a line each. */
export function tableOf(decoded: Decoded): string {
  if (decoded.kind !== "data") return `${decoded.kind.toUpperCase()}\n`;
  const rows = Object.entries(decoded.values).map(([name, { value, unit }]) => {
    const metric = findMetric(name);
    return [name, `${valueText(value, metric)}${unit === null ? "" : ` ${unit}`}`, metric?.label ?? ""];
  });
  const tail = decoded.tail.length === 0 ? [] : [`further fields: ${decoded.tail.join(" ")}`];
  return [...columns(rows), ...tail].map((line) => `${line}\n`).join("");
}
