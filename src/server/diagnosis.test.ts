import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LinkReport } from "../api/link.ts";
import { silentLogger } from "../model/logger.ts";
import { noRejections } from "../model/reading.ts";
import type { DiagnosisSource } from "./diagnosis.ts";
import { HttpServer } from "./http.ts";
import { LiveHub } from "./live.ts";

const report: LinkReport = {
  inverter: "one",
  now: 5,
  status: { state: "online", since: 1, message: "" },
  counters: { requests: 2, accepted: 2, rejected: noRejections(), reconnects: 0 },
  commands: { QPI: { requests: 2, accepted: 2, rejected: {} } },
  findings: [],
};

let send: ((line: string) => void) | undefined;
const source: DiagnosisSource = {
  link: (id) => (id === "one" ? report : undefined),
  traffic: (_, to) => {
    send = to;
    to("header\n");
    return () => (send = undefined);
  },
  bundle: async () => Uint8Array.of(0x1f, 0x8b, 1, 2),
};

let server: HttpServer;
beforeEach(async () => {
  const hub = new LiveHub({
    version: "1.2.3",
    timeZone: "UTC",
    now: () => 5,
    counters: () => report.counters,
    staleAfterMs: () => 6000,
  });
  server = await HttpServer.open({
    host: "127.0.0.1",
    port: 0,
    fallbackPorts: false,
    hub,
    webRoot: "/nonexistent",
    logger: silentLogger,
    diagnosis: source,
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

async function ask(path: string, method = "GET"): Promise<IncomingMessage> {
  const outgoing = request({ host: "127.0.0.1", port: server.port, path, method, agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test("tells how a link works", async () => {
  const response = await ask("/api/v1/inverters/one/link");
  expect(response.headers["cache-control"]).toBe("no-store");
  expect(JSON.parse((await bodyOf(response)).toString())).toEqual(report);
});

test.each(["link", "traffic"])("knows nothing of %s of an inverter that is not there", async (what) => {
  const response = await ask(`/api/v1/inverters/other/${what}`);
  expect(response.statusCode).toBe(404);
  expect((await bodyOf(response)).toString()).toContain("expected a known inverter, got other");
});

test("offers the diagnosis file under a name", async () => {
  const response = await ask("/api/v1/bundle");
  expect(response.headers["content-disposition"]).toContain("sonkrag-diagnosis.json.gz");
  expect(await bodyOf(response)).toEqual(Buffer.from([0x1f, 0x8b, 1, 2]));
});

test("streams traffic until the reader leaves", async () => {
  const response = await ask("/api/v1/inverters/one/traffic");
  expect(response.headers["content-type"]).toBe("application/x-ndjson");
  expect(response.headers["x-content-type-options"]).toBe("nosniff");
  response.setEncoding("utf8");
  const [first] = (await once(response, "data")) as [string];
  expect(first).toBe("header\n");
  send?.("a line\n");
  const [second] = (await once(response, "data")) as [string];
  expect(second).toBe("a line\n");
  response.destroy();
  await expect.poll(() => send).toBeUndefined();
});

test("cuts off a reader of traffic that falls behind", async () => {
  const response = await ask("/api/v1/inverters/one/traffic");
  response.pause();
  response.on("error", () => undefined); // being cut off is what is wanted
  const closed = new Promise((resolve) => response.on("close", resolve));
  for (let count = 0; count < 400 && send !== undefined; count++) {
    send("x".repeat(65_536));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(send).toBeUndefined();
  response.resume();
  await closed;
});

test("does not start a stream for HEAD", async () => {
  const response = await ask("/api/v1/inverters/one/traffic", "HEAD");
  expect(response.statusCode).toBe(200);
  expect(send).toBeUndefined();
  await bodyOf(await ask("/api/v1/bundle", "HEAD"));
});

test("ends streams with the server", async () => {
  const response = await ask("/api/v1/inverters/one/traffic");
  const body = bodyOf(response);
  await server[Symbol.asyncDispose]();
  expect((await body).toString()).toBe("header\n");
});
