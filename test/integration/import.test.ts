import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { HistoryRow } from "../../src/model/history.ts";
import { StoreReader } from "../../src/store/reader.ts";
import { eventually } from "../support/readings.ts";
import { Service, temporaryFolder } from "../support/service.ts";
import { cli, ended, startCli } from "./cli.ts";

const { signal } = new AbortController();
const stepMs = 30_540;
const start = Date.UTC(2026, 0, 5);

/** A log of the older script whose rows the number alone decides, every tenth line damaged. */
function log(lines: number): string {
  const text = ["Maak nog korrekte opskrifte hier"];
  for (let line = 0; line < lines; line++) {
    const at = new Date(start + line * stepMs).toISOString().replace("T", " ").replace("Z", "000");
    const volts = (220 + (line % 200) / 10).toFixed(1);
    const watts = String(1_000 + (line % 97)).padStart(4, "0");
    const whole = `${volts} 49.9 ${volts} 49.9 1200 ${watts} 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110`;
    text.push(`${at},${line % 10 === 9 ? whole.slice(0, 50) : whole}`);
  }
  return `${text.join("\n")}\n`;
}

async function kept(folder: string, inverters?: readonly string[]): Promise<HistoryRow[]> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const rows: HistoryRow[] = [];
  const query = { from: 0, to: Number.MAX_SAFE_INTEGER, payloads: true, ...(inverters && { inverters }) };
  for await (const part of reader.rows(query, { signal })) rows.push(...part);
  return rows;
}

interface Summary {
  readonly accepted: number;
  readonly rejected: number;
  readonly added: number;
  readonly repeated: number;
  readonly conflicting: number;
}

/** Of all files together. */
function sumOf(stdout: string): Summary {
  const { files } = JSON.parse(stdout) as { files: Summary[] };
  const sum = (name: keyof Summary): number => files.reduce((total, file) => total + file[name], 0);
  return {
    accepted: sum("accepted"),
    rejected: sum("rejected"),
    added: sum("added"),
    repeated: sum("repeated"),
    conflicting: sum("conflicting"),
  };
}

const summaryOf = (stdout: string): Summary | undefined => (JSON.parse(stdout) as { files: Summary[] }).files[0];

it("killed in the middle and started again, an import gives what an undisturbed one gives", async () => {
  await using folder = await temporaryFolder();
  const days = 6;
  const linesPerDay = 1_500;
  const all = log(days * linesPerDay)
    .trimEnd()
    .split("\n")
    .slice(1);
  const files: string[] = [];
  for (let day = 0; day < days; day++) {
    const file = join(folder.path, `Axpert2026-01-${String(5 + day).padStart(2, "0")}.log`);
    await writeFile(file, `header\n${all.slice(day * linesPerDay, (day + 1) * linesPerDay).join("\n")}\n`);
    files.push(file);
  }
  const importInto = (data: string): string[] => [
    "import",
    "--data-dir",
    join(folder.path, data),
    "--inverter",
    "garage",
    "--json",
    ...files,
  ];
  const rejectsOf = async (data: string): Promise<string[]> => await readdir(join(folder.path, data, "history", "rejects")).catch(() => []);
  const accepted = (days * linesPerDay * 9) / 10;
  const whole = sumOf((await cli(importInto("whole"))).stdout);
  expect(whole).toEqual({ accepted, rejected: accepted / 9, added: accepted, repeated: 0, conflicting: 0 });

  const history = join(folder.path, "killed", "history");
  const child = startCli(importInto("killed"));
  const end = ended(child);
  await eventually("the second file was begun", async () => (await rejectsOf("killed")).length > 1, 60_000);
  child.kill("SIGKILL");
  expect((await end).exit).toBe("SIGKILL");
  const before = (await kept(history)).length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(accepted);

  const again = sumOf((await cli(importInto("killed"))).stdout);
  expect(again).toEqual({ ...whole, added: accepted - before, repeated: before });
  expect(await kept(history)).toEqual(await kept(join(folder.path, "whole", "history")));
  const names = await rejectsOf("whole");
  expect(names).toHaveLength(days);
  expect(await rejectsOf("killed")).toEqual(names);
}, 180_000);

it("beside a running program, neither disturbs the other", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const history = join(data, "history");
  const file = join(folder.path, "Axpert2026-01-05.log");
  await writeFile(file, log(5_000));
  const args = ["run", "--device", "sim:", "--http", "off", "--mqtt", "off", "--poll", "500ms", "--data-dir", data, "--log-level", "warn"];
  await using program = await Service.start(args, /Ctrl-C/);
  const live = async (): Promise<HistoryRow[]> =>
    (await kept(history)).filter(({ inverter, command }) => inverter !== "garage" && command === "QPIGS");
  await eventually("readings are kept", async () => (await live().catch(() => [])).length > 2, 30_000);
  const from = Date.now();
  const { exit, stdout, stderr } = await cli(["import", "--data-dir", data, "--inverter", "garage", "--json", file]);
  const to = Date.now();
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(summaryOf(stdout)).toMatchObject({ accepted: 4_500, added: 4_500 });
  await eventually("readings after it are kept", async () => (await live()).some(({ at }) => at > to + 1_000), 30_000);
  const ended = await program.stop();
  expect(ended.exit).toBe(0);
  expect(ended.stderr).not.toMatch(/history/i);
  const times = (await live()).map(({ at }) => at).filter((at) => at >= from && at <= to);
  expect(times.length).toBeGreaterThan(0);
  expect((await kept(history, ["garage"])).length).toBe(4_500);
}, 180_000);

it("a dry run keeps nothing, what is no log ends with an error that says so", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const file = join(folder.path, "Axpert2026-01-05.log");
  await writeFile(file, log(20));
  const dry = await cli(["import", "--data-dir", data, "--inverter", "garage", "--dry-run", "--json", file]);
  expect(summaryOf(dry.stdout)).toMatchObject({ accepted: 18, rejected: 2, added: 0 });
  await expect(readdir(data)).rejects.toThrow("ENOENT");
  const other = join(folder.path, "other.txt");
  await writeFile(other, "nothing\n");
  const refused = await cli(["import", "--data-dir", data, "--inverter", "garage", file, other]);
  expect(refused.exit).toBe(2);
  expect(refused.stderr).toContain(`${other}: expected a log`);
  // One file that is none: the others are not begun.
  await expect(readdir(data)).rejects.toThrow("ENOENT");
});
