import { afterEach, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { knows, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import type { ModelCard } from "../model/card.ts";
import type { Reading } from "../model/reading.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { Line } from "./line.ts";
import { Unit } from "./unit.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const plan = ["QPIGS", "QMOD", "QPIGS2", "QBMS", "QPGS0", "QID", "QVFW", "QMN", "QBOOT"].map((command) => ({
  request: findRequest(command),
  everyMs: command === "QPIGS" || command === "QMOD" || command === "QPIGS2" ? 5000 : 15_000,
  ...(command === "QBOOT" && { probe: true }),
}));
const record = (serial: string, exists = "1"): string =>
  `${exists} ${serial} B 00 237.0 50.01 000.0 00.00 0483 0387 009 51.1 000 069 020.4 000 00942 00792 007 00000010 1 1 060 080 10 00 006`;
const own = "92931905106458";
const other = "96332011223344";
const nobody = "00000000000000";

/** A unit of which cards are kept. */
function kept(script: Script) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const port = new ScriptedPort(clock, script);
  const logger = recordingLogger();
  const stop = new AbortController();
  const cards = new Map<string, ModelCard>();
  const readings: Reading[] = [];
  const line = new Line({ open: port.open, clock, logger, random: () => 0.5, onStatus: (status) => unit.linkChanged(status) });
  const unit = new Unit({
    line,
    clock,
    logger,
    plan,
    onIdentity: ({ serialNumber }) => `unit-${serialNumber}`,
    onReading: (reading) => readings.push(reading),
    onProblem: () => undefined,
    recall: (id) => cards.get(id),
    onCard: (card, id) => cards.set(id, card),
  });
  const running = Promise.all([line.run({ signal: stop.signal }), unit.run({ signal: stop.signal })]);
  stops.push(async () => {
    stop.abort(new Error("the test is over"));
    return await running;
  });
  const wait = (ms: number): Promise<void> => clock.sleep(ms, stop);
  const replace = async (next: Script): Promise<void> => {
    port.pull();
    await wait(1000);
    port.asked.splice(0);
    port.script = next;
    port.plugIn();
    await wait(12_000);
  };
  const asked = (command: string): number => port.commands().filter((each) => each === command).length;
  return { clock, port, line, unit, cards, readings, wait, replace, asked };
}

test("after a short loss the same unit is not asked again what it does not know; another one is, and is told apart", async () => {
  const { unit, cards, wait, replace, asked } = kept(knows());
  await wait(60_000);
  expect(unit.card).toMatchObject({ complete: true, serialNumber: own, commands: { QPIGS2: { support: "refuses", failures: 2 } } });
  await replace(knows());
  expect([asked("QPIGS"), asked("QPIGS2")]).toEqual([3, 0]);
  await replace(knows({ QID: other, QPIGS2: "01.0 202.0 00205 " }));
  expect(asked("QPIGS2")).toBeGreaterThan(0);
  expect([unit.card?.serialNumber, unit.cardFacts?.pvInputs]).toEqual([other, 2]);
  // The first one again: its card is recalled.
  await replace(knows());
  expect([unit.card?.serialNumber, unit.cardFacts?.pvInputs, asked("QPIGS2")]).toEqual([own, 1, 0]);
  expect([...cards.keys()]).toEqual([`unit-${own}`, `unit-${other}`]);
});

test("a firmware change makes a new card, and the unit is asked everything anew", async () => {
  const { unit, wait, replace, asked } = kept(knows());
  await wait(30_000);
  await replace(knows({ QVFW: "VERFW:00079.71", QPIGS2: "01.0 202.0 00205 " }));
  expect(asked("QPIGS2")).toBeGreaterThan(0);
  expect(unit.card?.firmwares.map(({ version }) => version)).toEqual(["00079.70", "00079.71"]);
  expect(unit.card?.commands["QPIGS2"]).toMatchObject({ support: "answers", fields: 3 });
});

test("ACK for an answer means that there is nothing to tell; what is only probed is no live value", async () => {
  const { unit, wait, readings, line } = kept(knows({ QBMS: "ACK", QBOOT: "1" }));
  await wait(45_000);
  expect(unit.card?.commands["QBMS"]).toMatchObject({ support: "hasNothing" });
  expect(unit.card?.commands["QBOOT"]).toMatchObject({ support: "answers" });
  expect(new Set(readings.map(({ command }) => command))).not.toContain("QBOOT");
  expect(unit.values("QMOD")).toEqual({ operatingMode: "battery" });
  expect(line.status.state).toBe("online");
});

test("a reply in an unknown form is kept as it came, and others are not held up", async () => {
  const { unit, wait, readings } = kept(knows({ QPIGS2: "1 2 3 4" }));
  await wait(20_000);
  expect(unit.card?.commands["QPIGS2"]).toMatchObject({ support: "unreadable", payload: "1 2 3 4" });
  expect(unit.cardFacts?.unknownFields["QPIGS2"]).toHaveLength(4);
  expect(readings.filter(({ command }) => command === "QPIGS").length).toBeGreaterThanOrEqual(4);
});

test("a unit that is alone and later gets company is asked for the others, and knows its own number", async () => {
  const { unit, port, wait, asked } = kept(knows({ QPGS0: record(own, "0") }));
  await wait(60_000);
  expect([unit.cardFacts?.parallel.units, asked("QPGS1")]).toEqual([1, 0]);
  port.script = knows({ QPGS0: record(other), QPGS1: record(own), QPGS2: record(nobody, "0"), QPGS3: record(nobody, "0") });
  await wait(60_000);
  expect(unit.cardFacts?.parallel).toEqual({ units: 2, number: 1, serialNumbers: [other, own], phases: 1 });
  // A number that nobody has is tried from time to time.
  const before = asked("QPGS2");
  await wait(600_000);
  expect(asked("QPGS2") - before).toBe(2);
});

test("an unknown unit with one field in a form of its own gives the other values within 20 s, and at once after a restart", async () => {
  const body = (temperature: string, load: string): string =>
    `230.5 50.0 230.0 50.0 0460 ${load} 014 380 26.40 005 085 ${temperature} 03.1 182.5 00.00 00000 00010110 00 00 00565 010`;
  const unnamed = (status: string): Script => knows({ QPIGS: status, QMN: "NAK", QGMN: "NAK" });
  const { unit, readings, wait, replace } = kept(unnamed(body("41C", "0414")));
  const told = (): Reading | undefined => readings.findLast(({ command }) => command === "QPIGS");
  await wait(7000);
  expect(told()).toBeUndefined();
  await wait(13_000);
  expect(told()?.values).toMatchObject({ loadActivePower: 414, batteryVoltage: 26.4, field11: "41C" });
  expect(told()?.values).not.toHaveProperty("heatSinkTemperature");
  expect(unit.cardFacts).toMatchObject({ family: "unknown", malformedFields: { QPIGS: { index: 11, isHabit: true } } });
  await replace(unnamed(body("39C", "0777")));
  expect(told()?.values).toMatchObject({ loadActivePower: 777 });
  // What comes in another form is not trusted: not the field, and not the reply.
  const before = readings.length;
  await replace(unnamed(body("4.1", "0999")));
  expect(readings.slice(before).find(({ values }) => values["loadActivePower"] === 999)?.values).toBeUndefined();
});
