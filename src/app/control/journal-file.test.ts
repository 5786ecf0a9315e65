import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { recordingLogger } from "../../../test/support/readings.ts";
import { silentLogger } from "../../model/logger.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { JournalFile } from "./journal-file.ts";
import { Journal } from "./journal.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-journal-"));
  path = join(folder, "data", "journal.jsonl");
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const openFile = async (logger = silentLogger): Promise<JournalFile> => await JournalFile.open(path, { logger });
async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

it("keeps every line in order, also those that come at once, and reads them from either end", async () => {
  await using file = await openFile();
  const lines = Array.from({ length: 3000 }, (_, n) => JSON.stringify({ n, text: `Überschuß ☀ ${"x".repeat(n % 90)}` }));
  await Promise.all(lines.map((line) => file.append(line)));
  expect(await collect(file.lines())).toEqual(lines);
  expect(await collect(file.backwards())).toEqual(lines.toReversed());
});

it("reads backwards whatever the lengths of lines are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 65_000, max: 66_000 })), { maxLength: 6 }),
      async (lengths) => {
        const lines = lengths.map((length, index) => String(index % 10).repeat(length));
        await rm(path, { force: true });
        await using file = await openFile();
        for (const line of lines) await file.append(line);
        expect(await collect(file.backwards())).toEqual(lines.toReversed());
      },
    ),
    { numRuns: 60 },
  );
});

it("mends an end that a power cut has torn, and keeps what was torn off", async () => {
  {
    await using file = await openFile();
    await file.append('{"n":1}');
  }
  await appendFile(path, '{"n":2,"at":17\0\0\0');
  const logger = recordingLogger();
  await using file = await openFile(logger);
  await file.append('{"n":3}');
  expect(await collect(file.lines())).toEqual(['{"n":1}', '{"n":3}']);
  expect(await readFile(`${path}.torn`, "latin1")).toContain('{"n":2');
  expect(logger.texts("warn").join()).toContain("its end was torn");
});

it("completes a whole last line that only lacks its line feed", async () => {
  {
    await using _file = await openFile();
  }
  await writeFile(path, '{"n":1}\n{"n":2}');
  await using file = await openFile();
  expect(await collect(file.lines())).toEqual(['{"n":1}', '{"n":2}']);
});

it("a journal goes on with its numbers, over lines that cannot be read", async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const leaseEnd = { kind: "leaseEnd", lease: "1", inverter: "garage", setting: "priority", actor: { via: "cli" } } as const;
  {
    await using journal = await Journal.open(await openFile(), { clock, logger: silentLogger });
    await journal.add(leaseEnd);
  }
  await appendFile(path, "\0\0\0\0\nnull\n[]\n");
  const logger = recordingLogger();
  await using journal = await Journal.open(await openFile(), { clock, logger });
  await journal.add(leaseEnd);
  expect((await journal.page({ limit: 9 })).map(({ n }) => n)).toEqual([2, 1]);
  expect(logger.texts("error").join()).toContain("lines that cannot be read");
});
