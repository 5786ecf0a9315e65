import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checksumOf } from "./crc32.ts";
import type { StreamRow, Tables } from "./tables.ts";

/** What the blocks of a damaged database cannot be understood without. */
export interface Spare {
  readonly streams: readonly StreamRow[];
  readonly kept: readonly (readonly [name: string, value: unknown])[];
}

/** Written in turn: while one is written, the other one is whole. */
const fileNames = ["spare-0.json", "spare-1.json"] as const;

/** Writes a second copy of the few small things on which all others depend. `turn`: whole hours of now. */
export async function writeSpare(folder: string, tables: Tables, turn: number): Promise<void> {
  const spare: Spare = { streams: tables.streams(), kept: tables.allKept() };
  const text = JSON.stringify([turn, spare]);
  await writeFile(join(folder, fileNames[turn % 2 === 0 ? 0 : 1]), `${checksumOf(text)} ${text}\n`);
}

/** The newest one that is as it was written; absent where there is none. */
export async function readSpare(folder: string): Promise<Spare | undefined> {
  const found: (readonly [turn: number, spare: Spare])[] = [];
  for (const name of fileNames) {
    let line: string;
    try {
      line = await readFile(join(folder, name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw error;
    }
    const text = line.slice(9, -1);
    if (checksumOf(text) === line.slice(0, 8)) found.push(JSON.parse(text) as readonly [number, Spare]);
  }
  return found.toSorted(([a], [b]) => b - a)[0]?.[1];
}
