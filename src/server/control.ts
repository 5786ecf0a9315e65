import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { z } from "zod";
import {
  changeBodySchema,
  undoBodySchema,
  type BudgetDocument,
  type JournalDocument,
  type LeasesDocument,
  type SettingsDocument,
} from "../api/control.ts";
import type { Actor, Outcome, SettingChange, SettingState } from "../model/control.ts";
import { RefusedError, SonkragError, type ErrorCode } from "../model/errors.ts";
import type { BudgetState, JournalEntry, Lease, LeaseState } from "../model/journal.ts";
import type { SettingLevel } from "../model/setting.ts";

/** What the routes need of the control service. */
export interface ControlSource {
  readonly inverters: readonly string[];
  readonly leases: readonly LeaseState[];
  knows(setting: string): boolean;
  rulesOf(inverter: string): { readonly enabled: boolean; readonly level: SettingLevel };
  settings(inverter: string, options: { readonly signal: AbortSignal }): Promise<readonly SettingState[]>;
  change(change: SettingChange, options: { readonly signal: AbortSignal }): Promise<Outcome>;
  undo(
    inverter: string,
    options: { readonly actor: Actor; readonly confirm?: string | undefined; readonly signal: AbortSignal },
  ): Promise<Outcome>;
  endLease(id: string, actor: Actor): Promise<Lease>;
  budget(inverter?: string): readonly BudgetState[];
  page(query: { readonly inverter?: string; readonly limit: number; readonly before?: number }): Promise<readonly JournalEntry[]>;
}

interface Options {
  readonly source: ControlSource;
  /** False for a server on a network address, unless the user allows it: there is no login. */
  readonly isOpen: boolean;
  readonly allowedHosts: readonly string[];
  readonly problem: (status: number, code: string, message: string) => Response;
}

type App = Hono<{ Bindings: HttpBindings }>;

/** More than any body of ours, and too little to hurt. */
const mostBytes = 8192;
const mostEntries = 1000;
const noStore = { "cache-control": "no-store" };

const statusOf: Partial<Record<ErrorCode, number>> = {
  "inverter-unknown": 404,
  "setting-unknown": 404,
  "lease-unknown": 404,
  "nothing-to-undo": 409,
  "request-invalid": 400,
};

const journalQuery = z.strictObject({
  inverter: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(mostEntries).default(100),
  before: z.coerce.number().int().min(1).optional(),
});

/** Methods besides GET and HEAD that may be used on a path. */
export function changingMethods(path: string): readonly string[] {
  if (/^\/api\/v1\/inverters\/[^/]+\/settings\/[^/]+$/.test(path)) return ["PUT"];
  if (/^\/api\/v1\/inverters\/[^/]+\/undo$/.test(path)) return ["POST"];
  return /^\/api\/v1\/leases\/[^/]+$/.test(path) ? ["DELETE"] : [];
}

/** Settings, changes, undo, journal, leases and write budget. */
export function addControlRoutes(app: App, { source, isOpen, allowedHosts, problem }: Options): void {
  const guarded = async (c: Context<{ Bindings: HttpBindings }>, work: () => Promise<object>): Promise<Response> => {
    try {
      return c.json(await work(), 200, noStore);
    } catch (error) {
      const status = error instanceof SonkragError ? statusOf[error.code] : undefined;
      if (status === undefined || !(error instanceof SonkragError)) throw error;
      return problem(status, error.code, error.message);
    }
  };
  /** Why a request that changes something is not even looked at. */
  const barred = (c: Context): Response | undefined => {
    if (!isOpen)
      return problem(
        403,
        "remote-control-off",
        "nothing is changed over HTTP while the page listens on a network address, because there is no login; " +
          "`control: {allowRemote: true}` in the configuration allows it",
      );
    const { origin, host = "", "sec-fetch-site": site } = c.req.header();
    if (!isOwnName(host, allowedHosts))
      return problem(421, "host-not-allowed", `expected an address or a local name in the Host header, got ${host}`);
    const isOwn = (origin === undefined || hostOf(origin) === host) && (site === undefined || site === "same-origin" || site === "none");
    if (!isOwn)
      return problem(
        403,
        "other-origin",
        `expected a request of our own page or of a program, got one of ${origin ?? site ?? "another page"}`,
      );
    return undefined;
  };
  const changing = async <T>(
    c: Context<{ Bindings: HttpBindings }>,
    schema: z.ZodType<T>,
    work: (body: T) => Promise<object>,
  ): Promise<Response> => {
    const bar = barred(c);
    if (bar !== undefined) return bar;
    const type = c.req.header("content-type") ?? "";
    if (!/^application\/json\s*(;|$)/i.test(type))
      return problem(415, "type-not-allowed", `expected content-type: application/json, got ${type || "none"}`);
    return await guarded(c, async () => await work(parsed(schema, await bodyOf(c.req.raw))));
  };
  const actorOf = (c: Context<{ Bindings: HttpBindings }>, by: string | undefined): Actor => {
    const address = c.env.incoming.socket.remoteAddress ?? "unknown address";
    return { via: "http", name: by === undefined ? address : `${by} (${address})` };
  };

  app.get("/api/v1/inverters/:id/settings", async (c) =>
    guarded(c, async (): Promise<SettingsDocument> => {
      const inverter = c.req.param("id");
      const settings = await source.settings(inverter, { signal: c.req.raw.signal });
      const { enabled, level } = source.rulesOf(inverter);
      return { inverter, enabled, level, settings };
    }),
  );
  app.put("/api/v1/inverters/:id/settings/:name", async (c) =>
    changing(c, changeBodySchema, async ({ value, confirm, until, id, by }) => {
      const { id: inverter, name: setting } = c.req.param();
      const outcome = await source.change(
        {
          id: id ?? randomUUID(),
          inverter: inverter.slice(0, 100),
          setting: setting.slice(0, 100),
          value,
          actor: actorOf(c, by),
          ...(confirm !== undefined && { confirm }),
          ...(until && { until }),
        },
        { signal: c.req.raw.signal },
      );
      // The attempt is in the journal; that there is no such thing is still a mistake of the one who asks.
      if (!source.inverters.includes(inverter)) throw new RefusedError("inverter-unknown", outcome.reason);
      if (!source.knows(setting)) throw new RefusedError("setting-unknown", outcome.reason);
      return outcome;
    }),
  );
  app.post("/api/v1/inverters/:id/undo", async (c) =>
    changing(c, undoBodySchema, async ({ confirm, by }) =>
      source.undo(c.req.param("id"), { actor: actorOf(c, by), confirm, signal: c.req.raw.signal }),
    ),
  );
  app.get("/api/v1/journal", async (c) =>
    guarded(c, async (): Promise<JournalDocument> => {
      const { inverter, limit, before } = parsed(journalQuery, c.req.query());
      return {
        entries: await source.page({ limit, ...(inverter !== undefined && { inverter }), ...(before !== undefined && { before }) }),
      };
    }),
  );
  app.get("/api/v1/leases", (c) => c.json<LeasesDocument>({ leases: source.leases }, 200, noStore));
  app.delete("/api/v1/leases/:id", async (c) => {
    return barred(c) ?? (await guarded(c, async () => ({ lease: await source.endLease(c.req.param("id"), actorOf(c, undefined)) })));
  });
  app.get("/api/v1/budget", (c) => c.json<BudgetDocument>({ budget: source.budget(c.req.query("inverter")) }, 200, noStore));
}

/** Throws RefusedError `request-invalid` with the place of the mistake. */
function parsed<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = (issue?.path ?? []).map(String).join(".");
  throw new RefusedError("request-invalid", `${place === "" ? "" : `${place}: `}${issue?.message ?? "not as documented"}`);
}

/** Throws RefusedError `request-invalid` for what is too long or no JSON. */
async function bodyOf(request: Request): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > mostBytes) throw new RefusedError("request-invalid", `expected a body of at most ${mostBytes} bytes, got more`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new RefusedError("request-invalid", "expected a body of JSON, got something else", { cause });
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/**
 * A page elsewhere can point a name of its own at an address in this network. Names that nobody out there can have are
 * ours: addresses, names without a dot, and those of home networks.
 */
function isOwnName(host: string, allowed: readonly string[]): boolean {
  const name = host
    .replace(/:\d*$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  if (isIP(name) !== 0 || allowed.some((each) => each.toLowerCase() === name)) return true;
  return /^[a-z0-9-]+$/.test(name) || /\.(local|lan|home|internal|localhost|home\.arpa)$/.test(name);
}
