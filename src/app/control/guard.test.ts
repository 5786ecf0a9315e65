import { describe, expect, it } from "vitest";
import { Disk, everything, Inverter, Life, namedSetting, startControl, Wall } from "../../../test/support/mortal-control.ts";
import { recordingLogger } from "../../../test/support/readings.ts";
import type { LeaseTerm, SettingChange } from "../../model/control.ts";
import type { JournalEntry } from "../../model/journal.ts";
import type { SettingValue } from "../../model/setting.ts";
import type { Setting } from "../../protocol/setting.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import type { ControlUnit } from "./control-unit.ts";
import { Journal } from "./journal.ts";
import type { ControlRules } from "./rules.ts";
import { ControlService } from "./service.ts";

/* What goes wrong between two people, a panel, a damaged disk and the program. */

const { signal } = new AbortController();
const minuteMs = 60_000;

function machine(settings: readonly Setting[] = [namedSetting("priority"), namedSetting("voltage")]) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const wall = new Wall(clock);
  const inverter = new Inverter("garage", clock);
  inverter.values.set("priority", "grid");
  inverter.values.set("voltage", 48);
  const disk = new Disk();
  const logger = recordingLogger();
  const start = async (rules: Partial<ControlRules> = {}, life = new Life()) =>
    await startControl({ life, disk, wall, inverters: [inverter], settings, logger, rules: { ...everything, ...rules } });
  const pass = async (ms: number): Promise<void> => await clock.sleep(ms, { signal });
  const entries = (): JournalEntry[] => disk.lines.map((line) => JSON.parse(line) as JournalEntry);
  return { clock, wall, inverter, disk, logger, start, pass, entries };
}

let count = 0;
const wish = (value: SettingValue, until?: LeaseTerm, more: Partial<SettingChange> = {}): SettingChange => ({
  id: `guard-${++count}`,
  inverter: "garage",
  setting: "priority",
  value,
  actor: { via: "cli" },
  ...(until && { until }),
  ...more,
});

describe("the end of a lease", () => {
  it("leaves alone what was changed at the panel since", async () => {
    const { inverter, start, pass, entries, logger } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: 10 * minuteMs, next: "battery" }), { signal });
    inverter.values.set("priority", "grid");
    await pass(30 * minuteMs);
    expect(inverter.value("priority")).toBe("grid");
    expect(inverter.commands).toHaveLength(1);
    expect(service.leases).toEqual([]);
    expect(entries().at(-1)).toMatchObject({ kind: "leaseEnd", actor: { via: "lease" } });
    expect(logger.texts().join("\n")).toMatch(/changed elsewhere/);
    await end();
  });

  it("still comes where the lease itself was never confirmed", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    inverter.manner = "ignores";
    expect(await service.change(wish("solar", { forMs: 10 * minuteMs, next: "battery" }), { signal })).toMatchObject({
      kind: "unconfirmed",
    });
    inverter.manner = "obeys";
    await pass(11 * minuteMs);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });

  it("that waits behind a newer change of somebody gives way to it", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    inverter.manner = "late";
    await pass(minuteMs - 8000);
    // It takes 20 s, in which the lease comes due and its end gets in line.
    const newer = service.change(wish("grid"), { signal });
    await pass(3 * minuteMs);
    expect(await newer).toMatchObject({ kind: "applied" });
    expect(inverter.value("priority")).toBe("grid");
    expect(service.leases).toEqual([]);
    await end();
  });

  it("does not come when the lease is given up while it waits in line", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    const change = wish("solar", { forMs: minuteMs, next: "battery" });
    await service.change(change, { signal });
    inverter.manner = "late";
    await pass(minuteMs - 8000);
    const other = service.change(wish(50, undefined, { setting: "voltage" }), { signal });
    await pass(12_000);
    await service.endLease(change.id, { via: "cli" });
    await other;
    inverter.manner = "obeys";
    await pass(minuteMs);
    expect(inverter.value("priority")).toBe("solar");
    await end();
  });

  it("gets its turn however many changes wait", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    await pass(minuteMs - 5000);
    inverter.manner = "ignores";
    const flood = Array.from({ length: 40 }, (_, index) => service.change(wish(index, undefined, { setting: "voltage" }), { signal }));
    await pass(10_000);
    inverter.manner = "obeys";
    await Promise.all(flood);
    await pass(5000);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });

  it("is not put off because the inverter was away at the first tries", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    inverter.manner = "refuses";
    await pass(6 * 60 * minuteMs);
    inverter.isOnline = false;
    await pass(minuteMs);
    inverter.manner = "obeys";
    inverter.isOnline = true;
    await pass(2000);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });
});

it("a lease of what cannot be read back is refused: nobody could tell that it has ended", async () => {
  const blind: Setting = { ...namedSetting("priority"), readBack: undefined };
  const { inverter, start } = machine([blind]);
  const { service, end } = await start();
  expect(await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal })).toMatchObject({
    kind: "refused",
    by: "us",
    reason: expect.stringMatching(/read back/) as string,
  });
  expect(inverter.commands).toEqual([]);
  await end();
});

it("an id asked again behind a change of somebody else is not done again", async () => {
  const { inverter, start } = machine();
  const { service, end } = await start();
  const mine = wish("solar");
  const first = service.change(mine, { signal });
  const others = service.change(wish("battery"), { signal });
  const again = service.change(mine, { signal });
  const otherwise = service.change({ ...mine, value: "grid" }, { signal });
  expect(await Promise.all([first, others, again])).toMatchObject([{ kind: "applied" }, { kind: "applied" }, { kind: "applied" }]);
  expect(await otherwise).toMatchObject({ kind: "refused", reason: expect.stringMatching(/another change/) as string });
  expect(inverter.value("priority")).toBe("battery");
  expect(inverter.commands).toHaveLength(2);
  await end();
});

it("a journal with damaged lines is read as far as it goes, and what can be read counts", async () => {
  const { inverter, disk, start, logger } = machine();
  const one = await start();
  await one.service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
  await one.end();
  const [intent = "", outcome = ""] = disk.lines;
  for (const damaged of [
    intent.replace('"change"', '"chbnge"'),
    intent.replace('"change":{', '"change":null,"x":{'),
    intent.replace('"actor":{', '"actoq":{'),
    intent.replace('"inverter":"garage"', '"inverter":7'),
    intent.replace('"until":{', '"until":7,"x":{'),
    outcome.replace('"outcome":{', '"outcome":null,"x":{'),
    outcome.replace('"written":[', '"written":7,"x":['),
    outcome.replace('"kind":"applied"', '"kind":"apqlied"'),
    '{"n":90,"at":5,"kind":"leaseEnd"}',
    "{}",
    "null",
    "7",
    "\u0000\u0000",
  ])
    disk.lines.push(damaged);
  const two = await start();
  expect(two.service.leases).toHaveLength(1);
  expect(await two.service.page({ limit: 100, inverter: "garage" })).toHaveLength(2);
  expect(logger.texts().join("\n")).toMatch(/13 lines that cannot be read/);
  expect(inverter.value("priority")).toBe("solar");
  await two.end();
});

it("writes made while the clock stood in the past still count after a restart", async () => {
  const { wall, start, pass } = machine();
  const rules = { budget: { perHour: 3, perDay: 30 } };
  const one = await start(rules);
  await one.service.change(wish("solar"), { signal });
  // A machine without a clock of its own, before it has asked the network for the time.
  wall.offsetMs = -50 * 365 * 86_400_000;
  for (const value of ["grid", "solar"]) expect(await one.service.change(wish(value), { signal })).toMatchObject({ kind: "applied" });
  await one.end();
  wall.offsetMs = 0;
  await pass(minuteMs);
  const two = await start(rules);
  expect(await two.service.change(wish("grid"), { signal })).toMatchObject({
    kind: "refused",
    reason: expect.stringMatching(/3 times within an hour/) as string,
  });
  await two.end();
});

/** The service around a unit that does what `change` says. */
async function around(change: ControlUnit["control"]["change"], rules: Partial<ControlRules> = {}) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const disk = new Disk();
  const logger = recordingLogger();
  const inverter = new Inverter("garage", clock);
  inverter.values.set("priority", "grid");
  const { control } = inverter.unit(new Life(), clock);
  const journal = await Journal.open(disk.store(new Life()), { clock, logger });
  const service = new ControlService({
    units: () => [{ id: "garage", isOnline: true, control: { ...control, change } }],
    settings: [namedSetting("priority")],
    rules: () => ({ ...everything, ...rules }),
    journal,
    clock,
    logger,
    newId: () => crypto.randomUUID(),
  });
  return { service, journal, disk };
}

const write = { kind: "write", setting: "priority", value: "solar", command: "SET" } as const;
const noTime = { before: "grid", after: "grid", startedAt: 0, endedAt: 0 } as const;

it("what was announced in the journal has one outcome there, also in a flood of refusals, and costs nothing when it was not sent", async () => {
  const { service, journal, disk } = await around(async (_, __, { beforeWrite }) => {
    // The link breaks between the journal and the first byte.
    await beforeWrite(write, "grid");
    return { kind: "refused", by: "us", reason: "cannot be reached", written: [], ...noTime };
  });
  await using _service = service;
  for (let index = 0; index < 30; index++) await service.change(wish("solar", undefined, { setting: "nothing" }), { signal });
  const mine = wish("solar");
  expect(await service.change(mine, { signal })).toMatchObject({ kind: "refused", by: "us" });
  expect(journal.ledger.openOf("garage")).toEqual([]);
  expect(disk.lines.filter((line) => line.includes(mine.id)).map((line) => (JSON.parse(line) as JournalEntry).kind)).toEqual([
    "intent",
    "outcome",
  ]);
  expect(service.budget()).toEqual([]);
});

it("every form of a command counts, and none leaves beyond the budget", async () => {
  let left = 0;
  const { service } = await around(
    async (_, __, { beforeWrite }) => {
      for (let form = 0; form < 3; form++) {
        await beforeWrite(write, "grid");
        left++;
      }
      return { kind: "unconfirmed", reason: "silence", written: [], ...noTime };
    },
    { budget: { perHour: 4, perDay: 30 } },
  );
  await using _service = service;
  await service.change(wish("solar"), { signal });
  expect(await service.change(wish("solar"), { signal })).toMatchObject({
    kind: "unconfirmed",
    reason: expect.stringMatching(/within an hour/) as string,
  });
  expect(await service.change(wish("solar"), { signal })).toMatchObject({ kind: "refused" });
  expect(left).toBe(4);
});

describe("another unit that is put in the place of one, under the same id,", () => {
  it("does not get the end of its lease; the one that was meant does when it is back", async () => {
    const { inverter, start, pass } = machine();
    inverter.serialNumber = "1001";
    const one = await start();
    await one.service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    await one.end();
    inverter.serialNumber = "1002";
    inverter.values.set("priority", "grid");
    const { service, end } = await start();
    await pass(10 * minuteMs);
    expect(inverter.commands).toHaveLength(1);
    expect(service.leases).toMatchObject([{ overdue: true, trouble: expect.stringMatching(/of the unit 1001, and 1002/) as string }]);
    inverter.serialNumber = "1001";
    inverter.values.set("priority", "solar");
    inverter.isOnline = false;
    await pass(5000);
    inverter.isOnline = true;
    await pass(5000);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });

  it("does not get what was asked for the other and waits", async () => {
    const { inverter, start, pass } = machine();
    inverter.serialNumber = "1001";
    inverter.manner = "late";
    const { service, end } = await start();
    const first = service.change(wish(50, undefined, { setting: "voltage" }), { signal });
    const waits = service.change(wish("solar"), { signal });
    await pass(5000);
    inverter.serialNumber = "1002";
    await first;
    expect(await waits).toMatchObject({ kind: "refused", by: "us", reason: expect.stringMatching(/another unit/) as string });
    expect(inverter.commands).toHaveLength(1);
    await end();
  });

  it("is not undone what was done to the other", async () => {
    const { inverter, start } = machine();
    inverter.serialNumber = "1001";
    const { service, end } = await start();
    await service.change(wish("solar"), { signal });
    inverter.serialNumber = "1002";
    await expect(service.undo("garage", { actor: { via: "cli" }, signal })).rejects.toMatchObject({ code: "nothing-to-undo" });
    expect(inverter.commands).toHaveLength(1);
    await end();
  });

  it("does not answer for a change that a crash has cut short", async () => {
    const { inverter, start, pass, entries } = machine();
    inverter.serialNumber = "1001";
    inverter.manner = "ignores";
    const life = new Life();
    const one = await start({}, life);
    one.service.change(wish("solar"), { signal }).catch(() => undefined);
    await pass(3000);
    life.kill();
    inverter.serialNumber = "1002";
    inverter.values.set("priority", "solar");
    const { end } = await start();
    await pass(40_000);
    expect(entries().at(-1)).toMatchObject({
      kind: "outcome",
      outcome: { kind: "unconfirmed", reason: expect.stringMatching(/1002 is in its place/) as string },
    });
    await end();
  });
});
