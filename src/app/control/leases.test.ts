import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk, Inverter, Life, namedSetting, startControl, Wall, type Manner } from "../../../test/support/mortal-control.ts";
import type { LeaseTerm, SettingChange } from "../../model/control.ts";
import type { IntentEntry, JournalEntry } from "../../model/journal.ts";
import type { SettingValue } from "../../model/setting.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";

const { signal } = new AbortController();
const minuteMs = 60_000;
const priority = namedSetting("priority");

function machine() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const wall = new Wall(clock);
  const inverter = new Inverter("garage", clock);
  inverter.values.set("priority", "grid");
  const disk = new Disk();
  const start = async (life = new Life()) => await startControl({ life, disk, wall, inverters: [inverter], settings: [priority] });
  const pass = async (ms: number): Promise<void> => await clock.sleep(ms, { signal });
  const entries = (): JournalEntry[] => disk.lines.map((line) => JSON.parse(line) as JournalEntry);
  return { clock, wall, inverter, disk, start, pass, entries };
}

let count = 0;
const wish = (value: SettingValue, until?: LeaseTerm): SettingChange => ({
  id: `change-${++count}`,
  inverter: "garage",
  setting: "priority",
  value,
  actor: { via: "cli" },
  ...(until && { until }),
});

describe("a lease", () => {
  it("is followed by the value after it, at its time", async () => {
    const { inverter, start, pass, clock } = machine();
    const { service, end } = await start();
    expect(await service.change(wish("solar", { forMs: 10 * minuteMs, next: "battery" }), { signal })).toMatchObject({ kind: "applied" });
    expect(service.leases).toMatchObject([{ setting: "priority", value: "solar", next: "battery", overdue: false }]);
    await pass(9 * minuteMs);
    expect(inverter.value("priority")).toBe("solar");
    await pass(minuteMs + 1000);
    expect(inverter.value("priority")).toBe("battery");
    await pass(5000);
    expect(service.leases).toEqual([]);
    expect(clock.monotonic()).toBeGreaterThan(10 * minuteMs);
    await end();
  });

  it("holds for a value that is there already", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    expect(await service.change(wish("grid", { forMs: minuteMs, next: "battery" }), { signal })).toMatchObject({ kind: "unchanged" });
    await pass(minuteMs + 1000);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });

  it("ends with what somebody wants after it began, and not with what the inverter refused", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: 10 * minuteMs, next: "battery" }), { signal });
    inverter.manner = "refuses";
    expect(await service.change(wish("grid"), { signal })).toMatchObject({ kind: "refused", by: "inverter" });
    expect(service.leases).toHaveLength(1);
    inverter.manner = "obeys";
    expect(await service.change(wish("grid"), { signal })).toMatchObject({ kind: "applied" });
    expect(service.leases).toEqual([]);
    await pass(11 * minuteMs);
    expect(inverter.value("priority")).toBe("grid");
    await end();
  });

  it("that was refused leaves none", async () => {
    const { inverter, start } = machine();
    inverter.manner = "refuses";
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    expect(service.leases).toEqual([]);
    await end();
  });

  it("is tried again with growing pauses while the inverter ignores its end, shown as overdue with the reason", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    inverter.manner = "ignores";
    await pass(3 * minuteMs);
    expect(service.leases).toMatchObject([{ overdue: true, trouble: "not read back" }]);
    const tries = inverter.commands.length;
    expect(tries).toBeGreaterThanOrEqual(3);
    await pass(60 * minuteMs);
    expect(inverter.commands.length - tries).toBeLessThan(12);
    inverter.manner = "obeys";
    await pass(61 * minuteMs);
    expect(inverter.value("priority")).toBe("battery");
    expect(service.leases).toEqual([]);
    await end();
  });

  it("that came due while the program was down is honoured within a poll of the next start", async () => {
    const { inverter, start, pass, clock } = machine();
    const life = new Life();
    const first = await start(life);
    await first.service.change(wish("solar", { at: clock.now() + 10 * minuteMs, next: "battery" }), { signal });
    life.kill();
    await pass(60 * minuteMs);
    expect(inverter.value("priority")).toBe("solar");
    const second = await start();
    await pass(1000);
    expect(inverter.value("priority")).toBe("battery");
    await second.end();
  });

  it("waits for an inverter that is away, and is honoured as soon as it is back", async () => {
    const { inverter, start, pass, entries } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    inverter.isOnline = false;
    await pass(3 * 60 * minuteMs);
    const written = entries().length;
    inverter.isOnline = true;
    await pass(2000);
    expect(inverter.value("priority")).toBe("battery");
    // Nothing was tried in vain.
    expect(written).toBe(2);
    await end();
  });

  it("does not become longer when the wall clock jumps back, nor when the program starts again after that", async () => {
    const { wall, inverter, start, pass, clock } = machine();
    const life = new Life();
    const { service } = await start(life);
    await service.change(wish("solar", { at: clock.now() + 10 * minuteMs, next: "battery" }), { signal });
    wall.offsetMs = -24 * 60 * minuteMs;
    await pass(9 * minuteMs);
    expect(inverter.value("priority")).toBe("solar");
    life.kill();
    const second = await start();
    await pass(10 * minuteMs + 1000);
    expect(inverter.value("priority")).toBe("battery");
    await second.end();
  });

  it("until a time of day follows the wall clock when that jumps ahead; one for a duration does not", async () => {
    for (const [term, expected] of [
      [{ at: Date.UTC(2026, 0, 1, 6), next: "battery" }, "battery"],
      [{ forMs: 6 * 60 * minuteMs, next: "battery" }, "solar"],
    ] as const) {
      const { wall, inverter, start, pass } = machine();
      const { service, end } = await start();
      await service.change(wish("solar", term), { signal });
      wall.offsetMs = 7 * 60 * minuteMs;
      await pass(5000);
      expect(inverter.value("priority")).toBe(expected);
      await end();
    }
  });

  it("can be given up; what is set stays", async () => {
    const { inverter, start, pass } = machine();
    const { service, end } = await start();
    await service.change(wish("solar", { forMs: minuteMs, next: "battery" }), { signal });
    const [lease] = service.leases;
    await service.endLease(lease?.id ?? "", { via: "cli" });
    await expect(service.endLease(lease?.id ?? "", { via: "cli" })).rejects.toMatchObject({ code: "lease-unknown" });
    await pass(3 * minuteMs);
    expect(inverter.value("priority")).toBe("solar");
    await end();
  });
});

it("1,000 rounds of kill and restart: no lease is missed, every change that was begun has its outcome", { timeout: 120_000 }, async () => {
  const seen = { begun: 0 };
  const round = fc.record({
    manner: fc.constantFrom<Manner>("obeys", "obeys", "obeys", "late", "ignores", "refuses"),
    leaseMinutes: fc.integer({ min: 1, max: 8 }),
    isTimeOfDay: fc.boolean(),
    /** Steps after which each process dies; the last one lives. */
    deaths: fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 4 }),
    downMs: fc.integer({ min: 0, max: 12 * minuteMs }),
    /** Of the wall clock, while the program is down. */
    jumpMs: fc.constantFrom(0, 0, 5000, 90 * minuteMs, -3000, -90 * minuteMs),
    awayMs: fc.constantFrom(0, 0, 30_000),
  });
  await fc.assert(
    fc.asyncProperty(round, async ({ manner, leaseMinutes, isTimeOfDay, deaths, downMs, jumpMs, awayMs }) => {
      const { wall, inverter, start, pass, entries, clock } = machine();
      inverter.manner = manner;
      const lengthMs = leaseMinutes * minuteMs;
      const began = clock.now();
      const term: LeaseTerm = isTimeOfDay ? { at: began + lengthMs, next: "battery" } : { forMs: lengthMs, next: "battery" };
      for (const [index, death] of deaths.entries()) {
        const life = new Life(death);
        const process = start(life);
        // A process that dies while it starts never comes up.
        const service = await Promise.race([process, pass(1000)]);
        if (index === 0) service?.service.change(wish("solar", term), { signal: new AbortController().signal }).catch(() => undefined);
        await pass(index === 0 ? 45_000 : 5000);
        life.kill();
        await pass(downMs / deaths.length);
      }
      wall.offsetMs += jumpMs;
      // From here on the inverter does what it is told, and the program lives.
      inverter.manner = "obeys";
      inverter.isOnline = awayMs === 0;
      const { service, end } = await start();
      await pass(awayMs);
      inverter.isOnline = true;
      // A clock that was set back makes a lease no longer than it was from its beginning on.
      await pass(lengthMs + 35_000 + minuteMs);
      const intents = entries().filter((entry): entry is IntentEntry => entry.kind === "intent");
      const outcomes = new Set(entries().flatMap((entry) => (entry.kind === "outcome" ? [entry.outcome.change.id] : [])));
      for (const { change } of intents) expect(outcomes).toContain(change.id);
      expect(service.leases).toEqual([]);
      const isBegun = intents.some(({ change }) => change.until !== undefined);
      const isRefused = entries().some(
        (entry) => entry.kind === "outcome" && entry.outcome.kind === "refused" && entry.outcome.change.until,
      );
      if (isBegun) seen.begun++;
      // Begun and not refused: its end has come. Otherwise nothing was ever sent, or nothing taken.
      expect(inverter.value("priority")).toBe(isBegun && !isRefused ? "battery" : "grid");
      await end();
    }),
    { numRuns: 1000 },
  );
  expect(seen.begun).toBeGreaterThan(500);
});
