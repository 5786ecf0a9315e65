import { metric } from "../../model/metric.ts";
import type { Value } from "../../model/reading.ts";
import { layout, query, wholeQuery } from "../command.ts";
import { field, int, text, type Codec } from "../field.ts";
import { chargerSourcePriorities, outputSourcePriorities } from "./choices.ts";

/** 24 digits, one an hour; newer papers add the current priority and the order of the three. */
function hourTable<const ByHour extends string, const Now extends string, const Order extends string>(
  words: Codec<string>,
  names: { readonly byHour: ByHour; readonly now: Now; readonly order: Order },
) {
  type Table = { readonly [K in ByHour]: readonly string[] } & { readonly [K in Now]?: string } & {
    readonly [K in Order]?: readonly string[];
  };
  const codec: Codec<Table> = {
    shape: "24 digits for the hours from 00, then in some firmware the current priority and the order of the three",
    decode(raw) {
      const digits = raw.replace(/ +$/, "");
      if (!/^\d( \d){23}(( \d){4})?$/.test(digits)) return undefined;
      const all = digits.split(" ").map((digit) => words.decode(digit) ?? digit);
      const values: Record<string, Value> = { [names.byHour]: all.slice(0, 24) };
      if (all.length === 28) {
        values[names.now] = all[24]!;
        values[names.order] = all.slice(25);
      }
      return values as Table;
    },
    encode(values: { readonly [name: string]: unknown }) {
      const lists = [values[names.byHour], values[names.now] ?? [], values[names.order] ?? []];
      return (lists.flat() as string[]).map((word) => words.encode(word)).join(" ");
    },
  };
  return { codec, names: [names.byHour] as const, optional: [names.now, names.order] as const };
}

export const QOPPT = wholeQuery("QOPPT", {
  title: "Output source priority by hour",
  source: "notes §8.19",
  cadence: "slow",
  shape: "hours",
  ...hourTable(outputSourcePriorities as Codec<string>, {
    byHour: "outputSourcePriorityByHour",
    now: "outputSourcePriorityNow",
    order: "outputSourcePriorityOrder",
  }),
  legend: [outputSourcePriorities.shape],
});

export const QCHPT = wholeQuery("QCHPT", {
  title: "Charger source priority by hour",
  source: "notes §8.19",
  cadence: "slow",
  shape: "hours",
  ...hourTable(chargerSourcePriorities as Codec<string>, {
    byHour: "chargerSourcePriorityByHour",
    now: "chargerSourcePriorityNow",
    order: "chargerSourcePriorityOrder",
  }),
  legend: [chargerSourcePriorities.shape],
});

/** Three digits, the highest priority first. */
function orderOf(words: Codec<string>): Codec<readonly string[]> {
  const digits = text("three digits, the highest first", /^\d{3}$/);
  return {
    shape: digits.shape,
    decode: (raw) => (digits.decode(raw) === undefined ? undefined : Array.from(raw, (digit) => words.decode(digit) ?? digit)),
    encode: (order) => digits.encode(order.map((word) => words.encode(word)).join("")),
  };
}

export const QOPCHT = query("QOPCHT", {
  title: "Hours of the priorities",
  source: "notes §8.19; DMK2, struck through there",
  cadence: "onDemand",
  layouts: [
    layout(
      [16, 16],
      [
        field(metric.outputSourcePriorityNow, outputSourcePriorities),
        field(metric.utilityFirstFromHour, int(2)),
        field(metric.utilityFirstToHour, int(2)),
        field(metric.solarFirstFromHour, int(2)),
        field(metric.solarFirstToHour, int(2)),
        field(metric.sbuFromHour, int(2)),
        field(metric.sbuToHour, int(2)),
        field(metric.chargerSourcePriorityNow, chargerSourcePriorities),
        field(metric.chargeSolarFirstFromHour, int(2)),
        field(metric.chargeSolarFirstToHour, int(2)),
        field(metric.chargeSolarAndUtilityFromHour, int(2)),
        field(metric.chargeSolarAndUtilityToHour, int(2)),
        field(metric.chargeOnlySolarFromHour, int(2)),
        field(metric.chargeOnlySolarToHour, int(2)),
        field(metric.outputSourcePriorityOrder, orderOf(outputSourcePriorities as Codec<string>)),
        field(metric.chargerSourcePriorityOrder, orderOf(chargerSourcePriorities as Codec<string>)),
      ],
    ),
  ],
});
