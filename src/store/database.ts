import type { DatabaseSyncInstance } from "@photostructure/sqlite";
import type * as Sqlite from "@photostructure/sqlite";
import { StoreError } from "../model/errors.ts";

/** SQLite, whoever brings it. */
export type Database = DatabaseSyncInstance;

/** The least SQLite that has no known way to lose committed data with several connections. */
const soundSince = [3, 51, 3] as const;

type Open = (path: string, options: { readonly readOnly: boolean; readonly timeout: number }) => Database;

/** Node brings SQLite from 22.13 on; before, and where it was left out, a package does the same. */
async function findDriver(): Promise<Open> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) {
    try {
      const builtIn = "node:sqlite";
      const { DatabaseSync } = (await import(builtIn)) as typeof Sqlite;
      return (path, options) => new DatabaseSync(path, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_UNKNOWN_BUILTIN_MODULE") throw error;
    }
  }
  try {
    const { DatabaseSync } = await import("@photostructure/sqlite");
    return (path, options) => new DatabaseSync(path, options);
  } catch (cause) {
    throw new StoreError(
      "store-driver",
      `No SQLite for Node.js ${process.version} on ${process.platform} ${process.arch}: expected Node.js 22.13 or newer, or the package @photostructure/sqlite`,
      { cause },
    );
  }
}

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** How a change is made whole; `WAL` where that is safe if absent. */
  readonly journal?: "TRUNCATE";
}

/**
 * Opens a database file, made if it is not there. What is committed is on the disk: the default of some drivers is not.
 * Throws StoreError `store-driver` or `store-failed`.
 */
export async function openDatabase(path: string, { readOnly = false, journal }: OpenOptions = {}): Promise<Database> {
  const open = await findDriver();
  let database: Database | undefined;
  try {
    database = open(path, { readOnly, timeout: 10_000 });
    if (!readOnly) {
      // Only takes effect on a file that is made now; freed pages can then be given back.
      database.exec("PRAGMA auto_vacuum = INCREMENTAL");
      // Older ones can lose what several connections have committed to a write-ahead log.
      database.exec(`PRAGMA journal_mode = ${journal ?? (isSound(database) ? "WAL" : "TRUNCATE")}`);
    }
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA foreign_keys = ON");
    database.exec("PRAGMA cache_size = -4096");
    // Blobs of a few kB are read at random: the kernel's cache serves them without a copy of ours.
    database.exec("PRAGMA mmap_size = 0");
    return database;
  } catch (cause) {
    database?.close();
    throw new StoreError(
      "store-failed",
      `${path}: expected a history database: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

/** True where a write-ahead log is safe with several connections. */
function isSound(database: Database): boolean {
  const { version } = database.prepare("SELECT sqlite_version() AS version").get() as { version: string };
  const parts = version.split(".").map(Number);
  for (const [index, wanted] of soundSince.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** Does all of the work or none of it. */
export function inTransaction<Result>(database: Database, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
