import { expect, it } from "vitest";
import { Disk, everything, Inverter, Life, namedSetting, startControl, Wall } from "../../../test/support/mortal-control.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";

/* The write budget and a wall clock that is set while the program is not running. */

const { signal } = new AbortController();
const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;
const rules = { ...everything, budget: { perHour: 3, perDay: 5 } };

function machine() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const wall = new Wall(clock);
  const inverter = new Inverter("garage", clock);
  inverter.values.set("priority", 0);
  const disk = new Disk();
  let count = 0;
  /** A start of the program that tries so many changes; tells how many were done. */
  const run = async (tries: number): Promise<number> => {
    const { service, end } = await startControl({
      life: new Life(),
      disk,
      wall,
      inverters: [inverter],
      settings: [namedSetting("priority")],
      rules,
    });
    let done = 0;
    for (let i = 0; i < tries; i++) {
      const change = { id: `c${++count}`, inverter: "garage", setting: "priority", value: count, actor: { via: "cli" } } as const;
      if ((await service.change(change, { signal })).kind === "applied") done++;
    }
    await end();
    return done;
  };
  const pass = async (ms: number): Promise<void> => await clock.sleep(ms, { signal });
  return { wall, run, pass };
}

it.each([2 * 24 * hourMs, 50 * yearMs, -50 * yearMs])("a clock set by %i ms and back around restarts gives no fresh budget", async (ms) => {
  const { wall, run } = machine();
  expect(await run(4)).toBe(3);
  wall.offsetMs = ms;
  expect(await run(4)).toBe(0);
  wall.offsetMs = 0;
  expect(await run(4)).toBe(0);
  wall.offsetMs = ms;
  wall.reboot();
  expect(await run(4)).toBe(0);
});

it("writes made while the clock stood years ahead do not lock anybody out for ever, however often the program starts", async () => {
  const { wall, run, pass } = machine();
  wall.offsetMs = 10 * yearMs;
  expect(await run(4)).toBe(3);
  wall.offsetMs = 0;
  expect(await run(1)).toBe(0);
  await pass(hourMs);
  expect(await run(4)).toBe(2);
  await pass(24 * hourMs);
  expect(await run(4)).toBe(3);
});

it("time in which the machine was off is not proven; what it has been running since is", async () => {
  const { wall, run, pass } = machine();
  expect(await run(4)).toBe(3);
  await pass(30 * 24 * hourMs);
  wall.reboot();
  expect(await run(1)).toBe(0);
  await pass(hourMs);
  expect(await run(4)).toBe(2);
});

it("where the system does not tell how long it runs, the wall clock counts from entry to entry, and never back", async () => {
  const { wall, run, pass } = machine();
  wall.tellsBoot = false;
  wall.offsetMs = 10 * yearMs;
  expect(await run(4)).toBe(3);
  wall.offsetMs = 0;
  // The attempt that is refused is an entry too: from there on time counts again.
  expect(await run(1)).toBe(0);
  await pass(hourMs);
  expect(await run(4)).toBe(2);
});
