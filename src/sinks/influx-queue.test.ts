import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../model/logger.ts";
import { recordingLogger } from "../../test/support/readings.ts";
import { InfluxQueue } from "./influx-queue.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-queue-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openQueue = (maxBytes = 1_000_000, logger = silentLogger): Promise<InfluxQueue> =>
  InfluxQueue.open({ folder, maxBytes, logger, maxFilePoints: 10 });
const points = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `m v=${from + index} ${from + index}`);

async function drain(queue: InfluxQueue): Promise<string[]> {
  const lines: string[] = [];
  await queue.seal();
  for (let batch = await queue.oldest(); batch !== undefined; batch = await queue.oldest()) {
    lines.push(...batch.lines);
    await batch.done();
  }
  return lines;
}

test("gives back what it was given, in order, in batches; what was delivered leaves no file", async () => {
  await using queue = await openQueue();
  queue.push(points(0, 25));
  queue.push(points(25, 31));
  expect(queue.waiting).toBe(31);
  await queue.seal();
  expect((await queue.oldest())?.lines).toEqual(points(0, 10));
  expect(await drain(queue)).toEqual(points(0, 31));
  expect(queue.waiting).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

test("nothing to write, or nothing to end, holds nothing up", async () => {
  await using queue = await openQueue();
  queue.push([]);
  await queue.written();
  await queue.seal();
  expect(await queue.oldest()).toBeUndefined();
});

test("what was not delivered is there after a restart, before what comes then", async () => {
  {
    await using queue = await openQueue();
    queue.push(points(0, 13));
  }
  await using queue = await openQueue();
  expect(queue.waiting).toBe(13);
  queue.push(points(13, 15));
  expect(await drain(queue)).toEqual(points(0, 15));
});

test("a line that is cut off or damaged is left out, the others are not", async () => {
  {
    await using queue = await openQueue();
    queue.push(points(0, 5));
  }
  const [name = ""] = await readdir(folder);
  const lines = (await readFile(join(folder, name), "utf8")).split("\n");
  await writeFile(join(folder, name), [lines[0], lines[1]?.replace("v=1", "v=7"), ...lines.slice(2, 5), lines[0]?.slice(0, 12)].join("\n"));
  await using queue = await openQueue();
  expect(await drain(queue)).toEqual([...points(0, 1), ...points(2, 5)]);
});

test("when it is full the oldest go, counted and told once; what is being sent stays", async () => {
  const logger = recordingLogger();
  await using queue = await openQueue(600, logger);
  queue.push(points(0, 10));
  await queue.seal();
  const first = await queue.oldest();
  queue.push(points(10, 100));
  await queue.written();
  expect(first?.lines).toEqual(await queue.oldest().then((batch) => batch?.lines));
  expect(queue.dropped).toBeGreaterThan(0);
  expect(queue.dropped + queue.waiting).toBe(100);
  const kept = await drain(queue);
  expect(kept.slice(0, first?.lines.length)).toEqual(first?.lines);
  expect(kept.at(-1)).toBe("m v=99 99");
  expect(logger.texts("error")).toEqual([expect.stringMatching(/queue of points for the database is full: .* dropped/)]);
});

test("a folder that cannot be written keeps points in memory until it can", async () => {
  const logger = recordingLogger();
  await using queue = await openQueue(1_000_000, logger);
  await rm(folder, { recursive: true });
  queue.push(points(0, 3));
  await queue.written();
  expect(queue.trouble).toContain("ENOENT");
  expect(queue.waiting).toBe(3);
  await InfluxQueue.open({ folder, maxBytes: 1, logger: silentLogger });
  queue.push(points(3, 4));
  expect(await drain(queue)).toEqual(points(0, 4));
  expect(queue.trouble).toBeUndefined();
  expect(logger.texts("error")).toEqual([expect.stringContaining("wait in memory")]);
});
