import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/app/config-file.ts";
import type { LiveInverter } from "../../src/app/live-inverter.ts";
import { planOf } from "../../src/app/plan.ts";
import type { CardDocument, Support } from "../../src/model/card.ts";
import type { Reading } from "../../src/model/reading.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import type { Profile } from "../../src/sim/profile.ts";
import { profiles } from "../../src/sim/profiles.ts";
import { Simulation } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { liveRig } from "../support/live-rig.ts";

/*
 * Scenario 1 of the acceptance list. Given simulators of every make, one of which nobody has a card for; when the program is
 * started against each with an empty configuration; then within 20 s of the connection it has a right card and right values,
 * what nobody has documented is kept and shown, nothing absent is a zero, and not one setter was sent.
 */

const noon = Date.UTC(2026, 5, 21, 10);
/** Promised are 20 s; a crowded computer and the start of the program need some of them. */
const withinMs = 17_200;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  // The folder, which comes first, goes last.
  for (const end of ends.splice(0).toReversed()) await end();
});

async function started(model: string) {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-scenario-1-"));
  const clock = new VirtualClock(noon);
  const simulation = new Simulation({ clock, model });
  const readings: Reading[] = [];
  let liveAt: number | undefined;
  const outputs = {
    name: "outputs",
    status: () => undefined,
    reading: (reading: Reading) => {
      if (reading.command === "QPIGS") liveAt ??= clock.monotonic();
      readings.push(reading);
    },
    forget: () => undefined,
  };
  const rig = await liveRig({ folder, clock, plan, keepsCards: true, outputs });
  const start = (): { readonly inverter: LiveInverter; readonly end: () => Promise<void> } => {
    const inverter = rig.add(simulation.lines[0]!.open);
    const end = rig.start(inverter);
    ends.push(end);
    return { inverter, end };
  };
  ends.push(() => rm(folder, { recursive: true }));
  const { logger, wait } = rig;
  return { simulation, logger, readings, start, wait, liveAt: () => liveAt };
}

const latest = (readings: readonly Reading[], command: string): Reading => {
  const found = readings.findLast((reading) => reading.command === command);
  if (found === undefined) throw new Error(`expected a reading of ${command}, got none`);
  return found;
};

/** What the profile makes of a command of the plan. */
function expectedSupport({ replies, refuses = [], refusal }: Profile, command: string): Support {
  const reply = replies[findRequest(command).query.code];
  if (reply !== undefined) return reply === "ACK" ? "hasNothing" : "answers";
  return refuses.includes(command) || refusal === "nak" ? "refuses" : "silent";
}

/** What its replies have room for; a KING tells of one input only, whatever is on its roof. */
function inputsOf({ replies }: Profile): number {
  const fields = (code: string): number => replies[code]?.trimEnd().split(" ").length ?? 0;
  if (fields("QPIGS2") === 12) return 3;
  return fields("QPIGS2") === 3 || fields("QPGSn") === 29 ? 2 : 1;
}

const plan = planOf(loadConfig({ file: undefined, flags: {}, env: {}, cwd: tmpdir() }).config.poll);

/** What is known of a unit at the end: of a silent one, what goes with a command that it does not know can wait. */
function watchedOf(profile: Profile): string[] {
  const isSilent = (command: string | undefined): boolean => command !== undefined && expectedSupport(profile, command) === "silent";
  return plan
    .filter(({ probe, beside, request }) => probe !== true && !(isSilent(beside) && isSilent(request.command)))
    .map(({ request }) => request.command);
}

describe.each(profiles.map((profile) => [profile.name, profile] as const))("a unit of the make %s", (name, profile) => {
  test("has a right card and right values well within 20 s of the connection, and not one setter was sent", async () => {
    const { simulation, readings, start, wait, liveAt, logger } = await started(name);
    const { inverter } = start();
    await wait(withinMs);
    const { card, facts } = inverter.card as CardDocument;

    expect(card.complete).toBe(true);
    expect(liveAt()).toBeLessThan(4000);
    expect(card.firmware).toBe(/VERFW: ?(.*)/.exec(profile.replies["QVFW"] ?? "")?.[1]);
    const watched = watchedOf(profile);
    expect(watched.length).toBeGreaterThan(25);
    expect(Object.fromEntries(watched.map((command) => [command, card.commands[command]?.support]))).toEqual(
      Object.fromEntries(watched.map((command) => [command, expectedSupport(profile, command)])),
    );
    for (const [command, { fields, support }] of Object.entries(card.commands)) {
      const reply = profile.replies[findRequest(command).query.code];
      if (support === "answers" && fields !== undefined) expect([command, fields]).toEqual([command, reply?.trimEnd().split(" ").length]);
    }
    expect(facts.family).toBe(profile.family);
    expect(facts.modelName).toBe(profile.replies["QMN"]);
    expect(facts.modelNumber).toBe(profile.replies["QGMN"]);
    expect(facts.pvInputs).toBe(inputsOf(profile));
    expect(facts.parallel.units).toBe(1);

    // By the places that every paper gives them, not by the decoder.
    const status = latest(readings, "QPIGS");
    const texts = status.payload.split(" ");
    expect(status.values).toMatchObject({
      gridVoltage: Number(texts[0]),
      outputVoltage: Number(texts[2]),
      loadApparentPower: Number(texts[4]),
      loadActivePower: Number(texts[5]),
      loadPercent: Number(texts[6]),
      batteryVoltage: Number(texts[8]),
      pv1Voltage: Number(texts[13]),
    });
    expect(Number(texts[5])).toBeGreaterThan(0);
    expect(latest(readings, "QMOD").values["operatingMode"]).toMatch(/^(line|battery)$/);
    const ratings = latest(readings, "QPIRI");
    const rated = ratings.payload.split(" ");
    expect(ratings.values).toMatchObject({
      ratedApparentPower: Number(rated[5]),
      batteryCutOffVoltage: Number(rated[9]),
      batteryBulkVoltage: Number(rated[10]),
      maxAcChargeCurrent: Number(rated[13]),
    });
    // Every field that was sent is a value or is kept as it came; none is made up.
    for (const reading of readings) {
      if (findRequest(reading.command).query.whole !== undefined) continue;
      const sent = reading.payload.trimEnd().split(" ");
      expect(Object.keys(reading.values).length + reading.tail.length).toBeLessThanOrEqual(sent.length);
    }

    expect({ setters: simulation.journal.setters, entries: simulation.journal.entries }).toEqual({ setters: 0, entries: [] });
    expect(logger.texts("warn")).toEqual([]);
  });
});

test("the make that nobody has a card for gives mode, voltages and load, and shows every further field by its place", async () => {
  const { start, wait, readings } = await started("mystery");
  const { inverter } = start();
  await wait(withinMs);
  const { facts } = inverter.card as CardDocument;
  expect(facts.family).toBe("unknown");
  const { QPIGS = [], QPIRI = [] } = facts.unknownFields;
  expect(QPIGS.map(({ index }) => index)).toEqual([25, 26]);
  expect(QPIRI.map(({ index }) => index)).toEqual([28, 29, 30]);
  expect(latest(readings, "QPIGS").tail).toHaveLength(2);
  expect(latest(readings, "QPIGS").values).not.toHaveProperty("pv2Voltage");
});

test.each(["max", "vm2", "hs"])("after a restart %s is not asked again what it does not know", async (name) => {
  const { simulation, start, wait } = await started(name);
  const first = start();
  // Every refusal is put to the test before it is believed.
  await wait(300_000);
  const before = first.inverter.card as CardDocument;
  await first.end();
  const { requests } = simulation.lines[0]!;
  const second = start();
  await wait(withinMs);
  expect((second.inverter.card as CardDocument).card.commands).toEqual(before.card.commands);
  const asked = Object.keys(second.inverter.link.commands);
  const lacking = Object.entries(before.card.commands).filter(([, { support }]) => support === "refuses" || support === "silent");
  expect(lacking.length).toBeGreaterThan(3);
  expect(asked.filter((command) => lacking.some(([each]) => each === command))).toEqual([]);
  expect(simulation.lines[0]!.requests).toBeGreaterThan(requests + 15);
  expect(simulation.journal.setters).toBe(0);
});
