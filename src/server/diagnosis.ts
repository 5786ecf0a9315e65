import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import type { ServerResponse } from "node:http";
import type { LinkReport } from "../api/link.ts";
import type { Logger } from "../model/logger.ts";

/** Where the routes get what they show. */
export interface DiagnosisSource {
  /** Absent for an inverter that is not known. */
  link(inverter: string): LinkReport | undefined;
  /**
   * Hands over what crosses the line from now on, as lines of a capture, the header first; until the returned function
   * is called. Absent for an inverter that is not known.
   */
  traffic(inverter: string, send: (line: string) => void): (() => void) | undefined;
  /** The diagnosis file, compressed. */
  bundle(): Promise<Uint8Array<ArrayBuffer>>;
}

interface Options {
  readonly source: DiagnosisSource;
  /** Readers that stay; ended with the server. */
  readonly streams: Set<ServerResponse>;
  readonly maxStreams: number;
  /** A reader this far behind is cut off. */
  readonly maxQueuedBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly problem: (status: number, code: string, message: string) => Response;
}

/** Link report, raw traffic and diagnosis file. */
export function addDiagnosisRoutes(app: Hono<{ Bindings: HttpBindings }>, options: Options): void {
  const { source, streams, maxStreams, maxQueuedBytes, headers, logger, problem } = options;
  const unknown = (id: string): Response => problem(404, "not-found", `expected a known inverter, got ${id}`);

  app.get("/api/v1/inverters/:id/link", (c) => {
    const report = source.link(c.req.param("id"));
    return report === undefined ? unknown(c.req.param("id")) : c.json(report, 200, { "cache-control": "no-store" });
  });

  app.get("/api/v1/inverters/:id/traffic", (c) => {
    const id = c.req.param("id");
    const { incoming, outgoing } = c.env;
    if (source.link(id) === undefined) return unknown(id);
    const head = { "content-type": "application/x-ndjson", "cache-control": "no-store", "x-accel-buffering": "no" };
    if (incoming.method === "HEAD") return c.body(null, 200, head);
    if (streams.size >= maxStreams) return problem(503, "too-many-readers", `expected at most ${maxStreams} readers at a time`);
    outgoing.writeHead(200, { ...headers, ...head });
    // A quiet line must not hold back the head.
    outgoing.flushHeaders();
    streams.add(outgoing);
    const stop = source.traffic(id, (line) => {
      if (outgoing.destroyed || outgoing.writableEnded) return;
      outgoing.write(line);
      if (outgoing.writableLength <= maxQueuedBytes) return;
      logger.debug("Reader of traffic too slow, cut off", { queuedBytes: outgoing.writableLength });
      outgoing.destroy();
    });
    outgoing.on("error", (error) => logger.debug("Reader of traffic gone", { error: error.message }));
    outgoing.on("close", () => {
      stop?.();
      streams.delete(outgoing);
    });
    return RESPONSE_ALREADY_SENT;
  });

  app.get("/api/v1/bundle", async (c) => {
    const head = {
      "content-type": "application/gzip",
      "content-disposition": 'attachment; filename="sonkrag-diagnosis.json.gz"',
      "cache-control": "no-store",
    };
    return c.req.method === "HEAD" ? c.body(null, 200, head) : c.body(await source.bundle(), 200, head);
  });
}
