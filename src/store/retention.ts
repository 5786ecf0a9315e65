import { inTransaction } from "./database.ts";
import { dayMs, dayOf, hourMs, keyOf, periodOf } from "./keys.ts";
import type { Tables } from "./tables.ts";

/** How long what is kept; 0 is for ever. Packs of a minute and longer always stay. */
export interface Retention {
  /** Days for which single readings are kept. */
  readonly readingsDays: number;
  /** Days for which answers are kept as they came. */
  readonly framesDays: number;
  /** Size of the database beyond which the oldest go. */
  readonly bytes: number;
}

const thinnedName = "readingsFromDay";
/** Blocks deleted in one transaction: short enough to let readings in between. */
const blocksPerStep = 200;
const pagesPerStep = 500;

/** UTC day from which on every single reading is there; before it there may be packs alone. */
export function readingsFromDay(tables: Tables): number {
  return (tables.kept(thinnedName) as number | undefined) ?? 0;
}

/** Deletes a little of what is too old or too much; false when there is nothing left to do. */
export function thin(tables: Tables, now: number, { readingsDays, framesDays, bytes }: Retention): boolean {
  const today = dayOf(now);
  if (framesDays > 0 && dropBefore(tables, "frames", today - framesDays)) return true;
  if (readingsDays > 0 && dropBefore(tables, "segment", Math.min(today - readingsDays, firstUnpackedDay(tables, today)))) return true;
  if (bytes > 0 && sizeOf(tables) > bytes) return dropOldest(tables, today);
  return giveBack(tables);
}

function dropBefore(tables: Tables, table: "frames" | "segment", day: number): boolean {
  const { database } = tables;
  return inTransaction(database, () => {
    let left = blocksPerStep;
    for (const { id } of tables.streams()) {
      const rows = database.prepare(`SELECT key FROM ${table} WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`);
      const keys = rows.all(keyOf(id, 0), keyOf(id, (day * dayMs) / hourMs), left) as { key: number }[];
      for (const { key } of keys) database.prepare(`DELETE FROM ${table} WHERE key = ?`).run(key);
      left -= keys.length;
      if (left <= 0) break;
    }
    const isAny = left < blocksPerStep;
    if (isAny && table === "segment") tables.keep(thinnedName, Math.max(day, readingsFromDay(tables)));
    return isAny;
  });
}

/** The oldest day of frames, and when there are none the oldest day of readings that has its packs. */
function dropOldest(tables: Tables, today: number): boolean {
  const frames = oldestDay(tables, "frames");
  if (frames !== undefined && frames < today) return dropBefore(tables, "frames", frames + 1);
  const readings = oldestDay(tables, "segment");
  return readings !== undefined && readings < firstUnpackedDay(tables, today) && dropBefore(tables, "segment", readings + 1);
}

function oldestDay(tables: Tables, table: "frames" | "segment"): number | undefined {
  let oldest: number | undefined;
  for (const { id } of tables.streams()) {
    const row = tables.database
      .prepare(`SELECT key FROM ${table} WHERE key >= ? AND key < ? ORDER BY key LIMIT 1`)
      .get(keyOf(id, 0), keyOf(id + 1, 0)) as { key: number } | undefined;
    if (row !== undefined) oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, dayOf(periodOf(row.key) * hourMs));
  }
  return oldest;
}

/** Readings of a day without its pack are all that there is of it. */
function firstUnpackedDay(tables: Tables, today: number): number {
  return tables.streams().reduce((first, { id }) => Math.min(first, tables.marked("dirty_day", id)[0] ?? today), today);
}

function sizeOf({ database }: Tables): number {
  const pragma = (name: string): number => Object.values(database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[0] ?? 0;
  return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
}

/** Gives free pages back to the file system. */
function giveBack({ database }: Tables): boolean {
  const { freelist_count: free } = database.prepare("PRAGMA freelist_count").get() as { freelist_count: number };
  if (free < pagesPerStep) return false;
  database.exec(`PRAGMA incremental_vacuum(${pagesPerStep})`);
  return true;
}
