import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LiveMessage, LiveSnapshot } from "../api/live.ts";
import type { InverterInfo, LinkCounters, Reading, Values } from "../model/reading.ts";
import { oneUnit, twoUnits } from "../../test/support/system-state.ts";
import { LiveHub } from "./live.ts";

const info: InverterInfo = { id: "one", device: "sim:", simulated: true };
const none = { timeout: 0, truncated: 0, checksum: 0, noise: 0, echo: 0, foreign: 0, stale: 0, late: 0, nak: 0, malformed: 0 };

function reading(command: string, at: number, values: Values): Reading {
  return { inverter: "one", at, command, payload: "", values, derived: {}, tail: [] };
}

class Reader {
  readonly events: string[] = [];
  send(event: string): void {
    this.events.push(event);
  }
  get messages(): LiveMessage[] {
    return this.events.map((event) => {
      const match = /^event: (\w+)\ndata: (.*)\n\n$/.exec(event);
      const message = JSON.parse(match?.[2] ?? "null") as LiveMessage;
      expect(match?.[1]).toBe(message.type);
      return message;
    });
  }
  get types(): string[] {
    return this.messages.map(({ type }) => type);
  }
}

let counters: LinkCounters;
let hub: LiveHub;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  counters = { requests: 1, accepted: 1, rejected: none, reconnects: 0 };
  hub = new LiveHub({
    version: "1.2.3",
    timeZone: "Africa/Johannesburg",
    now: () => Date.now(),
    counters: () => counters,
    staleAfterMs: (_inverter, command) => (command === "QPIRI" ? 3_600_000 : 6_000),
  });
  hub.status({ state: "online", since: 999_000, message: "" }, info);
});

afterEach(() => {
  vi.useRealTimers();
});

test("the snapshot holds the latest of everything", () => {
  hub.reading(reading("QPIGS", 999_000, { loadActivePower: 1, batteryVoltage: 50 }), info);
  hub.reading(reading("QPIGS", 999_500, { loadActivePower: 2, batteryVoltage: 51, pv1Power: 300 }), info);
  hub.reading(reading("QPIRI", 999_600, { batteryType: "agm" }), info);
  const { now, version, timeZone, metrics, inverters } = hub.snapshot();
  expect({ now, version, timeZone }).toEqual({ now: 1_000_000, version: "1.2.3", timeZone: "Africa/Johannesburg" });
  expect(metrics["batteryVoltage"]).toMatchObject({ unit: "V", digits: 2 });
  const [inverter] = inverters;
  expect(inverter?.readings["QPIGS"]?.values["loadActivePower"]).toBe(2);
  expect(inverter?.staleAfterMs).toEqual({ QPIGS: 6_000, QPIRI: 3_600_000 });
  expect(inverter?.pvTotal?.watts).toBe(300);
  expect(inverter?.trend.rows).toEqual([[999_000, 1, 50, null, null, null, null]]);
});

test("a reader gets the snapshot at once, then each change", async () => {
  const reader = new Reader();
  hub.connect(reader);
  expect(reader.types).toEqual(["snapshot"]);
  hub.reading(reading("QPIGS", 1_000_000, { loadActivePower: 5, batteryVoltage: 50, pv1Power: 40 }), info);
  expect(reader.types).toEqual(["snapshot"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(reader.messages[1]).toMatchObject({
    type: "reading",
    staleAfterMs: 6_000,
    pvTotal: { watts: 40 },
    trend: [[1_000_000, 5, 50, null, 40, null, null]],
  });
  hub.status({ state: "lost", since: 1_000_100, message: "gone" }, info);
  await vi.advanceTimersByTimeAsync(100);
  expect(reader.messages.at(-1)).toMatchObject({ type: "status", inverter: "one", status: { state: "lost", message: "gone" } });
});

test("every reader gets the same serialised text", async () => {
  const readers = [new Reader(), new Reader()];
  for (const reader of readers) hub.connect(reader);
  const stringify = vi.spyOn(JSON, "stringify");
  hub.reading(reading("QMOD", 1_000_000, { operatingMode: "line" }), info);
  await vi.advanceTimersByTimeAsync(100);
  expect(stringify).toHaveBeenCalledTimes(1);
  expect(readers[0]?.events[1]).toBe(readers[1]?.events[1]);
  stringify.mockRestore();
});

test("a flood becomes at most ten updates a second, the last one always told, the plot complete", async () => {
  const reader = new Reader();
  hub.connect(reader);
  for (let count = 1; count <= 20_000; count += 1) {
    hub.reading(reading("QPIGS", Date.now(), { loadActivePower: count, batteryVoltage: 50 }), info);
    if (count % 2 === 0) await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(100);
  const readings = reader.messages.filter((message) => message.type === "reading");
  expect(readings.length).toBeGreaterThan(50);
  expect(readings.length).toBeLessThanOrEqual(102);
  expect(readings.at(-1)?.reading.values["loadActivePower"]).toBe(20_000);
  expect(readings.flatMap(({ trend = [] }) => trend).length).toBe(hub.snapshot().inverters[0]?.trend.rows.length);
});

test("without readers nothing is serialised and no timer runs", async () => {
  const stringify = vi.spyOn(JSON, "stringify");
  hub.reading(reading("QPIGS", 1_000_000, { loadActivePower: 1, batteryVoltage: 50 }), info);
  const leave = hub.connect(new Reader());
  leave();
  stringify.mockClear();
  hub.reading(reading("QPIGS", 1_006_000, { loadActivePower: 1, batteryVoltage: 50 }), info);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stringify).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
  stringify.mockRestore();
});

test("a reader that joins late gets no row of the plot twice", async () => {
  const first = new Reader();
  hub.connect(first);
  hub.reading(reading("QPIGS", 1_000_000, { loadActivePower: 1, batteryVoltage: 50 }), info);
  const second = new Reader();
  hub.connect(second);
  await vi.advanceTimersByTimeAsync(200);
  expect(first.types).toEqual(["snapshot", "reading"]);
  expect(second.types).toEqual(["snapshot"]);
  expect((second.messages[0] as LiveSnapshot).inverters[0]?.trend.rows).toHaveLength(1);
});

test("counters go out at most once a second and only when they moved", async () => {
  const reader = new Reader();
  hub.connect(reader);
  const timer = setInterval(() => {
    if (Date.now() < 1_005_000) counters = { ...counters, requests: counters.requests + 1 };
  }, 50);
  await vi.advanceTimersByTimeAsync(14_000);
  clearInterval(timer);
  const sent = reader.messages.filter(({ type }) => type === "counters");
  expect(sent.length).toBeGreaterThanOrEqual(4);
  expect(sent.length).toBeLessThanOrEqual(6);
  expect(sent.at(-1)).toMatchObject({ counters: { requests: counters.requests } });
});

test("a quiet feed sends a heartbeat every 15 s", async () => {
  const reader = new Reader();
  hub.connect(reader);
  await vi.advanceTimersByTimeAsync(46_000);
  expect(reader.types.filter((type) => type === "heartbeat")).toHaveLength(3);
});

test("a new inverter brings a whole snapshot, changed identity a status", async () => {
  const reader = new Reader();
  hub.connect(reader);
  const second: InverterInfo = { id: "two", device: "tcp://bridge:8899", simulated: false };
  hub.status({ state: "starting", since: 1_000_000, message: "" }, second);
  await vi.advanceTimersByTimeAsync(100);
  expect(reader.types).toEqual(["snapshot", "snapshot"]);
  expect((reader.messages[1] as LiveSnapshot).inverters.map((inverter) => inverter.info.id)).toEqual(["one", "two"]);
  hub.reading({ ...reading("QID", 1_000_000, { serialNumber: "123" }), inverter: "two" }, { ...second, serialNumber: "123" });
  await vi.advanceTimersByTimeAsync(100);
  expect(reader.messages.filter(({ type }) => type === "status")).toMatchObject([{ inverter: "two", info: { serialNumber: "123" } }]);
});

test("PV that went stale leaves a hole in the plot, not an old value", () => {
  hub.reading(reading("QPIGS2", 999_000, { pv2Power: 200 }), info);
  hub.reading(reading("QPIGS", 999_000, { loadActivePower: 1, batteryVoltage: 50, pv1Power: 100 }), info);
  hub.reading(reading("QPIGS", 1_030_000, { loadActivePower: 1, batteryVoltage: 50, pv1Power: 100 }), info);
  const rows = hub.snapshot().inverters[0]?.trend.rows ?? [];
  expect(rows[0]?.[4]).toBe(300);
  expect(rows.at(-1)?.[4]).toBeNull();
});

test("several units are a system, in the snapshot and on every change; one unit is none", () => {
  hub.system(oneUnit);
  const reader = new Reader();
  hub.connect(reader);
  expect(hub.snapshot()).not.toHaveProperty("system");
  expect(hub.systemDocument()).toEqual({ now: 1_000_000, ...oneUnit });
  hub.system(oneUnit);
  expect(reader.types).toEqual(["snapshot"]);
  hub.system(twoUnits);
  expect(reader.messages.at(-1)).toEqual({ type: "system", now: 1_000_000, system: twoUnits });
  expect(hub.snapshot().system).toEqual(twoUnits);
  hub.system(oneUnit);
  expect(reader.messages.at(-1)).toEqual({ type: "system", now: 1_000_000 });
});
