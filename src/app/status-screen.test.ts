import { describe, expect, it } from "vitest";
import type { LiveInverter, LiveSnapshot } from "../api/live.ts";
import { metric } from "../model/metric.ts";
import { rejectReasons, type LinkCounters, type Reading, type RejectReason } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";
import { statusScreen } from "./status-screen.ts";

const now = Date.UTC(2026, 2, 29, 6, 0, 0);
const rejected = Object.fromEntries(rejectReasons.map((reason) => [reason, 0])) as Record<RejectReason, number>;
const counters: LinkCounters = { requests: 10, accepted: 7, rejected: { ...rejected, timeout: 2, checksum: 1 }, reconnects: 1 };

function reading(command: string, agoMs: number, values: Reading["values"], derived: Reading["derived"] = {}): Reading {
  return { inverter: "garage", at: now - agoMs, command, payload: "", values, derived, tail: [] };
}

function snapshot(readings: readonly Reading[], more: Partial<LiveInverter> = {}): LiveSnapshot {
  const inverter: LiveInverter = {
    info: { id: "garage", device: "hidraw:/dev/hidraw0", simulated: false, model: "VMIII-3000" },
    status: { state: "online", since: now - 3_600_000, message: "" },
    counters,
    readings: Object.fromEntries(readings.map((each) => [each.command, each])),
    staleAfterMs: { QPIGS: 15_000, QPGS0: 90_000, QPIRI: 900_000 },
    trend: { series: [], rows: [] },
    ...more,
  };
  return { type: "snapshot", version: "1.2.3", now, timeZone: "Africa/Johannesburg", metrics: metric, inverters: [inverter] };
}

const screen = (of: LiveSnapshot, options: Partial<Parameters<typeof statusScreen>[1]> = {}) =>
  statusScreen(of, { width: 80, all: false, color: false, ...options });

const status = reading(
  "QPIGS",
  2000,
  { gridVoltage: 230.1, batteryVoltage: 26.4, deviceStatus: ["loadOn"], heatSinkTemperature: 35 },
  { batteryPower: -26 },
);

it("shows each value with unit, digits and age under its section, and who and how the inverter is", () => {
  expect(screen(snapshot([status]))).toBe(
    `sonkrag 1.2.3 · 2026-03-29 08:00:00 Africa/Johannesburg

garage · VMIII-3000 · hidraw:/dev/hidraw0
online since 2026-03-29 07:00:00
10 requests · 7 accepted · rejected: timeout 2, checksum 1 · reconnects: 1
Battery
  Battery voltage                    26.40 V  2 s
  Battery power                        -26 W  2 s
Grid
  Grid voltage                       230.1 V  2 s
Inverter
  Heat sink temperature                35 °C  2 s
  Device status                      load on  2 s
`,
  );
});

describe("of several readings of one metric", () => {
  const parallel = reading("QPGS0", 2000, { batteryVoltage: 26.1 });

  it("the live status is shown", () => {
    expect(screen(snapshot([parallel, status]))).toContain("26.40 V");
  });

  it("a live one goes before a stale one", () => {
    const text = screen(snapshot([{ ...status, at: now - 60_000 }, parallel]));
    expect(text).toMatch(/Battery voltage +26\.10 V {2}2 s\n/);
    expect(text).toMatch(/Grid voltage +230\.1 V {2}60 s STALE\n/);
  });
});

it("says what is the matter with the link, and that a simulated inverter is simulated", () => {
  const text = screen(
    snapshot([], {
      info: { id: "sim", device: "sim:", simulated: true },
      status: { state: "lost", since: now, message: "Unplugged." },
    }),
  );
  expect(text).toContain("SIMULATED: nothing here is real\nlost since 2026-03-29 08:00:00: Unplugged.\n");
});

it("says what the inverter warns of and what to do, the worst first", () => {
  const notice = { explanation: "There is no grid.", advice: "Check the breaker." };
  const warned: Reading = {
    ...reading("QPIWS", 1000, { warnings: ["pvLoss", "gridFailed"] }),
    notices: [
      { key: "pvLoss", title: "No PV power", severity: "info", ...notice },
      { key: "gridFailed", title: "Grid failed", severity: "warning", ...notice },
    ],
  };
  const unit: Reading = {
    ...reading("QPGS1", 100_000, { unitExists: true, faultCode: "72" }),
    notices: [{ key: "72", title: "Current is not shared", severity: "fault", explanation: "Uneven.", advice: "Check the cables." }],
  };
  const text = screen(snapshot([warned, unit], { staleAfterMs: { QPGS1: 90_000 } }));
  expect(text).toContain(
    "reconnects: 1\nFAULT of parallel unit 1: Current is not shared. Uneven. Check the cables. (STALE)\n" +
      "WARNING: Grid failed. There is no grid. Check the breaker.\nNote: No PV power\n",
  );
});

it("puts sections side by side where there is room", () => {
  const lines = screen(snapshot([status]), { width: 120 }).split("\n");
  expect(lines.some((line) => line.startsWith("Battery") && line.endsWith("  Grid"))).toBe(true);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
});

it("shows settings only if asked", () => {
  const settings = reading("QPIRI", 0, { batteryBulkVoltage: 28.2 });
  expect(screen(snapshot([settings]))).not.toContain("28.2");
  expect(screen(snapshot([settings]), { all: true })).toContain("28.2 V");
});

it("colours only if asked", () => {
  const stale = snapshot([{ ...status, at: now - 60_000 }]);
  expect(screen(stale)).not.toContain("\u001b");
  expect(screen(stale, { color: true })).toContain("\u001b[33m  Battery voltage");
});

it("shows all units together first where there are several, with the sum and what is the matter", () => {
  const from = { origin: "measured", at: now - 2000, command: "QPIGS", from: "garage", live: true } as const;
  const member = { simulated: false, ownCable: true, through: [], seenAt: now - 2000 } as const;
  const system: SystemState = {
    expected: 2,
    answering: 1,
    simulated: false,
    members: [
      { ...member, id: "garage", state: "live", phase: "L1", values: { loadActivePower: { ...from, value: 412 } } },
      { ...member, id: "shed", state: "stale", phase: "L2", seenAt: now - 90_000, values: {} },
    ],
    totals: { loadActivePower: { value: 412, origin: "derived", at: now - 2000, units: 1, expected: 2, complete: false } },
    phases: [],
    differences: [],
    alarms: [{ code: "unit-missing", severity: "error", message: "shed is not heard of.", inverters: ["shed"], since: now }],
  };
  expect(screen({ ...snapshot([status]), system }).split("\n\n")[1]).toBe(
    `All units: 1 of 2 answer
PROBLEM: shed is not heard of.
Unit    Phase   Load  PV power  Battery power  Age
garage  L1     412 W         –              –  2 s
shed    L2         –         –              –  90 s STALE
Total          412 W         –              –  not all units`,
  );
});
