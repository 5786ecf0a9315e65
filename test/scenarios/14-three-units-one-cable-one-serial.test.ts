import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/app/config-file.ts";
import { FanOut } from "../../src/app/fan-out.ts";
import { LiveInverter } from "../../src/app/live-inverter.ts";
import { planOf, staleAfterMs } from "../../src/app/plan.ts";
import { InverterRegistry } from "../../src/app/registry.ts";
import { SystemWatch } from "../../src/app/system-watch.ts";
import type { Reading } from "../../src/model/reading.ts";
import type { SystemState } from "../../src/model/system.ts";
import { Simulation, type SimulationOptions } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { recordingLogger } from "../support/readings.ts";

/*
 * Scenario 14 of the acceptance list. Given three parallel units in three-phase mode that all answer serial 55355535553555,
 * one without the parallel query; when they are connected by one cable, then by three, then one unit is switched off; then
 * three stable devices exist in both wirings with the same ids, phase and role are shown, the total equals the sum counted
 * once, the missing unit is alarmed and the total is marked partial.
 */

const noon = Date.UTC(2026, 5, 21, 10);
const serial = "55355535553555";
const plan = planOf(loadConfig({ file: undefined, flags: {}, env: {}, cwd: tmpdir() }).config.poll);
const pollsMs = staleAfterMs("QPGS0", plan);

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** The units, and the program that is started again and again with cables to some of them. */
async function plant(options: Partial<SimulationOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-scenario-14-"));
  ends.push(() => rm(folder, { recursive: true }));
  const clock = new VirtualClock(noon);
  const simulation = new Simulation({ clock, units: 3, phases: 3, sameSerial: true, withoutParallelQuery: [1], ...options });
  const never = new AbortController().signal;
  const logger = recordingLogger();
  const start = async (...cables: readonly number[]) => {
    const registry = await InverterRegistry.open(join(folder, "inverters.json"), { logger });
    const states: SystemState[] = [];
    const readings: Reading[] = [];
    const watch = new SystemWatch({
      known: registry,
      clock,
      logger,
      staleAfterMs: (command) => staleAfterMs(command, plan),
      onState: (state) => states.push(state),
    });
    const rest = { name: "rest", status: () => undefined, reading: (reading: Reading) => readings.push(reading), forget: () => undefined };
    const outputs = new FanOut({ sinks: [watch, rest], logger });
    const page = watch.beside(rest);
    const inverters = cables.map(
      (unit) =>
        new LiveInverter({
          target: {
            open: simulation.lines[unit]!.open,
            device: `serial:/dev/ttyUSB${unit}`,
            location: `/dev/ttyUSB${unit}`,
            simulated: false,
            wantedId: undefined,
            provisionalId: `inverter-${unit + 1}`,
          },
          plan,
          registry,
          clock,
          logger,
          outputs,
          page,
        }),
    );
    const stop = new AbortController();
    const running = Promise.all([
      ...inverters.map((inverter) => inverter.run({ signal: stop.signal })),
      watch.run({ signal: stop.signal }),
    ]);
    const end = async (): Promise<void> => {
      stop.abort(new Error("the test is over"));
      await running;
      await registry.saved();
    };
    ends.push(end);
    const state = (): SystemState => {
      const last = states.at(-1);
      if (last === undefined) throw new Error("expected a state of the system, got none");
      return last;
    };
    return { state, readings, end };
  };
  return { simulation, start, wait: (ms: number) => clock.sleep(ms, { signal: never }), clock };
}

/** By phase, which is what the ids have to stay with. */
function idsOf({ members }: SystemState): Record<string, string> {
  return Object.fromEntries(members.map(({ id, phase }) => [phase ?? "none", id]));
}

function loadOf({ members }: SystemState): number {
  return members.reduce(
    (sum, { values }) => sum + Number(values["loadActivePower"]?.live === true ? values["loadActivePower"].value : 0),
    0,
  );
}

describe("three units in three phases that all answer one serial number", () => {
  test("are the same three devices over one cable and over three, counted once, and the one that is off is missed", async () => {
    const { simulation, start, wait } = await plant();

    const one = await start(0);
    await wait(60_000);
    const overOne = one.state();
    expect(overOne.members.map(({ phase, state, serialNumber }) => [phase, state, serialNumber])).toEqual([
      ["L1", "live", serial],
      ["L2", "live", serial],
      ["L3", "live", serial],
    ]);
    expect(new Set(overOne.members.map(({ id }) => id)).size).toBe(3);
    expect(overOne.members.map(({ ownCable }) => ownCable)).toEqual([true, false, false]);
    expect(overOne).toMatchObject({ expected: 3, answering: 3, alarms: [{ code: "equal-serial-numbers", severity: "note" }] });
    expect(overOne.totals["loadActivePower"]).toMatchObject({ value: loadOf(overOne), units: 3, complete: true });
    // The simulator's own sum, from another moment of the same half minute.
    const whole = Number(one.readings.findLast(({ command }) => command === "QPGS0")?.values["totalLoadActivePower"]);
    expect(Math.abs(loadOf(overOne) - whole) / whole).toBeLessThan(0.1);
    expect(overOne.phases?.map(({ phase, members, totals }) => [phase, members.length, totals["loadActivePower"]?.complete])).toEqual([
      ["L1", 1, true],
      ["L2", 1, true],
      ["L3", 1, true],
    ]);
    await one.end();

    const three = await start(0, 1, 2);
    await wait(60_000);
    const overThree = three.state();
    expect(idsOf(overThree)).toEqual(idsOf(overOne));
    expect(overThree.members).toHaveLength(3);
    expect(overThree.members.every(({ ownCable, state }) => ownCable && state === "live")).toBe(true);
    expect(overThree.totals["loadActivePower"]).toMatchObject({ value: loadOf(overThree), units: 3, complete: true });
    expect(overThree.alarms.map(({ code }) => code)).toEqual(["equal-serial-numbers"]);

    simulation.lines[2]!.setPowered(false);
    await wait(pollsMs + 20_000);
    const without = three.state();
    expect(without).toMatchObject({ expected: 3, answering: 2 });
    expect(without.totals["loadActivePower"]).toMatchObject({ value: loadOf(without), units: 2, expected: 3, complete: false });
    expect(without.alarms[0]).toMatchObject({ code: "unit-missing", severity: "error", inverters: [idsOf(overOne)["L3"]] });
    expect(without.phases?.[2]).toMatchObject({ phase: "L3", totals: {} });

    simulation.lines[2]!.setPowered(true);
    await wait(60_000);
    expect(three.state()).toMatchObject({ expected: 3, answering: 3 });
    expect(idsOf(three.state())).toEqual(idsOf(overOne));
    expect(simulation.journal.entries).toEqual([]);
  });

  test("the missing one is missed over one cable too, and at no moment is the total lower without saying so", async () => {
    const { simulation, start, wait } = await plant();
    const { state } = await start(0);
    await wait(60_000);
    const ids = idsOf(state());
    simulation.lines[2]!.setPowered(false);
    for (let second = 0; second < (pollsMs + 30_000) / 1000; second++) {
      await wait(1000);
      const { totals, answering } = state();
      const load = totals["loadActivePower"];
      expect({ complete: load?.complete, units: load?.units }).toEqual({ complete: answering === 3, units: answering });
    }
    expect(state()).toMatchObject({ expected: 3, answering: 2, alarms: [{ code: "unit-missing", inverters: [ids["L3"]] }, {}] });
    simulation.lines[2]!.setPowered(true);
    await wait(60_000);
    expect(state()).toMatchObject({ answering: 3 });
    expect(idsOf(state())).toEqual(ids);
  });

  test("the other order, three cables first and then one to another unit: the ids stay with the phases", async () => {
    const { start, wait } = await plant();
    const three = await start(0, 1, 2);
    await wait(60_000);
    const ids = idsOf(three.state());
    expect(Object.keys(ids).toSorted()).toEqual(["L1", "L2", "L3"]);
    await three.end();
    const one = await start(2);
    await wait(60_000);
    expect(idsOf(one.state())).toEqual(ids);
    expect(one.state()).toMatchObject({ expected: 3, answering: 3 });
  });

  test("read through the one that does not know the parallel query: the others are expected and said to be unknown", async () => {
    const { start, wait } = await plant();
    const { state } = await start(1);
    await wait(pollsMs + 20_000);
    expect(state()).toMatchObject({ expected: 3, answering: 1 });
    expect(state().totals["loadActivePower"]).toMatchObject({ units: 1, expected: 3, complete: false });
    expect(state().alarms.map(({ code }) => code)).toEqual(["phase-without-unit", "phase-without-unit"]);
  });
});

describe("units with serial numbers of their own", () => {
  test("parallel on one phase: one cable and a cable each are the same devices, and the sum is the same", async () => {
    const { start, wait } = await plant({ sameSerial: false, phases: 1, withoutParallelQuery: [] });
    const one = await start(1);
    await wait(60_000);
    const ids = one
      .state()
      .members.map(({ id }) => id)
      .toSorted();
    expect(ids).toHaveLength(3);
    expect(one.state()).toMatchObject({ expected: 3, answering: 3, alarms: [], simulated: true });
    expect(one.state()).not.toHaveProperty("phases");
    await one.end();
    const three = await start(0, 1, 2);
    await wait(60_000);
    expect(
      three
        .state()
        .members.map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids);
    expect(three.state().totals["loadActivePower"]).toMatchObject({ value: loadOf(three.state()), units: 3, complete: true });
  });
});
