import { describe, expect, it } from "vitest";
import { Disk, everything, Inverter, Life, namedSetting, startControl, Wall } from "../../../test/support/mortal-control.ts";
import { recordingLogger } from "../../../test/support/readings.ts";
import type { SettingChange } from "../../model/control.ts";
import type { JournalEntry, OutcomeEntry } from "../../model/journal.ts";
import type { SettingValue } from "../../model/setting.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import type { ControlRules } from "./rules.ts";

const anybody = (): AbortSignal => new AbortController().signal;
const hourMs = 3_600_000;

function machine() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const wall = new Wall(clock);
  const inverter = new Inverter("garage", clock);
  inverter.values.set("priority", "grid");
  inverter.values.set("voltage", 48);
  inverter.values.set("reset", "no");
  const disk = new Disk();
  const logger = recordingLogger();
  const settings = [
    namedSetting("priority"),
    namedSetting("voltage", { level: "expert" }),
    namedSetting("reset", { level: "expert", confirm: "factory reset" }),
  ];
  const start = async (rules: Partial<ControlRules> = {}, life = new Life()) =>
    await startControl({ life, disk, wall, inverters: [inverter], settings, logger, rules: { ...everything, ...rules } });
  const pass = async (ms: number): Promise<void> => await clock.sleep(ms, { signal: anybody() });
  const entries = (): JournalEntry[] => disk.lines.map((line) => JSON.parse(line) as JournalEntry);
  const outcomes = (): OutcomeEntry[] => entries().filter((entry): entry is OutcomeEntry => entry.kind === "outcome");
  return { clock, wall, inverter, disk, logger, start, pass, entries, outcomes };
}

let count = 0;
const wish = (setting: string, value: SettingValue, more: Partial<SettingChange> = {}): SettingChange => ({
  id: `change-${++count}`,
  inverter: "garage",
  setting,
  value,
  actor: { via: "cli", name: "anna" },
  ...more,
});

describe("what is refused without asking the inverter, and journalled", () => {
  it.each<[string, Partial<ControlRules>, SettingChange, RegExp]>([
    ["while control is off", { enabled: false }, wish("priority", "solar"), /off for garage; .*enabled: true/],
    ["an expert setting at the everyday level", { level: "everyday" }, wish("voltage", 50), /expert setting; .*level: expert/],
    ["what needs a word, without it", {}, wish("reset", "yes"), /exact word "factory reset", got none/],
    ["what needs a word, with another", {}, wish("reset", "yes", { confirm: "Factory Reset" }), /got "Factory Reset"/],
    ["another inverter", {}, wish("priority", "solar", { inverter: "../x" }), /inverter \(garage\), got "..\/x"/],
    ["a lease that is over", {}, wish("priority", "solar", { until: { at: 1, next: "grid" } }), /lie ahead, got 1970/],
    ["a lease for ever", {}, wish("priority", "solar", { until: { forMs: 1e15, next: "grid" } }), /at most a year/],
    ["a lease that ends in the same", {}, wish("priority", "solar", { until: { forMs: 9e5, next: "solar" } }), /another value/],
  ])("%s", async (_, rules, change, reason) => {
    const { start, inverter, outcomes } = machine();
    const { service, end } = await start(rules);
    expect(await service.change(change, { signal: anybody() })).toMatchObject({
      kind: "refused",
      by: "us",
      reason: expect.stringMatching(reason) as string,
      written: [],
    });
    expect(inverter.commands).toEqual([]);
    expect(outcomes()).toMatchObject([{ outcome: { change, kind: "refused" } }]);
    await end();
  });

  it("a setting that nobody knows", async () => {
    const { start, outcomes } = machine();
    const { service, end } = await start();
    expect(await service.change(wish("POP02; rm -rf", "x"), { signal: anybody() })).toMatchObject({ kind: "notSupported" });
    expect(outcomes()).toHaveLength(1);
    await end();
  });

  it("a flood of it becomes a few entries with their number", async () => {
    const { start, outcomes, pass } = machine();
    const { service, end } = await start({ enabled: false });
    const flood = Array.from({ length: 5000 }, (_, index) => service.change(wish("priority", index), { signal: anybody() }));
    expect(new Set((await Promise.all(flood)).map(({ kind }) => kind))).toEqual(new Set(["refused"]));
    await pass(62_000);
    expect(outcomes().length).toBeLessThan(30);
    expect(outcomes().reduce((sum, { more = 0 }) => sum + 1 + more, 0)).toBe(5000);
    await end();
  });
});

describe("a change", () => {
  it("is in the journal before it leaves, with who, old, new, frames and outcome after it", async () => {
    const { start, inverter, entries } = machine();
    const { service, end } = await start();
    const change = wish("priority", "solar");
    expect(await service.change(change, { signal: anybody() })).toMatchObject({ kind: "applied", before: "grid", after: "solar" });
    expect(inverter.commands).toHaveLength(1);
    expect(entries()).toMatchObject([
      { n: 1, kind: "intent", change, command: "SETprioritysolar", before: "grid" },
      { n: 2, kind: "outcome", outcome: { change, kind: "applied", before: "grid", after: "solar", written: [{ answer: "ack" }] } },
    ]);
    expect(await service.page({ limit: 1 })).toMatchObject([{ n: 2 }]);
    expect(await service.page({ limit: 5, before: 2, inverter: "garage" })).toMatchObject([{ n: 1 }]);
    expect(await service.page({ limit: 5, inverter: "shed" })).toEqual([]);
    await end();
  });

  it("asked 1,000 times at once is written once, and every asker gets an outcome of its own", async () => {
    const { start, inverter, outcomes } = machine();
    const { service, end } = await start();
    const changes = Array.from({ length: 1000 }, () => wish("priority", "solar"));
    const all = await Promise.all(changes.map((change) => service.change(change, { signal: anybody() })));
    expect(inverter.commands).toHaveLength(1);
    expect(all.map(({ kind, change }) => [kind, change.id])).toEqual(changes.map(({ id }) => ["applied", id]));
    expect(outcomes()).toMatchObject([{ more: 999 }]);
    await end();
  });

  it("asked 1,000 times one after the other is written once", async () => {
    const { start, inverter } = machine();
    const { service, end } = await start();
    const kinds: string[] = [];
    for (let i = 0; i < 1000; i++) kinds.push((await service.change(wish("priority", "solar"), { signal: anybody() })).kind);
    expect(kinds).toEqual(["applied", ...Array<string>(999).fill("unchanged")]);
    expect(inverter.commands).toHaveLength(1);
    await end();
  });

  it("under an id that was used is not done again, also after a restart; the id cannot carry another wish", async () => {
    const { start, inverter } = machine();
    const first = await start();
    const change = wish("priority", "solar", { id: "once" });
    await first.service.change(change, { signal: anybody() });
    await first.service.change(wish("priority", "grid"), { signal: anybody() });
    await first.end();
    const { service, end } = await start();
    expect(await service.change(change, { signal: anybody() })).toMatchObject({ kind: "applied", after: "solar" });
    expect(await service.change({ ...change, value: "battery" }, { signal: anybody() })).toMatchObject({ kind: "refused" });
    expect(inverter.value("priority")).toBe("grid");
    expect(inverter.commands).toHaveLength(2);
    await end();
  });

  it("waits for the one before it: what is asked last is what holds", async () => {
    const { start, inverter } = machine();
    const { service, end } = await start();
    const asked = ["solar", "battery", "solar"].map((value) => service.change(wish("priority", value), { signal: anybody() }));
    expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual(["applied", "applied", "applied"]);
    expect(inverter.commands.map(({ value }) => value)).toEqual(["solar", "battery", "solar"]);
    await end();
  });

  it("that nobody waits for any more is not begun; one that has begun goes on to its outcome", async () => {
    const { start, inverter, outcomes, pass } = machine();
    const { service, end } = await start();
    const [first, second] = [new AbortController(), new AbortController()];
    const begun = service.change(wish("priority", "solar"), { signal: first.signal });
    const waiting = service.change(wish("voltage", 50), { signal: second.signal });
    await pass(500);
    first.abort(new Error("gone"));
    second.abort(new Error("gone"));
    await expect(begun).rejects.toThrow("gone");
    await expect(waiting).rejects.toThrow("gone");
    await pass(5000);
    expect(inverter.commands.map(({ setting }) => setting)).toEqual(["priority"]);
    expect(outcomes()).toMatchObject([{ outcome: { kind: "applied" } }]);
    await end();
  });

  it("is not sent when the journal cannot be written", async () => {
    const { start, inverter, disk, logger } = machine();
    const { service, end } = await start();
    disk.isFull = true;
    expect(await service.change(wish("priority", "solar"), { signal: anybody() })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("journal") as string,
    });
    expect(inverter.commands).toEqual([]);
    expect(logger.texts("error").join()).toContain("disk is full");
    disk.isFull = false;
    expect(await service.change(wish("priority", "solar"), { signal: anybody() })).toMatchObject({ kind: "applied" });
    await end();
  });

  it("whose outcome could not be written is found out again once the disk has room", async () => {
    const { start, disk, outcomes, pass } = machine();
    const { service, end } = await start();
    const asked = service.change(wish("priority", "solar"), { signal: anybody() });
    await pass(500);
    disk.isFull = true;
    expect(await asked).toMatchObject({ kind: "applied" });
    expect(outcomes()).toEqual([]);
    disk.isFull = false;
    await pass(5000);
    expect(outcomes()).toMatchObject([{ outcome: { kind: "applied", after: "solar" } }]);
    await end();
  });
});

describe("the write budget", () => {
  it("refuses what is too much, by the hour and by the day, over restarts and whatever the wall clock does", async () => {
    const { start, inverter, pass, wall } = machine();
    const rules = { budget: { perHour: 3, perDay: 5 } };
    const values = ["solar", "battery", "grid"];
    let index = 0;
    let { service, end } = await start(rules);
    const change = async () => await service.change(wish("priority", values[index++ % 3] ?? ""), { signal: anybody() });
    for (let i = 0; i < 3; i++) expect(await change()).toMatchObject({ kind: "applied" });
    expect(await change()).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/written 3 times within an hour, and 3 an hour are allowed/) as string,
    });
    index--;
    expect(service.budget()).toEqual([{ inverter: "garage", setting: "priority", lastHour: 3, lastDay: 3, perHour: 3, perDay: 5 }]);
    // What is so already costs nothing, however spent the budget is.
    expect(await service.change(wish("priority", "grid"), { signal: anybody() })).toMatchObject({ kind: "unchanged" });
    // Another setting has its own.
    expect(await service.change(wish("voltage", 50), { signal: anybody() })).toMatchObject({ kind: "applied" });

    await end();
    wall.offsetMs = -48 * hourMs;
    ({ service, end } = await start(rules));
    expect(await change()).toMatchObject({ kind: "refused" });
    index--;
    wall.offsetMs = 48 * hourMs;
    expect(await change()).toMatchObject({ kind: "refused" });
    index--;
    await pass(hourMs);
    for (let i = 0; i < 2; i++) expect(await change()).toMatchObject({ kind: "applied" });
    expect(await change()).toMatchObject({ kind: "refused", reason: expect.stringContaining("within a day") as string });
    expect(inverter.commands.filter(({ setting }) => setting === "priority")).toHaveLength(5);
    await end();
  });

  it("counts nothing that the inverter refused", async () => {
    const { start, inverter } = machine();
    const { service, end } = await start({ budget: { perHour: 1, perDay: 1 } });
    inverter.manner = "refuses";
    for (let i = 0; i < 3; i++)
      expect(await service.change(wish("priority", "solar"), { signal: anybody() })).toMatchObject({ by: "inverter" });
    inverter.manner = "obeys";
    expect(await service.change(wish("priority", "solar"), { signal: anybody() })).toMatchObject({ kind: "applied" });
    expect(await service.change(wish("priority", "grid"), { signal: anybody() })).toMatchObject({ by: "us" });
    await end();
  });

  it("keeps a write for the end of every lease", async () => {
    const { start, inverter, pass } = machine();
    const { service, end } = await start({ budget: { perHour: 2, perDay: 9 } });
    expect(
      await service.change(wish("priority", "solar", { until: { forMs: 60_000, next: "grid" } }), { signal: anybody() }),
    ).toMatchObject({
      kind: "applied",
    });
    expect(await service.change(wish("priority", "battery"), { signal: anybody() })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("kept for the end of leases") as string,
    });
    await pass(62_000);
    expect(inverter.value("priority")).toBe("grid");
    await end();
  });
});

describe("undo", () => {
  it("goes back step by step, in the journal as such", async () => {
    const { start, inverter, outcomes } = machine();
    const { service, end } = await start();
    await service.change(wish("priority", "solar"), { signal: anybody() });
    await service.change(wish("voltage", 50), { signal: anybody() });
    const undo = async () => await service.undo("garage", { actor: { via: "http", name: "tablet" }, signal: anybody() });
    expect(await undo()).toMatchObject({
      kind: "applied",
      change: { setting: "voltage", value: 48, actor: { via: "undo", name: "tablet" } },
    });
    expect(await undo()).toMatchObject({ kind: "applied", change: { setting: "priority", value: "grid" } });
    await expect(undo()).rejects.toMatchObject({ code: "nothing-to-undo" });
    expect(inverter.value("priority")).toBe("grid");
    expect(outcomes()).toHaveLength(4);
    await end();
  });

  it("does not touch what was changed elsewhere since", async () => {
    const { start, inverter } = machine();
    const { service, end } = await start();
    await service.change(wish("priority", "solar"), { signal: anybody() });
    inverter.values.set("priority", "battery");
    expect(await service.undo("garage", { actor: { via: "cli" }, signal: anybody() })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("changed since: expected solar, found battery") as string,
    });
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });

  it("is known after a restart, and needs the word again where one is needed", async () => {
    const { start } = machine();
    const first = await start();
    await first.service.change(wish("reset", "yes", { confirm: "factory reset" }), { signal: anybody() });
    await first.end();
    const { service, end } = await start();
    expect(await service.undo("garage", { actor: { via: "cli" }, signal: anybody() })).toMatchObject({ kind: "refused" });
    expect(await service.undo("garage", { actor: { via: "cli" }, confirm: "factory reset", signal: anybody() })).toMatchObject({
      kind: "applied",
    });
    await end();
  });
});

describe("a process that is killed", () => {
  it("at any step of a change leaves the old or the new value, and the next one tells which", async () => {
    for (const manner of ["obeys", "ignores", "refuses", "late"] as const)
      for (let death = 1; death < 24; death++) {
        const { start, inverter, outcomes, entries, pass, logger } = machine();
        inverter.manner = manner;
        const life = new Life(death);
        const asked = start({}, life).then(({ service }) => service.change(wish("priority", "solar"), { signal: anybody() }));
        await Promise.race([asked, pass(40_000)]);
        const wasTold = !life.isOver;
        life.kill();
        const { end } = await start();
        await pass(40_000);
        const value = inverter.value("priority");
        expect(["grid", "solar"]).toContain(value);
        const isBegun = entries().some(({ kind }) => kind === "intent");
        expect(outcomes()).toHaveLength(isBegun || wasTold ? 1 : 0);
        expect(inverter.commands.length).toBeLessThanOrEqual(1);
        if (!isBegun) expect(inverter.commands).toEqual([]);
        else {
          const { outcome } = outcomes()[0]!;
          expect(outcome.kind === "applied").toBe(value === "solar");
          if (outcome.after !== undefined) expect(outcome.after).toBe(value);
          if (!wasTold && outcome.reason.startsWith("After")) expect(logger.texts().join()).toContain("After an interruption");
        }
        await end();
      }
  });
});
