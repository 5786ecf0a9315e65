import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { twoUnits } from "../../test/support/system-state.ts";
import type { LiveSnapshot } from "../api/live.ts";
import { ConfigError } from "../model/errors.ts";
import { silentLogger } from "../model/logger.ts";
import type { InverterInfo } from "../model/reading.ts";
import { documentOf, emptyCard, observe } from "../protocol/pi30/card.ts";
import { HttpServer } from "./http.ts";
import type { HttpServerOptions } from "./http.ts";
import { LiveHub } from "./live.ts";

const info: InverterInfo = { id: "one", device: "sim:", simulated: true };
const rejected = { timeout: 0, truncated: 0, checksum: 0, noise: 0, echo: 0, foreign: 0, stale: 0, late: 0, nak: 0, malformed: 0 };
const script = `console.log("${"sun ".repeat(500)}");\n`;

let webRoot: string;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  webRoot = await mkdtemp(join(tmpdir(), "sonkrag-web-"));
  await mkdir(join(webRoot, "assets"));
  await writeFile(join(webRoot, "index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(webRoot, "assets", "index-abc.js"), script);
});

afterAll(async () => {
  await rm(webRoot, { recursive: true });
});

afterEach(async () => {
  for (const resource of opened.splice(0)) await resource[Symbol.asyncDispose]();
});

function newHub(): LiveHub {
  const hub = new LiveHub({
    version: "1.2.3",
    timeZone: "UTC",
    now: () => Date.now(),
    counters: () => ({ requests: 0, accepted: 0, rejected, reconnects: 0 }),
    staleAfterMs: () => 6_000,
  });
  hub.status({ state: "online", since: 1, message: "" }, info);
  return hub;
}

async function open(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await HttpServer.open({
    host: "127.0.0.1",
    port: 0,
    fallbackPorts: false,
    hub: newHub(),
    webRoot,
    logger: silentLogger,
    ...options,
  });
  opened.push(server);
  return server;
}

async function ask(server: HttpServer, path: string, options: RequestOptions = {}): Promise<{ response: IncomingMessage; body: Buffer }> {
  const outgoing = request({ host: "127.0.0.1", port: server.port, path, agent: false, ...options }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { response, body: Buffer.concat(chunks) };
}

test("serves the page: index always asked for again, hashed files for ever", async () => {
  const server = await open();
  const index = await ask(server, "/");
  expect(index.response.statusCode).toBe(200);
  expect(index.response.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(index.response.headers["cache-control"]).toBe("no-cache");
  expect(index.body.toString()).toContain("<title>page</title>");
  const asset = await ask(server, "/assets/index-abc.js");
  expect(asset.response.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(asset.body.toString()).toBe(script);
});

test.each(["br", "gzip"])("compresses with %s when the browser can, under an entity tag of its own", async (encoding) => {
  const server = await open();
  const response = await fetch(`${server.url}assets/index-abc.js`, { headers: { "accept-encoding": encoding } });
  expect(response.headers.get("content-encoding")).toBe(encoding);
  expect(await response.text()).toBe(script);
  const etag = response.headers.get("etag") ?? "";
  expect(etag).toMatch(new RegExp(`-${encoding}"$`));
  const again = await ask(server, "/assets/index-abc.js", { headers: { "accept-encoding": encoding, "if-none-match": etag } });
  expect(again.response.statusCode).toBe(304);
  expect(again.body).toHaveLength(0);
  const other = await ask(server, "/assets/index-abc.js", { headers: { "if-none-match": etag } });
  expect(other.response.statusCode).toBe(200);
});

test("guards every answer with the security headers", async () => {
  const server = await open();
  for (const path of ["/", "/api/v1/snapshot", "/nothing"]) {
    const { response } = await ask(server, path);
    expect(response.headers["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self'.*frame-ancestors 'none'/);
    expect(response.headers["content-security-policy"]).not.toContain("unsafe");
    expect(response.headers["x-content-type-options"]).toBe("nosniff");
    expect(response.headers["referrer-policy"]).toBe("no-referrer");
  }
});

test.each(["/nothing", "/assets/", "/assets/../index.html", "/%2e%2e/package.json", "/..%2f..%2fetc/passwd", "/index.html%00.js"])(
  "does not know %s",
  async (path) => {
    const { response, body } = await ask(await open(), path);
    expect(response.statusCode).toBe(path === "/assets/../index.html" ? 200 : 404);
    if (response.statusCode === 404) expect(JSON.parse(body.toString())).toMatchObject({ error: { code: "not-found" } });
  },
);

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("refuses %s everywhere", async (method) => {
  const server = await open();
  for (const path of ["/", "/api/v1/live", "/api/v1/snapshot", "/nothing"]) {
    const { response, body } = await ask(server, path, { method });
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow).toBe("GET, HEAD");
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: "method-not-allowed" } });
  }
});

test.each([
  ["evil.example", 421],
  ["evil.example:8470", 421],
  ["127.0.0.1.evil.example", 421],
  ["localhost:1", 200],
  ["127.0.0.1", 200],
  ["[::1]:8470", 200],
  ["inverter.home", 200],
])("on loopback, Host %s answers %i", async (host, status) => {
  const server = await open({ allowedHosts: ["inverter.home"] });
  expect((await ask(server, "/api/v1/snapshot", { headers: { host } })).response.statusCode).toBe(status);
});

test("health and snapshot are JSON", async () => {
  const server = await open();
  const health = await ask(server, "/healthz");
  expect(JSON.parse(health.body.toString())).toEqual({ status: "ok", version: "1.2.3", links: [{ inverter: "one", state: "online" }] });
  const snapshot = await ask(server, "/api/v1/snapshot");
  expect(snapshot.response.headers["cache-control"]).toBe("no-store");
  expect(JSON.parse(snapshot.body.toString())).toMatchObject({ type: "snapshot", inverters: [{ info: { id: "one" } }] });
});

test("the system is JSON, also of one unit", async () => {
  const hub = newHub();
  const server = await open({ hub });
  hub.system(twoUnits);
  const { response, body } = await ask(server, "/api/v1/system");
  expect(response.headers["cache-control"]).toBe("no-store");
  expect(JSON.parse(body.toString())).toMatchObject({ now: expect.any(Number) as number, expected: 2, answering: 1 });
});

test("the model card is JSON; of an inverter that nobody has met there is none", async () => {
  const card = observe(emptyCard({ protocol: "PI30", firmware: "00079.70" }, 1), { command: "QMOD", support: "answers", payload: "B" }, 2);
  const server = await open({ cards: (id) => (id === "one" ? documentOf(card) : undefined) });
  const { response, body } = await ask(server, "/api/v1/inverters/one/card");
  expect(response.headers["cache-control"]).toBe("no-store");
  expect(JSON.parse(body.toString())).toMatchObject({ card: { firmware: "00079.70" }, facts: { family: "unknown", pvInputs: 0 } });
  expect((await ask(server, "/api/v1/inverters/other/card")).response.statusCode).toBe(404);
});

test("the live feed starts with the snapshot and goes on with readings", async () => {
  const hub = newHub();
  const server = await open({ hub });
  const aborter = new AbortController();
  const response = await fetch(`${server.url}api/v1/live`, { signal: aborter.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  const events = eventsOf(response);
  const first = await events.next();
  expect((first.value as LiveSnapshot).type).toBe("snapshot");
  hub.reading({ inverter: "one", at: 5, command: "QMOD", payload: "L", values: { operatingMode: "line" }, derived: {}, tail: [] }, info);
  expect((await events.next()).value).toMatchObject({ type: "reading", reading: { command: "QMOD" } });
  aborter.abort();
});

test("HEAD on the live feed starts no stream", async () => {
  const { response, body } = await ask(await open(), "/api/v1/live", { method: "HEAD" });
  expect(response.headers["content-type"]).toBe("text/event-stream");
  expect(body).toHaveLength(0);
});

test("a reader that does not read is cut off; the others go on", async () => {
  const hub = newHub();
  const cutOff: string[] = [];
  const server = await open({ hub, logger: { ...silentLogger, debug: (message) => cutOff.push(message) } });
  const stalled = connect(server.port, "127.0.0.1");
  await once(stalled, "connect");
  stalled.pause();
  stalled.write("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const aborter = new AbortController();
  const events = eventsOf(await fetch(`${server.url}api/v1/live`, { signal: aborter.signal }));
  const payload = "x".repeat(500_000);
  let seen = 0;
  while (cutOff.length === 0 && seen < 100) {
    hub.reading({ inverter: "one", at: seen, command: "QPIGS", payload, values: {}, derived: {}, tail: [] }, info);
    for (let message = await events.next(); message.value?.type !== "reading"; message = await events.next())
      expect(message.done).toBe(false);
    seen += 1;
  }
  expect(cutOff).toEqual(["Live reader too slow, cut off"]);
  const ended = new Promise((resolve) => stalled.once("close", resolve));
  stalled.on("error", () => undefined).resume();
  await ended;
  expect(stalled.bytesRead).toBeLessThan(seen * payload.length);
  hub.reading({ inverter: "one", at: 1, command: "QMOD", payload: "L", values: {}, derived: {}, tail: [] }, info);
  for (let message = await events.next(); message.value?.type !== "reading"; message = await events.next())
    expect(message.done).toBe(false);
  aborter.abort();
});

test("closes at once with streams open", async () => {
  const server = await open();
  const response = await fetch(`${server.url}api/v1/live`);
  const events = eventsOf(response);
  await events.next();
  const start = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - start).toBeLessThan(200);
  expect((await events.next()).done).toBe(true);
  await expect(fetch(server.url)).rejects.toThrow();
});

test("takes the next free port when allowed, and names the port when not", async () => {
  const occupant = createServer().listen(0, "127.0.0.1");
  await once(occupant, "listening");
  opened.push(occupant);
  const { port } = occupant.address() as AddressInfo;
  const server = await open({ port, fallbackPorts: true });
  expect(server.port).toBeGreaterThan(port);
  expect(server.port).toBeLessThanOrEqual(port + 20);
  expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
  const refused = open({ port });
  await expect(refused).rejects.toThrow(ConfigError);
  await expect(refused).rejects.toThrow(`port ${port}`);
});

test("without a built page the API is still served", async () => {
  const server = await open({ webRoot: join(webRoot, "missing") });
  expect((await ask(server, "/")).response.statusCode).toBe(404);
  expect((await ask(server, "/healthz")).response.statusCode).toBe(200);
});

async function* eventsOf(response: Response): AsyncGenerator<{ type: string }> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data) as { type: string };
    }
  }
}
