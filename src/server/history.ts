import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import type { z } from "zod";
import {
  energyQuerySchema,
  eventsQuerySchema,
  seriesQuerySchema,
  spansQuerySchema,
  type EnergyDocument,
  type EnergyStep,
  type EventsDocument,
  type HistoryDocument,
  type SeriesDocument,
  type SpansDocument,
} from "../api/history.ts";
import { SonkragError, type ErrorCode } from "../model/errors.ts";
import type { TimeRange } from "../model/history.ts";
import { findMetric } from "../model/metric.ts";
import type { HistoryReader } from "../store/ports.ts";

type Signal = { readonly signal: AbortSignal };

/** What the routes need of history. */
export interface HistorySource {
  readonly reader: HistoryReader;
  /** Energy by unit and together; of one unit where it is named. */
  energy(
    query: TimeRange & { readonly by: EnergyStep; readonly unit?: string | undefined },
    options: Signal,
  ): Promise<EnergyDocument["units"]>;
  /** UTC epoch milliseconds. */
  now(): number;
}

interface Options {
  readonly source: HistorySource;
  readonly problem: (status: number, code: string, message: string, headers?: Record<string, string>) => Response;
}

type App = Hono<{ Bindings: HttpBindings }>;
type Ctx = Context<{ Bindings: HttpBindings }>;

/** Questions that are answered or wait at a time; each may hold megabytes. */
const mostQuestions = 16;
const noStore = { "cache-control": "no-store" };
/** A range that ended so long ago changes no more, an import apart. */
const settledMs = 2 * 3_600_000;

const statusOf: Partial<Record<ErrorCode, number>> = {
  "inverter-unknown": 404,
  "series-unknown": 404,
  "request-invalid": 400,
  "value-invalid": 400,
};

/** What was kept: table of contents, series, spans, events and energy. A question whose client goes away is given up. */
export function addHistoryRoutes(app: App, { source, problem }: Options): void {
  let open = 0;

  /** One question: reads the query, asks, answers. */
  const ask = <Query>(
    path: string,
    schema: z.ZodType<Query, Record<string, unknown>>,
    answer: (query: Query, options: Signal, c: Ctx) => Promise<unknown>,
  ): void => {
    app.get(path, async (c) => {
      const parsed = schema.safeParse(c.req.query());
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const place = issue?.path.join(".") || (issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : "query");
        const got = c.req.query(place);
        return problem(
          400,
          "request-invalid",
          `${place}: ${issue?.message ?? "expected something else"}${got === undefined ? "" : `, got ${got.slice(0, 100)}`}`,
        );
      }
      if (open >= mostQuestions)
        return problem(503, "too-many-questions", `expected at most ${mostQuestions} questions about history at a time`, {
          "retry-after": "1",
        });
      const gone = new AbortController();
      const leave = (): void => gone.abort(new DOMException("The client has gone", "AbortError"));
      c.env.outgoing.once("close", leave);
      open++;
      try {
        const document = await answer(parsed.data, { signal: gone.signal }, c);
        return c.json(document as object);
      } catch (error) {
        if (gone.signal.aborted) return problem(499, "client-gone", "the client has gone");
        const status = error instanceof SonkragError ? statusOf[error.code] : undefined;
        if (!(error instanceof SonkragError) || status === undefined) throw error;
        return problem(status, error.code, error.message);
      } finally {
        open--;
        c.env.outgoing.off("close", leave);
      }
    });
  };

  const rangeOf = ({ from, to }: Pick<z.output<typeof seriesQuerySchema>, "from" | "to">, c: Ctx): TimeRange => {
    const now = source.now();
    const at = (given: typeof from): number => ("at" in given ? given.at : now - given.beforeNowMs);
    const range = { from: at(from), to: to === undefined ? now + 1 : at(to) };
    c.header(
      "cache-control",
      to !== undefined && "at" in from && "at" in to && range.to < now - settledMs ? "private, max-age=300" : "no-store",
    );
    return range;
  };

  app.get("/api/v1/history", async (c) => {
    const contents = (await source.reader.contents()).map(({ names, ...stream }) => ({
      ...stream,
      series: names.map(({ name, origin, type }) => ({ name, ...described(name), origin, type })),
    }));
    return c.json({ contents } satisfies HistoryDocument, 200, noStore);
  });

  ask("/api/v1/series", seriesQuerySchema, async ({ from, to, inverter, command, name, points, level }, options, c) => {
    const range = rangeOf({ from, to }, c);
    const { buckets, ...found } = await source.reader.series(
      {
        ...range,
        inverter,
        name,
        ...(command !== undefined && { command }),
        ...(points !== undefined && { points }),
        ...(level !== undefined && { level }),
      },
      options,
    );
    return {
      inverter,
      name,
      ...described(name),
      ...range,
      ...found,
      at: buckets.map((bucket) => bucket.at),
      count: buckets.map((bucket) => bucket.count),
      min: buckets.map((bucket) => bucket.min),
      max: buckets.map((bucket) => bucket.max),
      mean: buckets.map((bucket) => rounded(bucket.mean)),
      coveredMs: buckets.map((bucket) => bucket.coveredMs),
    } satisfies SeriesDocument;
  });

  ask("/api/v1/spans", spansQuerySchema, async ({ from, to, inverter, command, name }, options, c) => {
    const range = rangeOf({ from, to }, c);
    const spans = await source.reader.spans({ ...range, inverter, name, ...(command !== undefined && { command }) }, options);
    return { inverter, name, ...range, spans } satisfies SpansDocument;
  });

  ask("/api/v1/events", eventsQuerySchema, async ({ from, to, inverter, kinds, limit }, options, c) => {
    const range = rangeOf({ from, to }, c);
    const events = await source.reader.events(
      {
        ...range,
        ...(inverter !== undefined && { inverter }),
        ...(kinds !== undefined && { kinds }),
        ...(limit !== undefined && { limit }),
      },
      options,
    );
    return { ...range, events } satisfies EventsDocument;
  });

  ask("/api/v1/energy", energyQuerySchema, async ({ from, to, by, unit }, options, c) => {
    const range = rangeOf({ from, to }, c);
    return { ...range, by, units: await source.energy({ ...range, by, unit }, options) } satisfies EnergyDocument;
  });
}

function described(name: string): { readonly label: string; readonly unit?: NonNullable<ReturnType<typeof findMetric>>["unit"] & string } {
  const metric = findMetric(name);
  return { label: metric?.label ?? name, ...(metric?.unit !== undefined && { unit: metric.unit }) };
}

/** A mean needs no more digits than anybody can see. */
const rounded = (mean: number): number => Math.round(mean * 1e4) / 1e4;
