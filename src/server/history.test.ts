import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EventsDocument, HistoryDocument, SeriesDocument, SpansDocument } from "../api/history.ts";
import type { HistoryRow } from "../model/history.ts";
import { silentLogger } from "../model/logger.ts";
import { StoreReader } from "../store/reader.ts";
import { SegmentWriter } from "../store/segment-writer.ts";
import { HttpServer } from "./http.ts";
import { LiveHub } from "./live.ts";

const start = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const now = start + 48 * hourMs;

let folder: string;
let server: HttpServer;
let reader: StoreReader;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-http-"));
  const rows: HistoryRow[] = [];
  for (let at = start; at < now; at += 30_000)
    rows.push({
      inverter: "garage",
      at,
      command: "QPIGS",
      values: { loadActivePower: at === start + 7 * hourMs ? 4_444 : 300, operatingMode: at < start + 24 * hourMs ? "line" : "battery" },
    });
  const writer = await SegmentWriter.open({ folder, now: () => now });
  writer.ingest(rows);
  writer.events([
    { at: start + 5, inverter: "garage", kind: "link", key: "online", text: "The inverter answers" },
    { at: start + 24 * hourMs, inverter: "garage", kind: "mode", key: "battery", text: "Mode battery, before line" },
  ]);
  while (writer.pack());
  await writer[Symbol.asyncDispose]();
  reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const hub = new LiveHub({
    version: "1",
    timeZone: "UTC",
    now: () => now,
    counters: () => ({ requests: 0, accepted: 0, rejected: {} as never, reconnects: 0 }),
    staleAfterMs: () => 10_000,
  });
  const energy = async () => await Promise.resolve([{ unit: "garage", periods: [] }]);
  const history = { reader, energy, now: () => now };
  server = await HttpServer.open({ host: "127.0.0.1", port: 0, fallbackPorts: false, hub, webRoot: folder, logger: silentLogger, history });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const get = async (path: string): Promise<Response> => await fetch(new URL(path, server.url));
async function json<Document>(path: string): Promise<Document> {
  const response = await get(path);
  expect(response.status).toBe(200);
  return (await response.json()) as Document;
}

test("the table of contents has every series with label, unit and origin", async () => {
  const { contents } = await json<HistoryDocument>("/api/v1/history");
  expect(contents).toMatchObject([{ inverter: "garage", command: "QPIGS", first: start, last: now - 30_000 }]);
  expect(contents[0]?.series).toContainEqual({ name: "loadActivePower", label: "Load", unit: "W", origin: "measured", type: "number" });
  expect(contents[0]?.series).toContainEqual({ name: "operatingMode", label: "Mode", origin: "measured", type: "span" });
});

test.each([1, 10, 100, 1_000, 10_000])("a spike of one reading is in the series at %i points", async (points) => {
  const found = await json<SeriesDocument>(`/api/v1/series?inverter=garage&name=loadActivePower&from=${start}&to=${now}&points=${points}`);
  expect(found).toMatchObject({ inverter: "garage", label: "Load", unit: "W", from: start, to: now });
  expect(found.at.length).toBeLessThanOrEqual(points);
  for (const column of [found.count, found.min, found.max, found.mean, found.coveredMs]) expect(column).toHaveLength(found.at.length);
  expect(Math.max(...found.max)).toBe(4_444);
  expect(Math.min(...found.min)).toBe(300);
});

test("times are absolute, ISO with a zone, or counted back from now; a range that is over may be cached", async () => {
  const last = await json<SeriesDocument>("/api/v1/series?inverter=garage&name=loadActivePower&from=-2h&level=1h");
  expect(last).toMatchObject({ level: "1h", from: now - 2 * hourMs, at: [now - 2 * hourMs, now - hourMs], mean: [300, 300] });
  const iso = `from=${encodeURIComponent("2026-06-01T02:00:00+02:00")}&to=${encodeURIComponent("2026-06-01T01:00:00Z")}`;
  const response = await get(`/api/v1/series?inverter=garage&name=loadActivePower&${iso}&level=raw`);
  expect(response.headers.get("cache-control")).toBe("private, max-age=300");
  expect(((await response.json()) as SeriesDocument).at).toHaveLength(120);
  expect((await get("/api/v1/series?inverter=garage&name=loadActivePower&from=-2h")).headers.get("cache-control")).toBe("no-store");
});

test("spans and events", async () => {
  const { spans } = await json<SpansDocument>(`/api/v1/spans?inverter=garage&name=operatingMode&from=${start}&to=${now}`);
  expect(spans).toEqual([
    { from: start, to: start + 24 * hourMs, value: "line" },
    { from: start + 24 * hourMs, to: now, value: "battery" },
  ]);
  const { events } = await json<EventsDocument>(`/api/v1/events?from=${start}&to=${now}&kinds=mode,fault`);
  expect(events.map(({ key }) => key)).toEqual(["battery"]);
  expect((await json<EventsDocument>(`/api/v1/events?from=${start}&to=${now}&limit=1`)).events.map(({ key }) => key)).toEqual(["battery"]);
  expect(await json(`/api/v1/energy?from=${start}&to=${now}&by=month`)).toMatchObject({ by: "month", units: [{ unit: "garage" }] });
});

test.each([
  ["/api/v1/series", 400, /from|inverter|name/],
  ["/api/v1/series?inverter=garage&name=loadActivePower&from=yesterday", 400, /from: expected UTC milliseconds.*got yesterday/],
  ["/api/v1/series?inverter=garage&name=loadActivePower&from=2026-06-01T00:00:00", 400, /with its zone/],
  ["/api/v1/series?inverter=garage&name=loadActivePower&from=5&to=5", 400, /start is before its end/],
  [
    "/api/v1/series?inverter=garage&name=loadActivePower&from=-1h&points=20000",
    400,
    /points: expected a whole number from 1 to 10000, got 20000/,
  ],
  ["/api/v1/series?inverter=garage&name=loadActivePower&from=-1h&level=2h", 400, /level: expected one of raw, 1min/],
  ["/api/v1/series?inverter=garage&name=loadActivePower&from=-1h&colour=red", 400, /colour/],
  ["/api/v1/series?inverter=cellar&name=loadActivePower&from=-1h", 404, /expected an inverter with history.*got cellar/],
  ["/api/v1/series?inverter=garage&name=loadPower&from=-1h", 404, /expected a series of garage, got loadPower/],
  ["/api/v1/events?from=-1h&kinds=weather", 400, /expected some of link, mode/],
])("%s is refused and says why", async (path, status, message) => {
  const response = await get(path);
  expect(response.status).toBe(status);
  expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(message);
});
