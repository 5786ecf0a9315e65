import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, readingOf, realInverter, recordingLogger } from "../../test/support/readings.ts";
import { InfluxSink, type InfluxOptions } from "./influx.ts";

type Answer = readonly [status: number, text?: string];

let folder: string;
let server: Server;
let port: number;
let requests: { readonly request: IncomingMessage; readonly lines: readonly string[] }[];
/** What the database in the test says to these lines. */
let answer: (lines: readonly string[]) => Answer;
const logger = { ...recordingLogger() };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-influx-"));
  requests = [];
  answer = () => [204];
  logger.messages.length = 0;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
      const lines = text.trimEnd().split("\n");
      requests.push({ request, lines });
      const [status, message = ""] = answer(lines);
      response.writeHead(status).end(message);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const at = Date.UTC(2026, 0, 1);
const valueOf = (line: string): number => Number(/batteryVoltage=(\d+)/.exec(line)?.[1]);
const valuesTaken = (): number[] => requests.flatMap(({ lines }) => (answer(lines)[0] === 204 ? lines.map(valueOf) : []));

async function withSink(options: Partial<InfluxOptions>, use: (sink: InfluxSink) => Promise<void>): Promise<void> {
  await using sink = await InfluxSink.open({
    url: `http://127.0.0.1:${port}`,
    compress: true,
    measurement: "sonkrag",
    inverterTag: "inverter",
    commandTag: "command",
    words: "fields",
    folder,
    maxQueueBytes: 1_000_000,
    intervalMs: 5,
    retryMs: 5,
    logger,
    ...options,
  });
  const stop = new AbortController();
  const running = sink.run({ signal: stop.signal });
  try {
    await use(sink);
  } finally {
    stop.abort();
    await running;
  }
}

const give = (sink: InfluxSink, ...values: readonly number[]): void => {
  for (const value of values) sink.reading(readingOf(at + value, { values: { batteryVoltage: value }, derived: {} }), realInverter);
};

describe("where it writes and who it is", () => {
  test.each<[string, Partial<InfluxOptions>, string, string | undefined]>([
    [
      "a database",
      { database: "solar", username: "anna", password: "ä" },
      "/write?db=solar&precision=ms",
      `Basic ${Buffer.from("anna:ä").toString("base64")}`,
    ],
    ["a bucket", { org: "my home", bucket: "b", token: "t" }, "/api/v2/write?org=my+home&bucket=b&precision=ms", "Token t"],
    ["neither name nor password", { compress: false }, "/write?precision=ms", undefined],
  ])("%s", async (_name, options, url, authorization) => {
    await withSink(options, async (sink) => {
      give(sink, 1);
      await eventually("the point is written", () => sink.health.pointsWritten === 1);
    });
    expect(requests[0]?.request.url).toBe(url);
    expect(requests[0]?.request.headers.authorization).toBe(authorization);
    expect(requests[0]?.request.headers["content-encoding"]).toBe(options.compress === false ? undefined : "gzip");
    expect(requests[0]?.lines).toEqual([`sonkrag,command=QPIGS,inverter=axpert-1 batteryVoltage=1 ${at + 1}`]);
  });

  test("a URL that is none is told without what may be a password", async () => {
    await expect(withSink({ url: "ftp://anna:secret@x" }, async () => undefined)).rejects.toThrow(/expected http:\/\/ .*"ftp:\/\/…@x"/);
  });
});

test.each([500, 503, 429, 401, 404, 302])("an answer %i: everything is kept and sent again, told once each way", async (status) => {
  answer = () => [status, "not now"];
  await withSink({}, async (sink) => {
    give(sink, 1, 2);
    await eventually("it was tried several times", () => requests.length > 2);
    expect(sink.health).toMatchObject({
      connected: false,
      pointsWritten: 0,
      pointsWaiting: 2,
      trouble: expect.stringContaining(String(status)) as string,
    });
    answer = () => [204];
    await eventually("all is written", () => sink.health.pointsWritten === 2);
    expect(sink.health).toMatchObject({ connected: true, pointsWaiting: 0, pointsRefused: 0 });
  });
  expect(logger.texts("error").length + logger.texts("warn").length).toBe(1);
  expect(logger.texts("info")).toEqual([expect.stringContaining("takes points again")]);
});

test("nothing listens, then something does", async () => {
  server.close();
  await once(server, "close");
  await withSink({}, async (sink) => {
    give(sink, 1);
    await eventually("it is told", () => logger.texts("warn").length === 1);
    expect(logger.texts("warn")[0]).toContain("refused the connection");
    server.listen(port, "127.0.0.1");
    await eventually("all is written", () => sink.health.pointsWritten === 1);
  });
});

test("points that are refused are found and set aside with the server's words; the others go through", async () => {
  await withSink({}, async (sink) => {
    give(sink, 100);
    await eventually("one is written", () => sink.health.pointsWritten === 1);
    requests.length = 0;
    answer = (lines) => (lines.some((line) => valueOf(line) % 7 === 3) ? [400, '{"error":"field type conflict"}'] : [204]);
    give(sink, ...Array.from({ length: 20 }, (_, index) => index));
    await eventually("all are dealt with", () => sink.health.pointsWaiting === 0 && sink.health.pointsRefused === 3);
    expect(sink.health.pointsWritten).toBe(18);
  });
  expect(valuesTaken().toSorted((one, other) => one - other)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19]);
  const rejects = (await readFile(join(folder, "rejects.ndjson"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { point: string; status: number; answer: string });
  expect(rejects.map(({ point }) => valueOf(point))).toEqual([3, 10, 17]);
  expect(rejects[0]).toMatchObject({ status: 400, answer: '{"error":"field type conflict"}' });
});

test("a database that refuses everything from the start is waited for; later its points are set aside and the queue goes on", async () => {
  answer = () => [400, "database is required"];
  await withSink({ retryMs: 1 }, async (sink) => {
    give(sink, 1, 2, 3);
    await eventually("it is held", () =>
      logger.texts("error").some((text) => text.includes("refuses every point with 400: database is required")),
    );
    expect(sink.health).toMatchObject({ pointsWaiting: 3, pointsRefused: 0 });
    answer = () => [204];
    await eventually("nothing was lost", () => sink.health.pointsWritten === 3);
    answer = () => [400, "no"];
    give(sink, 4);
    await eventually("what is refused later blocks nothing", () => sink.health.pointsRefused === 1);
  });
});

test("the outcome of a batch is unclear when the program ends: the same points are sent again", async () => {
  answer = () => [503];
  await withSink({}, async (sink) => {
    give(sink, 1, 2);
    await eventually("it was tried", () => requests.length > 0);
  });
  requests.length = 0;
  answer = () => [204];
  await withSink({}, async (sink) => {
    await eventually("the next run has written them", () => sink.health.pointsWritten === 2);
  });
  expect(valuesTaken()).toEqual([1, 2]);
});
