import { expect, test } from "vitest";
import { eventually, recordingLogger } from "../../test/support/readings.ts";
import { WriteQueue } from "./write-queue.ts";
import type { WriteQueueOptions } from "./write-queue.ts";

interface Line {
  readonly text: string;
  /** How many lost lines this one stands for. */
  readonly lost: number;
}

const lineOf = (text: string, lost = 0): Line => ({ text, lost });

function openQueue(options: Partial<WriteQueueOptions<Line>> = {}) {
  const logger = recordingLogger();
  const written: string[] = [];
  const disk = { isFull: false };
  const queue = new WriteQueue<Line>({
    title: "The log",
    folder: "nowhere",
    maxEntries: 5,
    together: () => true,
    write: async (batch) => {
      if (disk.isFull) throw Object.assign(new Error("write"), { code: "ENOSPC" });
      written.push(...batch.map(({ text }) => text));
      return batch.length;
    },
    dropped: (lost) => {
      const lines = lost.filter((entry) => entry.lost === 0).length;
      const earlier = lost.reduce((sum, entry) => sum + entry.lost, 0);
      return { lines, instead: lineOf(`${earlier + lines} lost`, earlier + lines) };
    },
    retryMs: 5,
    logger,
    ...options,
  });
  return { queue, logger, written, disk };
}

test("what a full disk costs is told once, counted, and stands in the place of what is lost", async () => {
  const { queue, logger, written, disk } = openQueue();
  await using _queue = queue;
  disk.isFull = true;
  for (let index = 0; index < 20; index++) queue.add(lineOf(String(index)));
  await eventually("the first try has failed", () => queue.health.trouble !== undefined);
  for (let index = 20; index < 30; index++) queue.add(lineOf(String(index)));
  disk.isFull = false;
  await eventually("written", () => queue.health.linesWaiting === 0);
  const lost = queue.health.linesDropped;
  expect(written).toEqual([`${lost} lost`, ...Array.from({ length: 30 - lost }, (_, index) => String(lost + index))]);
  expect(written.length).toBeLessThanOrEqual(6);
  expect(logger.texts()).toEqual([
    "The log's buffer is full: its oldest lines are being lost until the disk can be written again",
    "The log in nowhere cannot be written: the disk is full (write). Lines are kept in memory and written when it works again",
    `The log can be written again; ${lost} lines were lost`,
  ]);
});

test("bytes are bounded too, and a line that is larger alone is kept", async () => {
  const { queue, written, disk } = openQueue({ maxEntries: 1_000, maxBytes: 100, bytesOf: ({ text }) => text.length });
  await using _queue = queue;
  disk.isFull = true;
  queue.add(lineOf("a".repeat(60)));
  queue.add(lineOf("b".repeat(60)));
  await eventually("tried", () => queue.health.trouble !== undefined);
  queue.add(lineOf("c".repeat(500)));
  disk.isFull = false;
  await eventually("written", () => queue.health.linesWaiting === 0);
  expect(written).toEqual(["2 lost", "c".repeat(500)]);
});

test("a chore is done when nothing waits, and not while closing", async () => {
  let chores = 0;
  const { queue } = openQueue({ chore: { isDue: () => chores < 2, run: async () => void chores++ } });
  queue.start();
  await eventually("done", () => chores === 2);
  await queue[Symbol.asyncDispose]();
  queue.add(lineOf("too late"));
  expect(queue.health).toEqual({ linesWritten: 0, linesWaiting: 0, linesDropped: 0 });
});
