import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { planOf } from "../../src/app/plan.ts";
import { checksumHabits, encodeCommand, hasZeroByte } from "../../src/protocol/encode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { Simulation, type SimulationOptions } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { liveRig } from "../support/live-rig.ts";

/*
 * Scenario 7 of the acceptance list. Given units of both known rules for a zero byte in a checksum; when the energy of every
 * day, month and year from 2015 to 2045 is asked for; then every request is taken, the rule is learnt in two tries at most
 * and kept, and no date fails.
 */

const years = Array.from({ length: 31 }, (_, index) => 2015 + index);
const months = years.flatMap((year) => Array.from({ length: 12 }, (_, month) => `${year}${String(month + 1).padStart(2, "0")}`));
const days = Array.from({ length: Date.UTC(2046, 0, 1) / 86_400_000 - Date.UTC(2015, 0, 1) / 86_400_000 }, (_, day) =>
  new Date(Date.UTC(2015, 0, 1 + day)).toISOString().slice(0, 10).replaceAll("-", ""),
);
const commands = ["QE", "QL"].flatMap((kind) => [
  ...years.map((year) => `${kind}Y${year}`),
  ...months.map((month) => `${kind}M${month}`),
  ...days.map((day) => `${kind}D${day}`),
]);
const spoilt = commands.filter(hasZeroByte);

const rules = ["plain", "zeroBumped"] as const;
const cases = rules.flatMap((rule) => ([false, true] as const).map((hid) => [rule, hid ? "USB" : "a serial line", hid] as const));

let folder: string;
const ends: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-scenario-7-"));
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await rm(folder, { recursive: true });
});

test("covers every day, month and year, of which one in a hundred or so has such a checksum", () => {
  expect([days.length, months.length, years.length]).toEqual([11_323, 372, 31]);
  expect(spoilt.length).toBeGreaterThan(commands.length / 200);
  expect(spoilt).toEqual(expect.arrayContaining(["QEY2029", "QEM201810", "QED20251215", "QLD20250829"]));
});

describe.each(cases)("a unit that takes the rule %s, on %s", (rule, _, hid) => {
  const options = (clock: VirtualClock): SimulationOptions => ({ clock, model: "max", hid, firmware: { requestChecksum: rule } });

  test("takes the request for every date in one of the first two forms, and at once when the rule is known", () => {
    const [line] = new Simulation(options(new VirtualClock(Date.UTC(2026, 5, 21)))).lines;
    const takes = (command: string, form: (typeof rules)[number]): boolean =>
      line!.firmware.answer(encodeCommand(command, form)).command === command;
    const failed = commands.filter(
      (command) =>
        !checksumHabits(command, undefined, hid)
          .slice(0, 2)
          .some((form) => takes(command, form)),
    );
    expect(failed).toEqual([]);
    expect(commands.filter((command) => !takes(command, checksumHabits(command, rule, hid)[0]))).toEqual([]);
  });

  async function program(simulation: Simulation, clock: VirtualClock) {
    const device = hid ? "hidraw:/dev/hidraw0" : "serial:/dev/ttyUSB0";
    const plan = planOf({ fastMs: 5000, mediumMs: 15_000, slowMs: 60_000 });
    const rig = await liveRig({ folder, clock, plan, keepsCards: true });
    const inverter = rig.add(simulation.lines[0]!.open, { device, location: device });
    const end = rig.start(inverter);
    ends.push(end);
    return { inverter, end };
  }

  test("is asked for every such date without one failing; the rule is learnt by itself, in two tries, and kept over a restart", async () => {
    const clock = new VirtualClock(Date.UTC(2026, 5, 21, 10));
    const never = new AbortController().signal;
    const simulation = new Simulation(options(clock));
    const first = await program(simulation, clock);
    await clock.sleep(90_000, { signal: never });
    expect(first.inverter.card?.card.requestChecksum).toBe(rule);
    const dated = Object.entries(first.inverter.link.commands).filter(([command]) => /^Q[EL]D\d/.test(command));
    expect(dated).toHaveLength(1);
    expect(dated[0]![1].requests).toBeLessThanOrEqual(2);

    for (const command of spoilt) expect(await first.inverter.ask(findRequest(command), { signal: never })).toMatchObject({ kind: "data" });
    const { commands: counted } = first.inverter.link;
    expect(spoilt.filter((command) => command !== dated[0]![0] && counted[command]?.requests !== 1)).toEqual([]);
    await first.end();

    const second = await program(simulation, clock);
    await clock.sleep(3000, { signal: never });
    expect(second.inverter.card?.card.requestChecksum).toBe(rule);
    expect(await second.inverter.ask(findRequest("QED20251215"), { signal: never })).toMatchObject({ kind: "data" });
    expect(second.inverter.link.commands["QED20251215"]?.requests).toBe(1);
    expect(simulation.journal.setters).toBe(0);
  });
});
