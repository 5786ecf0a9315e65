import { open } from "node:fs/promises";
import type { HistoryRow } from "../model/history.ts";
import { writeAheadFiles, WriteAheadReader, type WriteAheadFile } from "./write-ahead.ts";

interface Followed {
  readonly file: WriteAheadFile;
  readonly reader: WriteAheadReader;
  readonly rows: HistoryRow[];
  offset: number;
}

const chunkBytes = 1 << 20;

/**
 * The rows that are only in write-ahead files so far, for a reader beside the writer. Refresh before the database is
 * read: what was sealed between the two is then seen twice, never missed.
 */
export class Tail {
  readonly #folder: string;
  #followed = new Map<number, Followed>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async refresh(): Promise<void> {
    const next = new Map<number, Followed>();
    for (const file of await writeAheadFiles(this.#folder)) {
      const known = this.#followed.get(file.number) ?? { file, reader: new WriteAheadReader(), rows: [], offset: 0 };
      if (await grow(known)) next.set(file.number, known);
    }
    this.#followed = next;
  }

  /** Rows of one stream in a range of time, in time order; the same time may come twice. */
  rows(inverter: string, command: string, from: number, to: number): HistoryRow[] {
    const found: HistoryRow[] = [];
    for (const { rows } of this.#followed.values())
      for (const row of rows) if (row.command === command && row.inverter === inverter && row.at >= from && row.at < to) found.push(row);
    return found.toSorted((a, b) => a.at - b.at);
  }

  all(): Iterable<HistoryRow> {
    return [...this.#followed.values()].flatMap(({ rows }) => rows);
  }
}

/** Reads what was added; false when the file is gone. */
async function grow(followed: Followed): Promise<boolean> {
  let handle;
  try {
    handle = await open(followed.file.path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    // A torn line is taken back by its writer.
    while (followed.offset < size) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(chunkBytes, size - followed.offset)), {
        position: followed.offset,
      });
      const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (end < 0) break;
      followed.rows.push(...followed.reader.read(buffer.toString("utf8", 0, end).split("\n")));
      followed.offset += end + 1;
    }
    return true;
  } finally {
    await handle.close();
  }
}
