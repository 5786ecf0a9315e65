import { open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../model/errors.ts";
import { unsealed } from "./bytes.ts";
import type { Database } from "./database.ts";
import { keyOf } from "./keys.ts";
import { blobTables, Tables, type BlobTable } from "./tables.ts";

/** Is there while a program writes: found at the start, it says that the last one did not end by itself. */
const markName = "unclean";

/** True if the last run did not end by itself. */
export async function markOpened(folder: string): Promise<boolean> {
  try {
    const handle = await open(join(folder, markName), "wx");
    await handle.close();
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return true;
    throw error;
  }
}

export async function markClosed(folder: string): Promise<void> {
  try {
    await unlink(join(folder, markName));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** Whether SQLite says by it that the file is damaged; a full disk, a lock or missing rights are no damage. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreError && error.cause !== undefined) return isDamage(error.cause);
  const { errcode } = error as { readonly errcode?: number };
  if (errcode !== undefined) return [sqliteCorrupt, sqliteNotADatabase].includes(errcode & 0xff);
  // The package tells no number where a statement fails.
  return /disk image is malformed|file is not a database/.test(error.message);
}

/** A block that is not as it was written. */
export interface DamagedBlock {
  readonly table: BlobTable;
  readonly key: number;
}

export interface Findings {
  /** What SQLite says of a file whose structure is damaged; absent where it is sound. */
  readonly structure?: string;
  readonly blocks: readonly DamagedBlock[];
}

/** A file up to this size is looked at as a whole: an SD card reads it in a few seconds. */
const wholeBytes = 64 << 20;
/** What was written last is what a power cut damages. */
const latestPerStream = 26;
const samples = 100;

/** Looks at a database after an unclean end, for a few seconds at most. What it misses is found when it is read. */
export function inspect(database: Database, { random = Math.random }: { readonly random?: () => number } = {}): Findings {
  const blocks = new Map<string, DamagedBlock>();
  try {
    const structure = structureOf(database);
    if (structure !== undefined) return { structure, blocks: [] };
    const tables = new Tables(database);
    for (const table of blobTables) {
      for (const key of chosenKeys(tables, table, random))
        if (!isSound(database, table, key)) blocks.set(`${table} ${key}`, { table, key });
    }
    return { blocks: [...blocks.values()] };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { structure: (error as Error).message, blocks: [] };
  }
}

function structureOf(database: Database): string | undefined {
  const pages = (database.prepare("PRAGMA page_count").get() as { page_count: number }).page_count;
  const size = (database.prepare("PRAGMA page_size").get() as { page_size: number }).page_size;
  const checks = pages * size <= wholeBytes ? ["quick_check(3)"] : ["stream", "kept", "event"].map((table) => `quick_check('${table}')`);
  for (const check of checks) {
    const said = database
      .prepare(`PRAGMA ${check}`)
      .all()
      .map((row) => String((row as { quick_check: unknown }).quick_check));
    if (said[0] !== "ok") return said.join("; ");
  }
  return undefined;
}

function* chosenKeys(tables: Tables, table: BlobTable, random: () => number): Generator<number> {
  const streams = tables.streams();
  for (const { id } of streams) yield* keysOf(tables.database, table, keyOf(id, 0), keyOf(id + 1, 0), latestPerStream);
  const next = tables.database.prepare(`SELECT key FROM ${table} WHERE key >= ? ORDER BY key LIMIT 1`);
  for (let sample = 0; sample < samples; sample++) {
    const stream = streams[Math.floor(random() * streams.length)];
    const [first] = stream === undefined ? [] : keysOf(tables.database, table, keyOf(stream.id, 0), keyOf(stream.id + 1, 0), 1);
    if (stream === undefined || first === undefined) continue;
    const lowest = (next.get(keyOf(stream.id, 0)) as { key: number } | undefined)?.key ?? first;
    const found = next.get(lowest + Math.floor(random() * (first - lowest + 1))) as { key: number } | undefined;
    if (found !== undefined) yield found.key;
  }
}

/** The highest keys of a range. */
function keysOf(database: Database, table: BlobTable, from: number, to: number, count: number): number[] {
  const rows = database.prepare(`SELECT key FROM ${table} WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?`).all(from, to, count);
  return (rows as { key: number }[]).map(({ key }) => key);
}

function isSound(database: Database, table: BlobTable, key: number): boolean {
  const row = database.prepare(`SELECT body FROM ${table} WHERE key = ?`).get(key) as { body: Uint8Array } | undefined;
  return row === undefined || isWhole(row.body);
}

/** Whether a block is as it was written. */
export function isWhole(body: Uint8Array): boolean {
  try {
    unsealed(body);
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
