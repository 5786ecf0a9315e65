import { z } from "zod";
import { eventKinds, levels, type Bucket, type HistoryEvent, type Level, type Span } from "../model/history.ts";
import { periodKinds } from "../model/local-periods.ts";
import type { Unit } from "../model/metric.ts";
import type { Origin } from "../model/reading.ts";

const unitMs: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const timeText =
  "expected UTC milliseconds, an ISO time with its zone such as 2026-01-31T06:00:00+02:00, or one before now such as -24h or -7d";

/** A moment: absolute, or counted back from now. */
const moment = z.string().transform((text, context): { readonly at: number } | { readonly beforeNowMs: number } => {
  const back = /^-(\d{1,6})(s|min|h|d)$/.exec(text);
  if (back !== null) return { beforeNowMs: Number(back[1]) * (unitMs[back[2] ?? ""] ?? 0) };
  const at = /^\d{1,16}$/.test(text) ? Number(text) : /[Zz]$|[+-]\d{2}:\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) context.addIssue({ code: "custom", message: timeText });
  return { at };
});

const id = z.string({ error: "expected an inverter" }).min(1).max(100);
const whole = (most: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, `expected a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((value) => value >= 1 && value <= most, `expected a whole number from 1 to ${most}`);

const range = { from: moment, to: moment.optional() };
const series = {
  inverter: id,
  command: z.string().max(20).optional(),
  name: z.string({ error: "expected the name of a value" }).min(1).max(100),
};

/** Most points of one answer. */
export const mostPoints = 10_000;
export const mostEvents = 10_000;

/** `GET /api/v1/series`. */
export const seriesQuerySchema = z.strictObject({
  ...range,
  ...series,
  points: whole(mostPoints).optional(),
  level: z.enum(levels, { error: `expected one of ${levels.join(", ")}` }).optional(),
});

/** `GET /api/v1/spans`. */
export const spansQuerySchema = z.strictObject({ ...range, ...series });

/** `GET /api/v1/events`. */
export const eventsQuerySchema = z.strictObject({
  ...range,
  inverter: id.optional(),
  kinds: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(eventKinds, { error: `expected some of ${eventKinds.join(", ")}, with commas between` })))
    .optional(),
  limit: whole(mostEvents).optional(),
});

/** What energy is summed over. */
export const energySteps = ["15min", ...periodKinds] as const;
export type EnergyStep = (typeof energySteps)[number];

/** `GET /api/v1/energy`. */
export const energyQuerySchema = z.strictObject({
  ...range,
  by: z.enum(energySteps, { error: `expected one of ${energySteps.join(", ")}` }).default("day"),
  unit: id.optional(),
});

/** What is kept, by inverter and command; times are UTC epoch milliseconds. */
export interface HistoryDocument {
  readonly contents: readonly {
    readonly inverter: string;
    readonly command: string;
    readonly first: number;
    readonly last: number;
    readonly series: readonly {
      readonly name: string;
      readonly label: string;
      readonly unit?: Unit;
      readonly origin: Origin;
      readonly type: "number" | "span";
    }[];
  }[];
}

/** A series, column by column: lists of the same length. Times are UTC epoch milliseconds; a bucket without a value is left out. */
export interface SeriesDocument {
  readonly inverter: string;
  readonly name: string;
  readonly label: string;
  readonly unit?: Unit;
  readonly from: number;
  readonly to: number;
  readonly level: Level;
  /** Milliseconds of a bucket; absent for single readings and local days. */
  readonly bucketMs?: number;
  readonly at: readonly Bucket["at"][];
  readonly count: readonly Bucket["count"][];
  readonly min: readonly Bucket["min"][];
  readonly max: readonly Bucket["max"][];
  readonly mean: readonly Bucket["mean"][];
  /** Milliseconds of each bucket for which a value was known. */
  readonly coveredMs: readonly Bucket["coveredMs"][];
}

export interface SpansDocument {
  readonly inverter: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly spans: readonly Span[];
}

export interface EventsDocument {
  readonly from: number;
  readonly to: number;
  readonly events: readonly HistoryEvent[];
}

/** Energy of one flow in one period. */
export interface FlowDocument {
  readonly wattHours: number;
  /** Share of the period, as far as it is over, for which the power was known, 0 to 1. */
  readonly coverage: number;
  readonly origin: Origin;
}

/** Energy by unit and, where there are several, together; a flow that is missing was not known. */
export interface EnergyDocument {
  readonly from: number;
  readonly to: number;
  readonly by: EnergyStep;
  readonly units: readonly {
    /** Absent for all units together. */
    readonly unit?: string;
    readonly periods: readonly {
      readonly from: number;
      readonly to: number;
      /** `2026-10-25`, `2026-10`, `2026`; absent for quarters of an hour. */
      readonly key?: string;
      readonly flows: Readonly<Record<string, FlowDocument | undefined>>;
    }[];
  }[];
}
