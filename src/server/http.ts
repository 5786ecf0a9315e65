import { getRequestListener } from "@hono/node-server";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { AddressInfo } from "node:net";
import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { addCardRoutes, type CardSource } from "./cards.ts";
import { addControlRoutes, changingMethods, type ControlSource } from "./control.ts";
import { addDiagnosisRoutes, type DiagnosisSource } from "./diagnosis.ts";
import { addHistoryRoutes, type HistorySource } from "./history.ts";
import type { LiveHub } from "./live.ts";
import { addPrometheusRoute, type PrometheusSources } from "./prometheus.ts";
import { StaticFiles } from "./static-files.ts";

const fallbackTries = 20;
const maxStreams = 64;
/** A reader this far behind is cut off; it reconnects by itself and gets a fresh snapshot. */
const maxQueuedBytes = 2 * 1024 * 1024;
/** What EventSource waits before it connects again. */
const retryMs = 2_000;

const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

export interface HttpServerOptions {
  /** Address to listen on: an IP address or a host name. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** When the port is taken, try up to twenty following ones. */
  readonly fallbackPorts: boolean;
  readonly hub: LiveHub;
  /** Folder of the built page. */
  readonly webRoot: string;
  readonly logger: Logger;
  /** Further names under which a browser may ask a server that listens on loopback only, e.g. behind a proxy. */
  readonly allowedHosts?: readonly string[];
  /** How the links work; without it there are no such routes. */
  readonly diagnosis?: DiagnosisSource;
  /** What was found out about the makes of the inverters; without it there is no such route. */
  readonly cards?: CardSource;
  /** What `/metrics` tells besides the live values. */
  readonly prometheus?: PrometheusSources;
  /** What was kept; without it there are no such routes. */
  readonly history?: HistorySource;
  /** The one way to change settings; without it there are no such routes. */
  readonly control?: ControlSource;
  /** Changes are taken on a network address too, although there is no login. */
  readonly allowRemoteControl?: boolean;
}

/** The page, the live feed, the snapshot and control over HTTP. */
export class HttpServer implements AsyncDisposable {
  /** The address of the page, e.g. `http://127.0.0.1:8470/`. */
  readonly url: string;
  readonly host: string;
  /** The port in use, which may differ from the one asked for. */
  readonly port: number;
  readonly #server: Server;
  readonly #streams: ReadonlySet<ServerResponse>;

  private constructor(server: Server, host: string, streams: ReadonlySet<ServerResponse>) {
    this.#server = server;
    this.#streams = streams;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
    const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : isIP(host) === 6 ? `[${host}]` : host;
    this.url = `http://${name}:${this.port}/`;
  }

  /** Throws ConfigError naming the port when it cannot be had. */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const files = await StaticFiles.load(options.webRoot);
    if (!files.has("/")) options.logger.warn("The page is not built; only the API is served", { expected: options.webRoot });
    const streams = new Set<ServerResponse>();
    const app = routes(options, files, streams);
    const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }) as Parameters<typeof createServer>[1]);
    await listen(server, options);
    server.on("error", (error) => options.logger.error("HTTP server failed", { error: error.message }));
    return new HttpServer(server, options.host, streams);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) stream.end();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function routes(options: HttpServerOptions, files: StaticFiles, streams: Set<ServerResponse>): Hono<{ Bindings: HttpBindings }> {
  const { hub, logger } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();

  app.use(async (c, next) => {
    if (!isAllowedHost(c.req.header("host"), options)) {
      c.res = problem(421, "host-not-allowed", `expected a loopback name in the Host header, got ${c.req.header("host") ?? "none"}`);
    } else if (!methodsOf(c.req.path, options).includes(c.req.method)) {
      const allow = methodsOf(c.req.path, options);
      c.res = problem(405, "method-not-allowed", `expected ${allow.join(" or ")}, got ${c.req.method}`, { allow: allow.join(", ") });
    } else {
      await next();
    }
    if (c.res === RESPONSE_ALREADY_SENT) return;
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
  });

  app.get("/api/v1/live", (c) => {
    const { incoming, outgoing } = c.env;
    // Hono answers HEAD through the GET route; a stream must not start for it.
    if (incoming.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
    if (streams.size >= maxStreams) return problem(503, "too-many-readers", `expected at most ${maxStreams} live readers at a time`);
    stream(outgoing, hub, streams, logger);
    return RESPONSE_ALREADY_SENT;
  });
  app.get("/api/v1/snapshot", (c) => c.json(hub.snapshot(), 200, { "cache-control": "no-store" }));
  app.get("/api/v1/system", (c) => c.json(hub.systemDocument(), 200, { "cache-control": "no-store" }));
  addPrometheusRoute(app, { hub, sources: options.prometheus ?? {} });
  app.get("/healthz", (c) => {
    const { version, inverters } = hub.snapshot();
    const links = inverters.map(({ info, status }) => ({ inverter: info.id, state: status.state }));
    return c.json({ status: "ok", version, links }, 200, { "cache-control": "no-store" });
  });
  if (options.diagnosis !== undefined)
    addDiagnosisRoutes(app, { source: options.diagnosis, streams, maxStreams, maxQueuedBytes, headers: securityHeaders, logger, problem });
  if (options.cards !== undefined) addCardRoutes(app, { source: options.cards, problem });
  if (options.history !== undefined) addHistoryRoutes(app, { source: options.history, problem });
  if (options.control !== undefined) {
    const { control: source, host, allowedHosts = [], allowRemoteControl = false } = options;
    addControlRoutes(app, { source, isOpen: isLoopback(host) || allowRemoteControl, allowedHosts, problem });
  }
  app.get("*", async (c) => (await files.respond(c.req.path, c.req.raw.headers)) ?? c.notFound());

  app.notFound((c) => problem(404, "not-found", `nothing at ${c.req.path}`));
  app.onError((error, c) => {
    logger.error("HTTP request failed", { path: c.req.path, error: error.message });
    return problem(500, "internal", "the request could not be answered; the log says why");
  });
  return app;
}

function methodsOf(path: string, { control }: HttpServerOptions): readonly string[] {
  return ["GET", "HEAD", ...(control === undefined ? [] : changingMethods(path))];
}

/** Node's own output buffer is the reader's queue: written to without waiting, and bounded by cutting the reader off. */
function stream(response: ServerResponse, hub: LiveHub, streams: Set<ServerResponse>, logger: Logger): void {
  response.writeHead(200, {
    ...securityHeaders,
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    // Asks buffering proxies (nginx) to pass events on at once.
    "x-accel-buffering": "no",
  });
  response.write(`retry: ${retryMs}\n\n`);
  streams.add(response);
  const disconnect = hub.connect({
    send(event) {
      if (response.destroyed || response.writableEnded) return;
      response.write(event);
      if (response.writableLength > maxQueuedBytes) {
        logger.debug("Live reader too slow, cut off", { queuedBytes: response.writableLength });
        response.destroy();
      }
    },
  });
  response.on("error", (error) => logger.debug("Live reader gone", { error: error.message }));
  response.on("close", () => {
    disconnect();
    streams.delete(response);
  });
}

async function listen(server: Server, options: HttpServerOptions): Promise<void> {
  const { host, port, logger } = options;
  const last = options.fallbackPorts && port !== 0 ? Math.min(port + fallbackTries, 65_535) : port;
  for (let candidate = port; ; candidate += 1) {
    try {
      await listenOn(server, host, candidate);
      if (candidate !== port) logger.info("Port taken, the next free one is used", { wanted: port, used: candidate });
      return;
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && candidate < last) continue;
      const range = last === port ? `port ${port}` : `one of the ports ${port} to ${last}`;
      const got = code === "EADDRINUSE" ? "another program already listens there" : message;
      throw new ConfigError(`Page: expected to listen on ${host}, ${range}, got: ${got}`, { cause, context: { host, port } });
    }
  }
}

async function listenOn(server: Server, host: string, port: number): Promise<void> {
  const listening = once(server, "listening");
  server.listen({ host, port });
  await listening;
}

/**
 * A web page elsewhere can point a name of its own at 127.0.0.1 and read what answers there; only the Host header tells.
 * A server on a real network address is reached under names we cannot know, so there every name is good.
 */
function isAllowedHost(header: string | undefined, { host, allowedHosts = [] }: HttpServerOptions): boolean {
  if (!isLoopback(host)) return true;
  if (header === undefined) return false;
  const name = header.replace(/:\d*$/, "").toLowerCase();
  return isLoopback(name) || allowedHosts.some((allowed) => allowed.toLowerCase() === name);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
}

function problem(status: number, code: string, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store", ...headers } });
}
