import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { LocalTime } from "../model/local-time.ts";
import { DayFolder } from "./day-folder.ts";
import { messageFormats } from "./message-format.ts";
import type { MessageLogEntry } from "./message-format.ts";

const start = Date.UTC(2026, 5, 1, 10);
const dayMs = 86_400_000;
const clock = LocalTime.of("UTC");
const today = "2026-06-01";
const options = { signal: new AbortController().signal };

let path: string;
let logger: ReturnType<typeof recordingLogger>;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "sonkrag-day-"));
  logger = recordingLogger();
});
afterEach(() => rm(path, { recursive: true }));

const openFolder = (maxBytes?: number): DayFolder<MessageLogEntry> =>
  new DayFolder({ path, format: messageFormats.text("mqtt"), title: "The log", logger, ...(maxBytes !== undefined && { maxBytes }) });
const entryAt = (at: number, payload = "x".repeat(50)): MessageLogEntry => ({
  at,
  stamp: clock.stamp(at),
  topic: "t",
  payload: Buffer.from(payload),
  qos: 0,
  retain: false,
});
const names = async (): Promise<string[]> => (await readdir(path)).toSorted();

/** Hands in entries until all of them are written, as the queue does. */
async function append(folder: DayFolder<MessageLogEntry>, entries: readonly MessageLogEntry[]): Promise<void> {
  for (let done = 0; done < entries.length;) done += await folder.append(entries.slice(done), today);
}

test("a file that would become too large is followed by the next one, also after a restart; a line is never cut", async () => {
  const entries = Array.from({ length: 7 }, (_, index) => entryAt(start + index));
  // A line is 83 bytes, so that three fit.
  await append(openFolder(250), entries.slice(0, 5));
  await append(openFolder(250), entries.slice(5));
  expect(await names()).toEqual([`mqtt-${today}-2.log`, `mqtt-${today}-3.log`, `mqtt-${today}.log`]);
  const sizes = await Promise.all((await names()).map(async (name) => (await readFile(join(path, name), "utf8")).split("\n").length - 1));
  expect(sizes).toEqual([3, 1, 3]);
  await append(openFolder(250), [entryAt(start + 10, "y".repeat(1_000))]);
  expect(await readFile(join(path, `mqtt-${today}-4.log`), "utf8")).toHaveLength(1_033);
  expect(logger.texts("info")).toContain(`The log goes on in ${join(path, `mqtt-${today}-2.log`)}: the day's earlier file is full`);
});

test("what is finished is compressed, and numbers go on behind compressed files", async () => {
  const entries = Array.from({ length: 7 }, (_, index) => entryAt(start + index));
  const folder = openFolder(250);
  await append(folder, [entryAt(start - dayMs)]);
  await append(folder, entries);
  await folder.compressClosed(today, options);
  expect(await names()).toEqual(["mqtt-2026-05-31.log.gz", `mqtt-${today}-2.log.gz`, `mqtt-${today}-3.log`, `mqtt-${today}.log.gz`]);
  expect(gunzipSync(await readFile(join(path, `mqtt-${today}.log.gz`))).toString()).toMatch(
    /^(?:2026-06-01T10:00:00\.00\d\+00:00\tt\tx{50}\n){3}$/,
  );
  await append(openFolder(250), entries);
  await folder.compressClosed(today, options);
  expect((await names()).filter((name) => !name.endsWith(".gz"))).toEqual([`mqtt-${today}-5.log`]);
});

test("so many files are kept, or those from a day on; never less than the one that is written, and nothing of others", async () => {
  const foreign = ["mqtt-2020-01-01.log", "mqtt-2020-01-02.log.gz", "mqtt-2020-01-03.jsonl", "notes.txt", "other-2020-01-01.log"];
  for (const name of foreign) await writeFile(join(path, name), "not ours\n");
  const folder = openFolder();
  for (let day = 5; day >= 0; day--) await append(folder, [entryAt(start - day * dayMs)]);
  await folder.compressClosed(today, options);
  const ours = async (): Promise<string[]> => (await names()).filter((name) => !foreign.includes(name));
  expect(await ours()).toHaveLength(6);
  await folder.prune({ files: 4 }, today, options);
  expect(await ours()).toEqual(["mqtt-2026-05-29.log.gz", "mqtt-2026-05-30.log.gz", "mqtt-2026-05-31.log.gz", `mqtt-${today}.log`]);
  await folder.prune({ from: "2026-05-31" }, today, options);
  expect(await ours()).toEqual(["mqtt-2026-05-31.log.gz", `mqtt-${today}.log`]);
  await folder.prune({ from: "2027-01-01" }, today, options);
  expect(await ours()).toEqual([`mqtt-${today}.log`]);
  expect((await names()).filter((name) => foreign.includes(name))).toEqual(foreign.toSorted());
});

test("a file of another program with our name is left alone", async () => {
  await writeFile(join(path, `mqtt-${today}.log`), "theirs\n");
  await append(openFolder(), [entryAt(start)]);
  expect(await names()).toEqual([`mqtt-${today}-2.log`, `mqtt-${today}.log`]);
  expect(await readFile(join(path, `mqtt-${today}.log`), "utf8")).toBe("theirs\n");
});

test("lines may wait for the disk; then they are waited for, also those of the file before", async () => {
  let now = performance.now();
  const folder = new DayFolder({
    path,
    format: messageFormats.text("mqtt"),
    title: "The log",
    logger,
    syncMs: 10_000,
    monotonic: () => now,
  });
  await append(folder, [entryAt(start)]);
  expect(folder.isSyncDue).toBe(false);
  now += 5_000;
  await append(folder, [entryAt(start + 1)]);
  expect(folder.isSyncDue).toBe(false);
  now += 5_001;
  expect(folder.isSyncDue).toBe(true);
  await folder.sync();
  expect(folder.isSyncDue).toBe(false);
  await append(folder, [entryAt(start + 2)]);
  await rm(join(path, `mqtt-${today}.log`));
  await folder.sync();
  expect(await names()).toEqual([]);
});
