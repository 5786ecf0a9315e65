import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { byId, clone, codes, pollMs, record, serials, status, SystemBench } from "../../test/support/system-bench.ts";
import type { Values } from "../model/reading.ts";
import { systemAlarmCodes } from "../model/system.ts";

let bench: SystemBench;
beforeEach(async () => {
  bench = await SystemBench.open();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("three phases", () => {
  const modes = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;

  test("are a map, each with its units and its sum", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.tell(
      a,
      [serials.a, serials.b, serials.c].map((serial, n) => record(serial, 100 * (n + 1), { outputMode: modes[n]! })),
    );
    expect(bench.system.state().phases).toMatchObject([
      { phase: "L1", members: [`axpert-${serials.a}`], totals: { loadActivePower: { value: 100, complete: true } } },
      { phase: "L2", members: [`axpert-${serials.b}`], totals: { loadActivePower: { value: 200 } } },
      { phase: "L3", members: [`axpert-${serials.c}`], totals: { loadActivePower: { value: 300 } } },
    ]);
  });

  test("of which one unit tells only of itself: the others are expected, and said to be unknown", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(320));
    bench.say(a, "QPIRI", { outputMode: "phase2Of3" });
    bench.now += 14_000;
    expect(bench.system.state()).toMatchObject({ expected: 3, answering: 1, alarms: [] });
    expect(bench.system.state().totals["loadActivePower"]).toMatchObject({ units: 1, expected: 3, complete: false });
    bench.now += 3 * pollMs;
    bench.say(a, "QPIGS", status(320));
    expect(codes(bench.system.state())).toEqual(["phase-without-unit", "phase-without-unit"]);
    expect(bench.system.state().alarms[0]?.message).toMatch(/^No unit is known on phase L1\. /);
  });

  test("one dark: the missing unit is an error", () => {
    const a = bench.plug("usb-1", serials.a);
    const round = (units: number): void =>
      bench.tell(
        a,
        [serials.a, serials.b, serials.c].map((serial, n) => (n < units ? record(serial, 100, { outputMode: modes[n]! }) : undefined)),
      );
    round(3);
    for (let count = 0; count < 4; count++) {
      bench.now += pollMs;
      round(2);
    }
    expect(bench.system.state().alarms).toMatchObject([{ code: "unit-missing", severity: "error", inverters: [`axpert-${serials.c}`] }]);
    expect(bench.system.state().alarms[0]?.message).toMatch(/Totals are without it, and no unit answers on phase L3\.$/);
    expect(bench.system.state().phases?.[2]).toEqual({ phase: "L3", members: [`axpert-${serials.c}`], totals: {} });
  });

  test("and a unit that is set otherwise: an error", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.tell(a, [record(serials.a, 100, { outputMode: "phase1Of3" }), record(serials.b, 100, { outputMode: "parallel" })]);
    expect(bench.system.state().alarms).toMatchObject([{ code: "output-modes-differ", severity: "error" }]);
    expect(bench.system.state().alarms[0]?.message).toContain(
      `axpert-${serials.a} as one of three phases, axpert-${serials.b} parallel on one phase`,
    );
  });
});

describe("units that answer one serial number", () => {
  const modes = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;
  const clones = (loads: readonly number[]): Values[] => loads.map((watts, n) => record(clone, watts, { outputMode: modes[n]! }));

  test("are three devices by their phases, the same over one cable and over three", async () => {
    const a = bench.plug("usb-1", clone, modes[0]);
    bench.say(a, "QPIGS", status(101));
    bench.tell(a, clones([100, 200, 300]));
    const first = bench.system.state();
    expect(first).toMatchObject({ expected: 3, answering: 3 });
    expect(first.members.map(({ phase }) => phase)).toEqual(["L1", "L2", "L3"]);
    expect(first.totals["loadActivePower"]).toMatchObject({ value: 601, complete: true });
    expect(first.alarms).toMatchObject([{ code: "equal-serial-numbers", severity: "note" }]);
    const ids = first.members.map(({ id }) => id);

    await bench.restart();
    for (const place of ["usb-1", "usb-2", "usb-3"]) bench.registry.expect(place);
    const cables = modes.map((mode, n) => bench.plug(`usb-${n + 1}`, clone, mode));
    for (const [n, info] of cables.entries()) {
      bench.say(info, "QPIGS", status(100 * (n + 1)));
      bench.tell(info, clones([100, 200, 300]));
    }
    const second = bench.system.state();
    expect(second.members.map(({ id, ownCable }) => [id, ownCable])).toEqual(ids.map((id) => [id, true]));
    expect(second.totals["loadActivePower"]).toMatchObject({ value: 600, complete: true });
  });

  test("do not change places when one is off and the numbers behind it move up", () => {
    const a = bench.plug("usb-1", clone, modes[0]);
    for (let round = 0; round < 2; round++) {
      bench.tell(a, clones([100, 200, 300]));
      bench.now += pollMs;
    }
    const [l1, l2, l3] = bench.system.state().members.map(({ id }) => id);
    const [first, , third] = clones([110, 0, 330]);
    for (let round = 0; round < 4; round++) {
      bench.tell(a, [first, third]);
      bench.now += pollMs;
    }
    bench.tell(a, [first, third]);
    const state = bench.system.state();
    expect(state).toMatchObject({ expected: 3, answering: 2 });
    expect(byId(state).get(l1!)?.values["loadActivePower"]).toMatchObject({ value: 110, live: true });
    expect(byId(state).get(l2!)).toMatchObject({ state: "stale" });
    expect(byId(state).get(l3!)).toMatchObject({ state: "live", phase: "L3", through: [{ position: 1 }] });
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 440, units: 2, complete: false });
  });

  test("and one phase are told apart by their numbers, once a second round has shown that they are several", () => {
    const a = bench.plug("usb-1", clone, "parallel");
    bench.say(a, "QPIGS", status(300));
    const records = [100, 200, 300].map((watts) => record(clone, watts));
    bench.tell(a, records);
    expect(bench.system.state().members).toHaveLength(1);
    bench.now += 10_000;
    bench.tell(a, records);
    bench.say(a, "QPIGS", status(300));
    const state = bench.system.state();
    expect(state).toMatchObject({ expected: 3, answering: 3 });
    // Which record is that of the unit at the cable is not known: all three come from the records, so none counts twice.
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 600, complete: true });
    const ids = state.members.map(({ id }) => id);
    bench.tell(a, records);
    expect(bench.system.state().members.map(({ id }) => id)).toEqual(ids);
  });

  test("and a cable each are as many devices as cables, also while a cable has not answered yet", async () => {
    const places = ["usb-1", "usb-2", "usb-3"] as const;
    const infos = places.map((place) => bench.plug(place, clone, "parallel"));
    const ids = infos.map(({ id }) => id);
    const records = [100, 200, 300].map((watts) => record(clone, watts));
    for (let round = 0; round < 3; round++) for (const info of infos) bench.tell(info, records);
    expect(bench.system.state().members.map(({ id }) => id)).toEqual(ids);
    await bench.restart();
    for (const place of places) bench.registry.expect(place);
    const a = bench.plug("usb-1", clone, "parallel");
    for (let round = 0; round < 3; round++) bench.tell(a, records);
    for (const place of places.slice(1)) bench.plug(place, clone, "parallel");
    expect(new Set(bench.system.state().members.map(({ id }) => id))).toEqual(new Set(ids));
  });
});

test("a number that another unit takes over for a moment makes no device of it", () => {
  const a = bench.plug("usb-1", serials.a);
  bench.tell(a, [record(serials.a, 100), record(serials.b, 200), record(serials.c, 300)]);
  for (let round = 0; round < 2; round++) {
    bench.now += pollMs;
    bench.tell(a, [record(serials.a, 100), record(serials.c, 310)]);
  }
  const state = bench.system.state();
  expect(state.members).toHaveLength(3);
  expect(byId(state).get(`axpert-${serials.c}`)).toMatchObject({
    through: [{ position: 1 }],
    values: { loadActivePower: { value: 310 } },
  });
});

describe("settings", () => {
  test("that must agree and do not are told by name, value and unit; those that may differ are only listed", () => {
    const [a, b] = [bench.plug("usb-1", serials.a), bench.plug("usb-2", serials.b)];
    bench.say(a, "QPIRI", {
      outputMode: "parallel",
      batteryBulkVoltage: 56.4,
      batteryType: "userDefined",
      chargerSourcePriority: "solarFirst",
    });
    bench.say(b, "QPIRI", {
      outputMode: "parallel",
      batteryBulkVoltage: 54,
      batteryType: "userDefined",
      chargerSourcePriority: "onlySolar",
    });
    const { differences, alarms } = bench.system.state();
    expect(differences.map(({ setting, mustAgree }) => [setting, mustAgree])).toEqual([
      ["chargerSourcePriority", false],
      ["batteryBulkVoltage", true],
    ]);
    expect(alarms).toMatchObject([{ code: "settings-differ", inverters: [a.id, b.id] }]);
    expect(alarms[0]?.message).toBe(
      `Bulk charging voltage differs: 56.4 V on ${a.id}, 54 V on ${b.id}. Units of one system need the same.`,
    );
    bench.say(b, "QPIRI", {
      outputMode: "parallel",
      batteryBulkVoltage: 56.4,
      batteryType: "userDefined",
      chargerSourcePriority: "solarFirst",
    });
    expect(bench.system.state()).toMatchObject({ differences: [], alarms: [] });
  });

  test("of a unit without a cable are compared as far as its record tells them", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIRI", { outputMode: "parallel", batteryBulkVoltage: 56.4, maxChargeCurrent: 60 });
    bench.tell(a, [record(serials.a, 100, { maxChargeCurrent: 60 }), record(serials.b, 100, { maxChargeCurrent: 40 })]);
    expect(bench.system.state().differences).toMatchObject([
      { setting: "maxChargeCurrent", mustAgree: false, values: [{ value: 60 }, { inverter: `axpert-${serials.b}`, value: 40 }] },
    ]);
  });
});

test("the page about parallel systems explains every alarm, and no other", async () => {
  const page = await readFile(new URL("../../docs/parallel.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf("## What is watched"), page.indexOf("## Where to find it"));
  const explained = [...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code);
  expect(new Set(explained)).toEqual(new Set(systemAlarmCodes));
});
