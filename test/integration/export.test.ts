import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/service.ts";
import { cli } from "./cli.ts";

/*
 * Logs go into history, history out as a file, the file into another history, and that out again: by the command line alone.
 */

const zone = "Africa/Johannesburg";
const start = Date.UTC(2026, 5, 1);

/** Two hours of an older script's log, a line a minute, by a clock that is two hours ahead of UTC. */
function log(): string {
  const lines = ["Maak nog korrekte opskrifte hier"];
  for (let minute = 0; minute < 120; minute++) {
    const at = new Date(start + minute * 60_000 + 2 * 3_600_000).toISOString().replace("T", " ").replace("Z", "000");
    const volts = (220 + minute / 10).toFixed(1);
    lines.push(`${at},${volts} 49.9 ${volts} 49.9 1200 1000 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110`);
  }
  return `${lines.join("\n")}\n`;
}

async function historyIn(folder: string): Promise<string[]> {
  const data = join(folder, "data");
  const file = join(folder, "Axpert2026-06-01.log");
  await writeFile(file, log());
  const { exit, stderr } = await cli(["import", "--data-dir", data, "--inverter", "garage", "--time-zone", zone, file]);
  expect([exit, stderr]).toStrictEqual([0, ""]);
  await writeFile(join(folder, "sonkrag.yaml"), `site:\n  timeZone: ${zone}\n`);
  return ["--config", join(folder, "sonkrag.yaml"), "--data-dir", data];
}

describe("sonkrag export", () => {
  test.each(["csv", "jsonl", "parquet"])("%s goes into another history and out again unchanged", { timeout: 120_000 }, async (format) => {
    await using folder = await temporaryFolder();
    const where = await historyIn(folder.path);
    const [first, second] = [join(folder.path, `first.${format}`), join(folder.path, `second.${format}`)];
    const range = ["--from", "2026-06-01", "--to", "2026-06-01", "--frames"];
    expect(await cli(["export", first, ...range, ...where])).toMatchObject({
      exit: 0,
      stderr: "",
      stdout: expect.stringContaining("120 lines") as string,
    });
    const other = ["--config", join(folder.path, "sonkrag.yaml"), "--data-dir", join(folder.path, "other")];
    const summaryOf = async (file: string): Promise<unknown> => JSON.parse((await cli(["import", "--json", file, ...other])).stdout);
    expect(await summaryOf(first)).toMatchObject({ files: [{ accepted: 120, rejected: 0, added: 120, repeated: 0, conflicting: 0 }] });
    expect(await summaryOf(first)).toMatchObject({ files: [{ accepted: 120, added: 0, repeated: 120 }] });
    expect((await cli(["export", second, ...range, ...other])).exit).toBe(0);
    expect((await readFile(second)).equals(await readFile(first))).toBe(true);
    expect((await readdir(folder.path)).filter((name) => name.endsWith(".part"))).toStrictEqual([]);
  });

  test("to stdout, by level and name; what cannot be is told", { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder();
    const where = await historyIn(folder.path);
    const run = async (...args: string[]): Promise<{ exit: unknown; stdout: string; stderr: string }> =>
      await cli(["export", ...args, ...where]);
    const hours = await run("--level", "1h", "--metric", "gridVoltage", "--to", "2026-06-01T04:00");
    expect(hours).toMatchObject({ exit: 0, stderr: "" });
    expect(hours.stdout.split("\n").filter((line) => !line.startsWith("#"))).toStrictEqual([
      "time,at,inverter,gridVoltage.min,gridVoltage.max,gridVoltage.mean,gridVoltage.coverage",
      `2026-06-01T02:00:00.000+02:00,${start},garage,220,225.9,222.95,100`,
      `2026-06-01T03:00:00.000+02:00,${start + 3_600_000},garage,226,231.9,228.95,100`,
      "",
    ]);
    expect(await run("--metric", "gridVolts")).toMatchObject({
      exit: 2,
      stdout: "",
      stderr: expect.stringContaining("did you mean gridVoltage?") as string,
    });
    expect(await run("--from", "tomorrow")).toMatchObject({ exit: 2, stderr: expect.stringContaining("--from: expected a day") as string });
    expect(await run("--from", "2025", "--to", "2025")).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining("something from 2026-06-01T02:00") as string,
    });
    const file = join(folder.path, "there.csv");
    await writeFile(file, "mine");
    expect(await run(file)).toMatchObject({ exit: 2, stderr: expect.stringContaining("expected no file there") as string });
    expect(await readFile(file, "utf8")).toBe("mine");
    expect(await run(join(folder.path, "table.xlsx"))).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining(".csv, .jsonl or .parquet") as string,
    });
    expect((await run(file, "--force")).exit).toBe(0);
  });
});

/** A Python that has pandas; the first one found need not be the system's. */
const python = ["python3", "/usr/bin/python3"].find((name) => spawnSync(name, ["-c", "import pandas"]).status === 0);

test.skipIf(python === undefined)("pandas reads the CSV by the line in docs/export.md", { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder();
  const where = await historyIn(folder.path);
  expect((await cli(["export", join(folder.path, "june.csv"), ...where])).exit).toBe(0);
  const docs = await readFile(new URL("../../docs/export.md", import.meta.url), "utf8");
  const recipe = /```python\n(import pandas[^`]+?june\.csv[^`]+?)```/.exec(docs)?.[1] ?? expect.unreachable();
  const script = `${recipe}
print(len(june), june["gridVoltage"].mean().round(2), june["gridVoltage"].dtype, june.index[0].isoformat(), june["loadOn"].dtype if "loadOn" in june else "bool")`;
  const { stdout, stderr } = spawnSync(python ?? "", ["-c", script], { cwd: folder.path, encoding: "utf8" });
  expect([stdout.trim(), stderr]).toStrictEqual(["120 225.95 float64 2026-06-01T02:00:00+02:00 bool", ""]);
});
