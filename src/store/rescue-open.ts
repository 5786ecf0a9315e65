import { copyFile, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../model/logger.ts";
import { openDatabase, type Database } from "./database.ts";
import { inspect, isDamage } from "./integrity.ts";
import { RawPages } from "./raw-pages.ts";
import { allLost, Rescue, rescueName, type DamagedFile, type RescueState } from "./rescue.ts";
import { migrate } from "./schema.ts";
import { databaseName, SegmentWriter, type SegmentWriterOptions } from "./segment-writer.ts";
import { readSpare } from "./spare.ts";
import { periodOf, keyOf } from "./keys.ts";
import { dirtyTables, Tables } from "./tables.ts";

export interface OpenRescue {
  readonly rescue: Rescue;
  readonly damaged: DamagedFile;
}

export interface SoundOptions extends SegmentWriterOptions {
  readonly logger: Logger;
  /** The last run did not end by itself. */
  readonly wasUnclean: boolean;
}

/** Opens the database for writing. A damaged one is set aside, never deleted, and a new one takes its place. Throws StoreError. */
export async function openSound({ logger, wasUnclean, ...options }: SoundOptions): Promise<SegmentWriter> {
  const path = join(options.folder, databaseName);
  let damage: string;
  try {
    const segments = await SegmentWriter.open(options);
    const found = wasUnclean ? inspect(segments.tables.database) : { blocks: [] };
    if (found.structure === undefined) {
      if (found.blocks.length > 0) logger.warn(`${path}: ${found.blocks.length} blocks are damaged; they are set aside`);
      segments.tables.together(() => {
        for (const { table, key } of found.blocks) segments.tables.setAsideKey(table, key);
      });
      return segments;
    }
    damage = found.structure;
    await segments[Symbol.asyncDispose]();
  } catch (error) {
    if (!isDamage(error)) throw error;
    damage = (error as Error).message;
  }
  const file = await setAside(options.folder, options.now());
  logger.error(
    `${path} is damaged (${damage}). It was set aside as ${file}; all that can be read in it is being copied into a new one, while readings are kept as usual`,
  );
  await startAnew(options, file);
  return await SegmentWriter.open(options);
}

/** Gives the damaged file another name, which tells the time. */
async function setAside(folder: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, "").replace(/\.\d+/, "");
  const file = `${databaseName}.damaged-${stamp}`;
  for (const end of ["-wal", "-shm", ""]) {
    try {
      await rename(join(folder, `${databaseName}${end}`), join(folder, `${file}${end}`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return file;
}

/** A new database with what the blocks to come cannot be understood without. */
async function startAnew({ folder, now }: SegmentWriterOptions, file: string): Promise<void> {
  const path = join(folder, databaseName);
  const database = await openDatabase(path);
  try {
    migrate(database, path);
    const tables = new Tables(database);
    const damaged = await openDamaged(folder, file);
    try {
      const spare = await readSpare(folder);
      const streams = readOr(damaged, (old) => old.streams()) ?? spare?.streams ?? [];
      const kept = readOr(damaged, (old) => old.allKept()) ?? spare?.kept ?? [];
      const marks = dirtyTables.flatMap((table) => (readOr(damaged, (old) => old.allMarked(table)) ?? []).map((key) => ({ table, key })));
      tables.together(() => {
        for (const stream of streams) tables.putStream(stream);
        for (const [name, value] of kept) tables.keep(name, value);
        for (const { table, key } of marks) tables.mark(table, Math.floor(key / keyOf(1, 0)), periodOf(key));
        const state: RescueState = { file, since: now(), table: 0, key: 0, copied: 0, lost: [] };
        tables.keep(rescueName, state);
      });
    } finally {
      damaged?.close();
    }
  } finally {
    database.close();
  }
}

function readOr<Result>(damaged: Database | undefined, read: (tables: Tables) => Result): Result | undefined {
  if (damaged === undefined) return undefined;
  try {
    return read(new Tables(damaged));
  } catch (error) {
    if (isDamage(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A rescue that was begun, now or in an earlier run, and is not done; absent where there is none. */
export async function openRescue(folder: string, tables: Tables, now: number): Promise<OpenRescue | undefined> {
  const state = tables.kept(rescueName) as RescueState | undefined;
  if (state === undefined || state.table < 0) return undefined;
  const database = await openDamaged(folder, state.file);
  if (database !== undefined) {
    const damaged = { database, pages: RawPages.open(join(folder, state.file)) };
    return { rescue: new Rescue(damaged, tables, state, now), damaged };
  }
  tables.keep(rescueName, allLost(state, tables.streams(), now));
  return undefined;
}

/** Lets go of the damaged file; the rescue goes on at the next start. */
export function closeDamaged({ database, pages }: DamagedFile): void {
  database.close();
  pages[Symbol.dispose]();
}

/** Ends what `openRescue` has opened; the damaged file itself stays. */
export async function closeRescue(folder: string, { rescue, damaged }: OpenRescue): Promise<void> {
  closeDamaged(damaged);
  for (const end of ["", "-wal", "-shm"]) await rm(join(folder, `${rescue.state.file}.mended${end}`), { force: true });
}

/**
 * Opens a damaged file for reading. Where even its first page is lost, that of an empty database of the same form takes its
 * place, in a copy: the pages behind it lie where this says. Absent where that does not help either.
 */
async function openDamaged(folder: string, file: string): Promise<Database | undefined> {
  const path = join(folder, file);
  const readable = await openReadable(path);
  if (readable !== undefined) return readable;
  const mended = `${path}.mended`;
  await copyFile(path, mended);
  await plantFirstPage(mended, join(folder, `${file}.form`));
  return await openReadable(mended);
}

async function openReadable(path: string): Promise<Database | undefined> {
  let database: Database | undefined;
  try {
    database = await openDatabase(path, { readOnly: true });
    database.prepare("SELECT name FROM sqlite_schema").all();
    database.prepare("SELECT key FROM segment LIMIT 0").all();
    return database;
  } catch (error) {
    database?.close();
    if (isDamage(error) || /no such table/.test((error as Error).message)) return undefined;
    throw error;
  }
}

const changeCounterAt = 24;
const validForAt = 92;
const freeListAt = 32;

async function plantFirstPage(path: string, formPath: string): Promise<void> {
  await rm(formPath, { force: true });
  const form = await openDatabase(formPath, { journal: "TRUNCATE" });
  migrate(form, formPath);
  const { page_size: size } = form.prepare("PRAGMA page_size").get() as { page_size: number };
  form.close();
  const page = Buffer.alloc(size);
  const from = await open(formPath, "r");
  try {
    await from.read(page, 0, size, 0);
  } finally {
    await from.close();
    await rm(formPath);
  }
  // Where these two differ, SQLite takes the number of pages from the file's size.
  page.writeUInt32BE(1, changeCounterAt);
  page.writeUInt32BE(2, validForAt);
  page.fill(0, freeListAt, freeListAt + 8);
  const to = await open(path, "r+");
  try {
    await to.write(page, 0, size, 0);
  } finally {
    await to.close();
  }
}
