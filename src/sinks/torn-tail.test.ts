import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { payloads } from "../../test/support/readings.ts";
import { ClassicFormat } from "./log-format.ts";
import { lastLine, repairTail } from "./torn-tail.ts";

const format = new ClassicFormat(() => []);
const isWhole = (line: string, previous: string): boolean => format.isWhole(line, previous);
const header = `date time,${Array.from({ length: 21 }, (_, index) => `c${index}`).join(" ")}\n`;
const lineAt = (second: number): string => `2020-08-23 17:14:${String(second).padStart(2, "0")}.243004,${payloads.QPIGS}\n`;
const whole = header + lineAt(1) + lineAt(2);

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-tail-"));
  path = join(folder, "Axpert2020-08-23.log");
});
afterEach(() => rm(folder, { recursive: true }));

const repaired = async (content: string): Promise<{ content: string; torn: string | undefined }> => {
  await rm(`${path}.torn`, { force: true });
  await writeFile(path, content, "latin1");
  await repairTail(path, isWhole);
  const torn = await readFile(`${path}.torn`, "latin1").catch(() => undefined);
  return { content: await readFile(path, "latin1"), torn };
};

test("whole lines are left alone", async () => {
  for (const content of ["", header, whole, "Maak nog korrekte opskrifte hier\n"])
    expect(await repaired(content)).toEqual({ content, torn: undefined });
});

test("a last line cut at every byte is moved away; one that lacks only its line feed gets it", async () => {
  const last = lineAt(3);
  for (let length = 1; length < last.length - 1; length++) {
    const fragment = last.slice(0, length);
    expect(await repaired(whole + fragment)).toEqual({ content: whole, torn: `${fragment}\n` });
  }
  expect(await repaired(whole + last.slice(0, -1))).toEqual({ content: whole + last, torn: undefined });
});

test("zero bytes of a power cut are moved away, at every place where the data may have stopped", async () => {
  const last = lineAt(3);
  for (let length = 0; length < last.length; length++) {
    const fragment = last.slice(0, length) + "\0".repeat(last.length - length);
    expect(await repaired(whole + fragment)).toEqual({ content: whole, torn: `${fragment}\n` });
  }
});

test("lines whose start was lost as zero bytes are moved away with what follows them", async () => {
  const fragment = `${"\0".repeat(70)}${lineAt(3).slice(70)}`;
  expect(await repaired(whole + fragment)).toEqual({ content: whole, torn: fragment });
  expect(await repaired(whole + fragment + fragment)).toEqual({ content: whole, torn: fragment + fragment });
});

test("a run of zero bytes longer than any buffer is moved away", async () => {
  const fragment = "\0".repeat(300_000);
  const { content, torn } = await repaired(whole + fragment);
  expect(content).toBe(whole);
  expect(torn).toHaveLength(300_001);
});

test("a cut header leaves an empty file", async () => {
  expect(await repaired(header.slice(0, 20))).toEqual({ content: "", torn: `${header.slice(0, 20)}\n` });
});

test("the first line of a file has no neighbour to prove it whole", async () => {
  const line = lineAt(1).slice(0, -1);
  expect(await repaired(header + line)).toEqual({ content: header, torn: `${line}\n` });
});

test("a second repair finds nothing to do", async () => {
  const { content } = await repaired(`${whole}2020-08-23 17:1`);
  expect(await repairTail(path, isWhole)).toBe("whole");
  expect(await readFile(path, "latin1")).toBe(content);
});

test("the last whole line is found in a long file", async () => {
  await writeFile(path, header + lineAt(1).repeat(2_000) + lineAt(7) + lineAt(8).slice(0, 30), "latin1");
  expect(await lastLine(path)).toBe(lineAt(7).slice(0, -1));
  await writeFile(path, "");
  expect(await lastLine(path)).toBe("");
});
