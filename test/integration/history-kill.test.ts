import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EnergyKeeper } from "../../src/app/history/energy-keeper.ts";
import { energyPaceOf } from "../../src/app/history/energy-recount.ts";
import type { HistoryRow } from "../../src/model/history.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { Random } from "../../src/sim/random.ts";
import { StoreReader } from "../../src/store/reader.ts";
import { HistoryWriter } from "../../src/store/writer.ts";
import { importedRow, liveRow, stepMs } from "../support/history-rows.ts";

const start = Date.UTC(2026, 5, 1, 12);
const kills = 200;
const { signal } = new AbortController();

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-history-kill-"));
  program = join(folder, "writer", "writer.mjs");
  const here = dirname(fileURLToPath(import.meta.url));
  // SQLite is a package with a part that cannot be bundled.
  await symlink(join(here, "..", "..", "node_modules"), join(folder, "node_modules"));
  // Node 20 does not run TypeScript, and the compiled tree may be older than the source.
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: join(here, "history-writer.ts"),
      outDir: dirname(program),
      target: "es2022",
      rolldownOptions: { external: [/^@photostructure/, /^node:/], output: { entryFileNames: "writer.mjs" } },
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsFrom(history: string, from: number): Promise<HistoryRow[]> {
  await using reader = await StoreReader.open({ folder: history, timeZone: "UTC" });
  const rows: HistoryRow[] = [];
  for await (const part of reader.rows({ from, to: Number.MAX_SAFE_INTEGER, payloads: true }, { signal })) rows.push(...part);
  return rows;
}

interface Reported {
  /** Time of the last reading that was appended. */
  readonly at: number;
  /** Numbers of readings that were imported last. */
  readonly imported: readonly number[];
}

/** Runs the writer, kills it some milliseconds after its first report, and gives what it reported. */
async function killed(history: string, from: number, afterMs: number): Promise<Reported> {
  const child = spawn(process.execPath, [program, history, String(from), String(start)], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let reported = "";
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on("data", (data: Buffer) => {
    reported += data.toString();
    timer ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  });
  const [, by] = (await exit) as [number | null, string | null];
  expect(by).toBe("SIGKILL");
  const lines = reported.slice(0, reported.lastIndexOf("\n")).split("\n");
  return {
    at: Number(lines.findLast((line) => !line.startsWith("imported"))),
    imported: lines.flatMap((line) => (line.startsWith("imported ") ? [Number(line.slice(9))] : [])),
  };
}

test(`killed with -9 at ${kills} random moments: opens, nothing lost that was taken, nothing doubled, energy exact`, async () => {
  const history = join(folder, "history");
  const random = new Random(28, "kills");
  const imported = new Set<number>();
  let next = start;
  for (let kill = 0; kill < kills; kill++) {
    const reported = await killed(history, next, random.between(0, 200));
    for (const number of reported.imported) imported.add(number);
    const recent = await rowsFrom(history, next);
    const live = recent.map(({ at }) => at);
    expect(live.at(-1)).toBeGreaterThanOrEqual(reported.at);
    expect(live).toEqual(Array.from({ length: live.length }, (_, index) => next + index * stepMs));
    next = (live.at(-1) ?? 0) + stepMs;
  }
  let keeper: EnergyKeeper | undefined;
  await using writer = await HistoryWriter.open({
    folder: history,
    logger: silentLogger,
    now: () => next,
    beside: (tables) => (keeper = new EnergyKeeper(tables, energyPaceOf(stepMs))),
  });
  expect(writer.state).toEqual({ unsealed: 0, refused: 0 });
  const hours = (next - stepMs - start) / 3_600_000;
  expect(hours).toBeGreaterThan(100);
  expect(keeper?.totals.units["one"]?.load).toBeCloseTo(1_200 * hours, 6);
  const rows = await rowsFrom(history, 0);
  const before = rows.filter(({ at }) => at < start);
  const numbers = before.map(({ at }) => (start - at) / 60_000 - 1);
  expect(before).toEqual(numbers.map((number) => importedRow(start, number)));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(imported.size).toBeGreaterThan(0);
  for (const last of imported) expect(numbers).toContain(last);
  expect(rows.slice(before.length)).toEqual(Array.from({ length: (next - start) / stepMs }, (_, index) => liveRow(start + index * stepMs)));
}, 300_000);
