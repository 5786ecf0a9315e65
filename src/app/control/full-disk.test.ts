import { expect, it } from "vitest";
import { Disk, Inverter, Life, namedSetting, startControl, Wall } from "../../../test/support/mortal-control.ts";
import { recordingLogger } from "../../../test/support/readings.ts";
import { statusScreen } from "../status-screen.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";

const { signal } = new AbortController();
const minuteMs = 60_000;

it("a disk that fills up under a change is tried with growing pauses, told once, and once more when it is over", async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const inverter = new Inverter("garage", clock);
  inverter.values.set("priority", "grid");
  const disk = new Disk();
  const logger = recordingLogger();
  const { service, end } = await startControl({
    life: new Life(),
    disk,
    wall: new Wall(clock),
    inverters: [inverter],
    settings: [namedSetting("priority")],
    logger,
  });
  const asked = service.change({ id: "1", inverter: "garage", setting: "priority", value: "solar", actor: { via: "cli" } }, { signal });
  await clock.sleep(500, { signal });
  disk.isFull = true;
  expect(await asked).toMatchObject({ kind: "applied" });
  const before = logger.texts().length;
  await clock.sleep(60 * minuteMs, { signal });
  expect(logger.texts().slice(before)).toEqual([]);
  expect(logger.texts("error")).toHaveLength(1);
  // 1, 2, 4 … 256 s, then every 5 min: nine tries in 8.5 min and ten in the rest of the hour.
  expect(service.journalTrouble).toMatchObject({ reason: expect.stringContaining("disk is full") as string });
  expect(service.journalTrouble?.failed).toBeGreaterThan(15);
  expect(service.journalTrouble?.failed).toBeLessThan(25);
  disk.isFull = false;
  await clock.sleep(5 * minuteMs + 2000, { signal });
  expect(service.journalTrouble).toBeUndefined();
  expect(logger.texts().slice(before)).toEqual([
    expect.stringMatching(/^The journal of changes can be written again, after \d+ attempts that failed$/),
    expect.stringMatching(/After an interruption/),
  ]);
  expect(disk.lines).toHaveLength(2);
  await end();
});

it("is shown by `sonkrag status`", () => {
  const snapshot = { type: "snapshot", version: "1", now: 60_000, timeZone: "UTC", metrics: {}, inverters: [] } as const;
  const options = { width: 80, all: false, color: false };
  expect(statusScreen({ ...snapshot, journalTrouble: { since: 0, failed: 7, reason: "no space" } }, options)).toContain(
    "No setting is changed since 1970-01-01 00:00:00, 7 attempts failed: no space",
  );
  expect(statusScreen(snapshot, options)).not.toContain("No setting");
});
