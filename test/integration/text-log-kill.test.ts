import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLogger } from "../../src/model/logger.ts";
import { TextLog } from "../../src/sinks/text-log.ts";
import { eventually, payloads, readingOf, realInverter } from "../support/readings.ts";

const start = Date.UTC(2026, 5, 1, 12);
const name = "Axpert2026-06-01.log";
const linePattern = /^2026-06-01 \d{2}:\d{2}:\d{2}\.\d{6},/;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-kill-"));
  // Node 20 does not run TypeScript, and the compiled tree may be older than the source.
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: join(dirname(fileURLToPath(import.meta.url)), "text-log-writer.ts"),
      outDir: join(folder, "writer"),
      target: "es2022",
      rolldownOptions: { output: { entryFileNames: "writer.mjs" } },
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsOf(logFolder: string): Promise<string[]> {
  const text = await readFile(join(logFolder, name), "utf8");
  expect(text.endsWith("\n")).toBe(true);
  const [header, ...rows] = text.slice(0, -1).split("\n");
  expect(header).toMatch(/^date time,/);
  return rows;
}

test("killed with -9 in mid-write, ten times: whole lines, none doubled, none lost that was on the disk", async () => {
  const logFolder = join(folder, "killed");
  let next = 0;
  let onDisk = 0;
  for (let round = 0; round < 10; round++) {
    const child = spawn(process.execPath, [join(folder, "writer", "writer.mjs"), logFolder, String(start + next)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let reported = "";
    child.stdout.on("data", (data: Buffer) => (reported += data.toString()));
    const written = (): number => Number(reported.trimEnd().split("\n").at(-1) ?? 0);
    await eventually("lines are written", () => written() > 20 + round * 7, 20_000);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    onDisk += written();
    // The writer's times go on in milliseconds from its start; the next one starts far beyond.
    next += 1_000_000;
  }
  const log = await TextLog.open({
    folder: logFolder,
    timeZone: "UTC",
    intervalMs: 0,
    columnsOf: () => [],
    logger: silentLogger,
    now: () => start,
  });
  await log[Symbol.asyncDispose]();
  const rows = await rowsOf(logFolder);
  for (const row of rows) {
    expect(row).toMatch(linePattern);
    expect(row.slice(row.indexOf(",") + 1)).toBe(payloads.QPIGS);
  }
  expect(new Set(rows).size).toBe(rows.length);
  expect(rows.length).toBeGreaterThanOrEqual(onDisk);
});

test("200 power cuts, each with its own torn tail: everything before stays, what follows is whole", async () => {
  const logFolder = join(folder, "torn");
  const path = join(logFolder, name);
  const openLog = (now: number): Promise<TextLog> =>
    TextLog.open({ folder: logFolder, timeZone: "UTC", intervalMs: 0, columnsOf: () => [], logger: silentLogger, now: () => now });
  let expected: string[] = [];
  for (let cut = 0; cut < 200; cut++) {
    const at = start + cut * 10_000;
    await using log = await openLog(at);
    for (let index = 0; index < 3; index++) log.reading(readingOf(at + index * 1_000), realInverter);
    await log[Symbol.asyncDispose]();
    const rows = await rowsOf(logFolder);
    expect(rows.slice(0, expected.length)).toEqual(expected);
    expect(rows.length).toBe(expected.length + 3);
    // Cut from the end, a different number of bytes each time: from a missing line feed to more than a line.
    const text = await readFile(path, "latin1");
    const bytes = 1 + ((cut * 37) % 200);
    await truncate(path, text.length - bytes);
    if (cut % 3 === 0) await truncate(path, text.length);
    const kept = text.slice(0, text.length - bytes);
    const missesOnlyItsEnd = text[kept.length] === "\n" && cut % 3 !== 0;
    expected = (missesOnlyItsEnd ? kept : kept.slice(0, kept.lastIndexOf("\n"))).split("\n").slice(1);
  }
  expect((await readdir(logFolder)).toSorted()).toEqual([name, `${name}.torn`]);
});
