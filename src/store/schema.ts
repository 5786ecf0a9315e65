import { StoreError } from "../model/errors.ts";
import { inTransaction, type Database } from "./database.ts";

/**
 * Every change of the file's form, in order; a file is brought from its version to the newest one step by step.
 * Never change a step that was released: add one.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    inverter TEXT NOT NULL,
    command TEXT NOT NULL,
    -- The series in it, as JSON: name → type and origin.
    names TEXT NOT NULL DEFAULT '{}',
    UNIQUE (inverter, command)
  ) STRICT;

  -- The rows of one UTC hour; the key is made of stream and hour.
  CREATE TABLE segment (
    key INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;

  -- The answers of the same hour as they came, kept for a time of their own.
  CREATE TABLE frames (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

  -- One UTC day at 1 min, one UTC month at 15 min and 1 h.
  CREATE TABLE day (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE TABLE month (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

  -- Packs that are to be made anew from what is under them.
  CREATE TABLE dirty_day (key INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE dirty_month (key INTEGER PRIMARY KEY) STRICT;

  CREATE TABLE event (
    at INTEGER NOT NULL,
    inverter TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    details TEXT,
    PRIMARY KEY (at, inverter, kind, key)
  ) STRICT, WITHOUT ROWID;

  -- 15-min energy of one unit, a UTC day a row; the key is made of unit and day.
  CREATE TABLE energy (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

  -- Blocks that could not be read when new rows came for their hour; kept as they were.
  CREATE TABLE damaged (id INTEGER PRIMARY KEY, place TEXT NOT NULL, key INTEGER NOT NULL, body BLOB NOT NULL) STRICT;

  -- Small things that are kept at once, as JSON.
  CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

export const schemaVersion = migrations.length;

/** Brings the file to the newest form. Throws StoreError `store-newer` for a file of a newer program, and leaves it untouched. */
export function migrate(database: Database, path: string): void {
  const version = versionOf(database);
  refuseNewer(version, path);
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    inTransaction(database, () => {
      database.exec(step);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** For who only reads. Throws StoreError `store-newer` or `store-older`. */
export function mustBeCurrent(database: Database, path: string): void {
  const version = versionOf(database);
  refuseNewer(version, path);
  if (version < schemaVersion)
    throw new StoreError(
      "store-older",
      `${path}: expected history of version ${schemaVersion}, got ${version}; start sonkrag once to bring it up`,
    );
}

function versionOf(database: Database): number {
  return (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

function refuseNewer(version: number, path: string): void {
  if (version > schemaVersion)
    throw new StoreError(
      "store-newer",
      `${path}: expected history of version ${schemaVersion} or older, got ${version}: it was written by a newer sonkrag, which is needed to read it`,
    );
}
