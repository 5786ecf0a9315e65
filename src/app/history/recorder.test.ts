import { expect, test } from "vitest";
import { online, readingOf, realInverter, recordingLogger, silent } from "../../../test/support/readings.ts";
import type { HistoryEvent, HistoryRow } from "../../model/history.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { Recorder, type RecorderTarget } from "./recorder.ts";

const start = Date.UTC(2026, 5, 1);

/** A disk that can be made to fail or to stall. */
class Disk implements RecorderTarget {
  readonly rows: HistoryRow[] = [];
  readonly kept: HistoryEvent[] = [];
  syncs = 0;
  fails = false;
  stall: Promise<void> | undefined;

  async append(rows: readonly HistoryRow[]): Promise<void> {
    await this.stall;
    if (this.fails) throw new Error("no space left on device");
    this.rows.push(...rows);
  }
  async events(events: readonly HistoryEvent[]): Promise<void> {
    await this.stall;
    this.kept.push(...events);
  }
  async sync(): Promise<undefined> {
    await this.stall;
    this.syncs++;
  }
  async tick(): Promise<void> {
    await this.stall;
  }
  async pack(): Promise<boolean> {
    await this.stall;
    return false;
  }
}

async function within(recorder: Recorder, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const running = recorder.run({ signal: stop.signal });
  await work();
  stop.abort();
  await running;
}

test("every reading is appended at once and synced once a minute; an event is synced at once", async () => {
  const clock = new VirtualClock(start);
  const disk = new Disk();
  const recorder = new Recorder({ target: disk, clock, logger: recordingLogger(), syncEveryMs: 60_000 });
  const { signal } = new AbortController();
  await within(recorder, async () => {
    for (let second = 0; second < 180; second += 5) {
      recorder.reading(readingOf(clock.now()), realInverter);
      await clock.sleep(5_000, { signal });
      expect(disk.rows).toHaveLength(second / 5 + 1);
    }
    await clock.sleep(1, { signal });
    expect(disk.syncs).toBe(3);
    recorder.status(online, realInverter);
    recorder.status(silent, realInverter);
    await clock.sleep(1, { signal });
    expect(disk.syncs).toBe(4);
  });
  expect(disk.kept.map(({ kind, key }) => `${kind} ${key}`)).toEqual(["link online", "link silent"]);
});

test("while the disk stalls for 30 s nobody waits, and then nothing is missing", async () => {
  const clock = new VirtualClock(start);
  const disk = new Disk();
  const recorder = new Recorder({ target: disk, clock, logger: recordingLogger(), syncEveryMs: 60_000 });
  const { signal } = new AbortController();
  await within(recorder, async () => {
    disk.stall = clock.sleep(30_000, { signal });
    for (let second = 0; second < 60; second++) {
      const before = clock.monotonic();
      recorder.reading(readingOf(clock.now()), realInverter);
      expect(clock.monotonic()).toBe(before);
      await clock.sleep(1_000, { signal });
    }
  });
  expect(disk.rows.map(({ at }) => at)).toEqual(Array.from({ length: 60 }, (_, second) => start + second * 1_000));
});

test("a disk that is full is told of once; when there is room again everything that waited is kept, in order", async () => {
  const clock = new VirtualClock(start);
  const disk = new Disk();
  const logger = recordingLogger();
  const recorder = new Recorder({ target: disk, clock, logger, syncEveryMs: 60_000, bufferRows: 100 });
  const { signal } = new AbortController();
  await within(recorder, async () => {
    disk.fails = true;
    for (let second = 0; second < 130; second++) {
      recorder.reading(readingOf(clock.now()), realInverter);
      await clock.sleep(1_000, { signal });
    }
    expect(recorder.health).toMatchObject({ rowsKept: 0, rowsWaiting: 100, rowsDropped: 30, trouble: "no space left on device" });
    disk.fails = false;
    await clock.sleep(120_000, { signal });
    expect(recorder.health).toEqual({ rowsKept: 100, rowsWaiting: 0, rowsDropped: 30 });
  });
  expect(disk.rows.map(({ at }) => at)).toEqual(Array.from({ length: 100 }, (_, second) => start + (second + 30) * 1_000));
  expect(logger.texts("error")).toEqual(["History cannot be kept, readings wait in memory: no space left on device"]);
  expect(logger.texts("info")).toEqual(["History is kept again"]);
});

test("what is waiting when the program ends is brought away", async () => {
  const clock = new VirtualClock(start);
  const disk = new Disk();
  const recorder = new Recorder({ target: disk, clock, logger: recordingLogger(), syncEveryMs: 60_000 });
  const stop = new AbortController();
  stop.abort();
  recorder.reading(readingOf(start), realInverter);
  await recorder.run({ signal: stop.signal });
  expect(disk.rows).toHaveLength(1);
  expect(disk.syncs).toBe(1);
});

test("a value that is shown as estimated is kept as one", async () => {
  const clock = new VirtualClock(start);
  const disk = new Disk();
  const recorder = new Recorder({ target: disk, clock, logger: recordingLogger(), syncEveryMs: 60_000 });
  const { signal } = new AbortController();
  await within(recorder, async () => {
    recorder.reading(readingOf(start, { estimated: ["batteryVoltage"] }), realInverter);
    await clock.sleep(1, { signal });
  });
  expect(disk.rows[0]?.origins).toEqual({ batteryVoltage: "estimated", batteryPower: "derived" });
  expect(disk.rows[0]?.values).toMatchObject({ batteryVoltage: 52, batteryPower: -52 });
});
