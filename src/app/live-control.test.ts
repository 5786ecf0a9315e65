import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { liveRig } from "../../test/support/live-rig.ts";
import { knows, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { findSetting } from "../protocol/pi30/settings/catalogue.ts";
import type { UnitOutcome } from "../session/control.ts";

/* A change is meant for one unit. Another one that has taken its place behind the cable must neither get it nor answer for it. */

const serialNumber = "92931905106458";
const other = "96332011223344";
const signal = (): AbortSignal => new AbortController().signal;
const priority = findSetting("outputSourcePriority");

/** A unit with an output priority that it takes, or only says it takes. */
function unitThat(id: string, code: number, manner: "obeys" | "ignores" = "obeys") {
  const unit = { code, setters: [] as string[] };
  const script: Script = (command) => {
    const set = /^POP0(\d)$/.exec(command)?.[1];
    if (set === undefined)
      return knows({
        QID: id,
        QPIRI: `230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 49.0 54.4 54.4 2 30 060 1 ${unit.code} 2 9 01 0 1 53.0 0 1 000`,
      })(command);
    unit.setters.push(command);
    if (manner === "obeys") unit.code = Number(set);
    return "ACK";
  };
  return { unit, script };
}

let folder: string;
const stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-swap-"));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await rm(folder, { recursive: true });
});

async function live(script: Script, wantedId?: string, { waitMs = 3000, asks = ["QPIGS"] } = {}) {
  const plan = asks.map((command) => ({ request: findRequest(command), everyMs: 5000 }));
  const { clock, add, start, wait } = await liveRig({ folder, plan, wide: true });
  const port = new ScriptedPort(clock, script);
  const inverter = add(port.open, { wantedId });
  stops.push(start(inverter));
  await wait(waitMs);
  const change = async (control = inverter.control): Promise<UnitOutcome> =>
    await control.change(priority, "sbu", { signal: signal(), beforeWrite: async () => undefined });
  return { port, inverter, wait, change };
}

test("the unit that was met gets its change", async () => {
  const { unit, script } = unitThat(serialNumber, 0);
  const { change } = await live(script);
  expect(await change()).toMatchObject({ kind: "applied", after: "sbu" });
  expect(unit.setters).toEqual(["POP02"]);
});

test("what tells a unit from its clones is known when it has told it, and again after the link was lost", async () => {
  const { script } = unitThat("55355535553555", 0);
  let counter = "09000000";
  const { port, inverter, wait } = await live((command) => (command === "QET" ? counter : script(command)), undefined, { asks: ["QET"] });
  expect(inverter.evidence).toMatchObject({ firmware: expect.any(String) as string, pvEnergyTotal: expect.any(Number) as number });
  const { pvEnergyTotal: before = 0 } = inverter.evidence;
  port.pull();
  await wait(3000);
  expect(inverter.evidence.pvEnergyTotal).toBeUndefined();
  counter = "08000000";
  port.plugIn();
  await wait(10_000);
  expect(inverter.evidence.pvEnergyTotal).toBeLessThan(before);
});

test("a unit gets nothing before it is known what make it is", async () => {
  const { unit, script } = unitThat(serialNumber, 0);
  // It says who it is, and is silent to what would tell its make.
  const asks = ["QPIGS", "QPIGS2", "QBEQI", "Q1", "QET", "QDOP", "QBMS", "QLED", "QOPPT", "QPGS0"];
  const silent = (command: string) => (asks.includes(command) ? undefined : script(command));
  const { inverter, wait, change } = await live(silent, undefined, { waitMs: 400, asks });
  while (!inverter.isMet) await wait(100);
  expect(await change()).toMatchObject({
    kind: "refused",
    by: "us",
    reason: expect.stringContaining("is still being found out") as string,
    written: [],
  });
  expect(unit.setters).toEqual([]);
});

test.each([undefined, "garage"])(
  "another one in its place, unnoticed by the line, gets nothing and is then met (id %s)",
  async (wantedId) => {
    const { unit, script } = unitThat(serialNumber, 0);
    const { port, inverter, wait, change } = await live(script, wantedId);
    for (const [code, name] of [
      [0, "to be changed"],
      [2, "so already"],
    ] as const) {
      const swapped = unitThat(`${other.slice(0, -1)}${code}`, code);
      port.script = swapped.script;
      expect({ name, outcome: await change() }).toMatchObject({
        outcome: { kind: "refused", by: "us", reason: expect.stringMatching(/another/i) as string, written: [] },
      });
      expect(swapped.unit.setters).toEqual([]);
      await wait(5000);
      expect(inverter.info.serialNumber).toBe(`${other.slice(0, -1)}${code}`);
    }
    expect(unit.setters).toEqual([]);
    const third = unitThat(serialNumber, 1);
    port.script = third.script;
    expect(await change()).toMatchObject({ kind: "refused" });
    await wait(5000);
    expect(await change()).toMatchObject({ kind: "applied" });
  },
);

test("another one that is plugged in while a change is read back does not answer for it", async () => {
  const { unit, script } = unitThat(serialNumber, 0, "ignores");
  const { port, wait, change } = await live(script);
  const changed = change();
  await wait(3000);
  expect(unit.setters).toEqual(["POP02"]);
  port.pull();
  const swapped = unitThat(other, 2);
  port.script = swapped.script;
  await wait(500);
  port.plugIn();
  expect(await changed).toMatchObject({ kind: "unconfirmed" });
  expect(swapped.unit.setters).toEqual([]);
});

test("the same one that comes back does", async () => {
  const { unit, script } = unitThat(serialNumber, 0, "ignores");
  const { port, wait, change } = await live(script);
  const changed = change();
  await wait(3000);
  port.pull();
  unit.code = 2;
  await wait(500);
  port.plugIn();
  expect(await changed).toMatchObject({ kind: "applied" });
});

test("a way to a unit that has gone is closed for ever, whoever answers at its port now", async () => {
  const { script } = unitThat(serialNumber, 0);
  const { port, inverter, wait, change } = await live(script, "garage");
  const former = inverter.control;
  port.pull();
  const swapped = unitThat(other, 0);
  port.script = swapped.script;
  await wait(500);
  port.plugIn();
  await wait(10_000);
  expect(inverter.info.serialNumber).toBe(other);
  expect(await change(former)).toMatchObject({ kind: "refused", by: "us", written: [] });
  expect(swapped.unit.setters).toEqual([]);
});

test.each<[string, string | undefined, "applied" | "refused"]>([
  ["alone", undefined, "applied"],
  ["as the unit of that number", serialNumber, "applied"],
  ["while that number is another unit's", other, "refused"],
])("a command that holds the unit's number in a parallel system leaves it %s", async (_, first, kind) => {
  let amps = 60;
  const setters: string[] = [];
  const { inverter } = await live((command) => {
    if (command.startsWith("Q"))
      return knows({
        QPIRI: `230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 49.0 54.4 54.4 2 ${amps} 060 1 1 2 9 01 0 1 53.0 0 1 000`,
        QMUCHGCR: "002 010 020 030 060",
        ...(first !== undefined && {
          QPGS0: `1 ${first} B 00 230.0 50.00 230.0 50.00 0000 0000 000 52.0 000 100 000.0 000 00000 00000 000 00000010 1 1 060 120 030 00 000`,
        }),
      })(command);
    setters.push(command);
    amps = Number(command.slice(-2));
    return "ACK";
  });
  const current = findSetting("maxAcChargeCurrent");
  const numbered = {
    ...current,
    commands: (value: unknown, { unit }: { readonly unit: number }) => [`MUCHGC${unit}${String(value).padStart(3, "0")}`],
  };
  const outcome = await inverter.control.change({ ...numbered, allowed: () => ({ kind: "list", values: [30] }) }, 30, {
    signal: signal(),
    beforeWrite: async () => undefined,
  });
  expect(outcome).toMatchObject({ kind });
  expect(setters).toEqual(kind === "applied" ? ["MUCHGC0030"] : []);
});
