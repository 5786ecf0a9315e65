import type { Database } from "./database.ts";
import { energyCommand } from "./energy-table.ts";
import { isDamage, isWhole } from "./integrity.ts";
import { dayOf, hourOf, keyOf, monthOf, periodOf } from "./keys.ts";
import { decodePayloads, encodePayloads } from "./payloads.ts";
import type { RawPages } from "./raw-pages.ts";
import { sealRows } from "./sealer.ts";
import { decodeSegment, encodeSegment } from "./segment.ts";
import { blobTables, type BlobTable, type SegmentRow, type StreamRow, type Tables } from "./tables.ts";

/** A stretch of one stream's blocks in which some are lost; periods as in their table, the last one inclusive. */
export interface LostRange {
  readonly table: BlobTable;
  readonly stream: number;
  readonly from: number;
  readonly to: number;
}

/** How far a rescue has come; kept in the new database, so that it goes on after a restart. */
export interface RescueState {
  /** The damaged file's name. */
  readonly file: string;
  /** UTC epoch milliseconds. */
  readonly since: number;
  /** Index of the table that is being copied; behind these come the events, then single pages; -1 when all is done. */
  readonly table: number;
  /** Where to go on in it. */
  readonly key: number;
  readonly copied: number;
  readonly lost: readonly LostRange[];
}

export const rescueName = "rescue";
const blocksPerStep = 50;
const eventsPerStep = 1_000;
const pagesPerStep = 200;
/** How often it is tried a little further on before the strides get longer. */
const triesPerStride = 16;
const earliest = Date.UTC(2000, 0, 1);
const aheadMs = 24 * 3_600_000;

const keyOfPeriod = { segment: hourOf, frames: hourOf, day: dayOf, energy: dayOf, month: monthOf } as const;

/** A damaged database, open for reading: as far as SQLite can, and page by page. */
export interface DamagedFile {
  readonly database: Database;
  readonly pages: RawPages;
}

/** Every hour of every stream that could have had any. */
export function allLost(state: RescueState, streams: readonly StreamRow[], now: number): RescueState {
  const lost = streams.map(({ id }): LostRange => ({ table: "segment", stream: id, from: hourOf(earliest), to: hourOf(now) }));
  return { ...state, table: -1, key: 0, lost };
}

/** Copies all that can be read out of a damaged database, block by block, a few at a time. */
export class Rescue {
  readonly #damaged: Database;
  readonly #tables: Tables;
  readonly #streams: readonly StreamRow[];
  readonly #now: number;
  readonly #pages: RawPages;
  #state: RescueState;

  constructor({ database, pages }: DamagedFile, tables: Tables, state: RescueState, now: number) {
    this.#damaged = database;
    this.#pages = pages;
    this.#tables = tables;
    this.#streams = tables.streams();
    this.#state = state;
    this.#now = now;
  }

  get state(): RescueState {
    return this.#state;
  }

  /** Does one piece; false when there is nothing more to copy. */
  step(): boolean {
    if (this.#state.table < 0) return false;
    const before = this.#state;
    try {
      this.#tables.together(() => {
        const table = blobTables[this.#state.table];
        if (table !== undefined) this.#copyBlocks(table);
        else if (this.#state.table === blobTables.length) this.#copyEvents();
        else this.#copyPages();
        this.#tables.keep(rescueName, this.#state);
      });
    } catch (error) {
      this.#state = before;
      throw error;
    }
    return this.#state.table >= 0;
  }

  #copyBlocks(table: BlobTable): void {
    const end = keyOf(this.#lastStream() + 1, 0);
    for (let block = 0; block < blocksPerStep; block++) {
      const key = this.#nextKey(table, this.#state.key);
      if (key === undefined || key >= end) {
        this.#state = { ...this.#state, table: this.#state.table + 1, key: 0 };
        return;
      }
      this.#state = { ...this.#state, key: key + 1 };
      const stream = this.#streams.find(({ id }) => id === Math.floor((key - periodOf(key)) / keyOf(1, 0)));
      // A number that nobody knows the name of stays in the damaged file.
      if (stream !== undefined) this.#copyBlock(table, stream, key);
    }
  }

  /** The next key that can be reached, from one on; what is passed over is noted as lost, until the pages are looked at. */
  #nextKey(table: BlobTable, from: number): number | undefined {
    const end = keyOf(this.#lastStream() + 1, 0);
    const search = `SELECT key FROM ${table} WHERE key >= ? ORDER BY key LIMIT 1`;
    for (let [key, failures] = [from, 0]; key < end; key += 2 ** Math.floor(failures++ / triesPerStride)) {
      const found = this.#read(() => this.#damaged.prepare(search).get(key));
      if (!found.isSound) continue;
      const next = (found.row as { key: number } | undefined)?.key;
      if (failures > 0) this.#lose(table, from, (next ?? end) - 1);
      return next;
    }
    this.#lose(table, from, end - 1);
    return undefined;
  }

  #lastStream(): number {
    return this.#streams.reduce((last, { id }) => Math.max(last, id), 0);
  }

  #lose(table: BlobTable, from: number, to: number): void {
    const lost: LostRange[] = [];
    for (const { id } of this.#streams) {
      const [first, last] = [
        Math.max(from, keyOf(id, keyOfPeriod[table](earliest))),
        Math.min(to, keyOf(id, keyOfPeriod[table](this.#now))),
      ];
      if (first <= last) lost.push({ table, stream: id, from: periodOf(first), to: periodOf(last) });
    }
    this.#state = { ...this.#state, lost: [...this.#state.lost, ...lost] };
  }

  #copyBlock(table: BlobTable, stream: StreamRow, key: number): void {
    const columns = table === "segment" ? "first, last, count, body" : "body";
    const { row } = this.#read(() => this.#damaged.prepare(`SELECT ${columns} FROM ${table} WHERE key = ?`).get(key));
    const block = row as SegmentRow | undefined;
    const period = periodOf(key);
    if (block === undefined || !isWhole(block.body)) {
      this.#lose(table, key, key);
      return;
    }
    this.#keep(table, stream, period, block);
  }

  #keep(table: BlobTable, stream: StreamRow, period: number, block: SegmentRow): void {
    this.#state = { ...this.#state, copied: this.#state.copied + 1 };
    const there = table === "segment" ? this.#tables.segment(stream.id, period)?.body : this.#tables.get(table, stream.id, period);
    if (there === undefined) {
      if (table === "segment") this.#tables.putSegment(stream.id, period, block);
      else this.#tables.put(table, stream.id, period, block.body);
      return;
    }
    this.#merge(table, stream, period, block.body);
  }

  /** What has been kept since is joined with what was; packs are made anew where their rows have changed. */
  #merge(table: BlobTable, stream: StreamRow, hour: number, body: Uint8Array): void {
    if (table === "segment") sealRows(this.#tables, decodeSegment(body, stream));
    if (table === "energy")
      this.#tables.put("energy", stream.id, hour, joinedEnergy(this.#tables.get("energy", stream.id, hour), body, stream));
    if (table === "frames") this.#tables.put("frames", stream.id, hour, joinedPayloads(this.#tables.get("frames", stream.id, hour), body));
  }

  #copyEvents(): void {
    const insert = this.#tables.database.prepare(
      "INSERT OR IGNORE INTO event (at, inverter, kind, key, text, details) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const from = this.#state.key;
    const { row: rows } = this.#read((): unknown =>
      this.#damaged
        .prepare("SELECT at, inverter, kind, key, text, details FROM event WHERE at >= ? ORDER BY at LIMIT ?")
        .all(from, eventsPerStep),
    );
    const events = (rows ?? []) as { at: number; inverter: string; kind: string; key: string; text: string; details: string | null }[];
    for (const { at, inverter, kind, key, text, details } of events) insert.run(at, inverter, kind, key, text, details);
    const last = events.at(-1)?.at;
    const isDone = last === undefined || events.length < eventsPerStep;
    if (!isDone) this.#state = { ...this.#state, key: Math.max(last, from + 1) };
    else if (this.#state.lost.length > 0) this.#state = { ...this.#state, table: this.#state.table + 1, key: 1 };
    else this.#done();
  }

  /** Where the tree of a table is broken, its blocks may still be whole: every page is looked at by itself. */
  #copyPages(): void {
    const to = Math.min(this.#state.key + pagesPerStep, this.#pages.count + 1);
    for (let page = this.#state.key; page < to; page++) {
      for (const { key, numbers, body } of this.#pages.blocks(page)) {
        const stream = this.#streams.find(({ id }) => id === Math.floor(key / keyOf(1, 0)));
        const table = stream && tableOf(stream, periodOf(key), numbers.length);
        if (stream === undefined || table === undefined || !this.#isLost(table, stream.id, periodOf(key)) || !isWhole(body)) continue;
        const [first = 0, last = 0, count = 0] = numbers;
        this.#keep(table, stream, periodOf(key), { first, last, count, body });
      }
    }
    this.#state = { ...this.#state, key: to };
    if (to > this.#pages.count) this.#done();
  }

  #isLost(table: BlobTable, stream: number, period: number): boolean {
    return this.#state.lost.some((each) => each.table === table && each.stream === stream && each.from <= period && period <= each.to);
  }

  #done(): void {
    this.#markPacks();
    this.#state = { ...this.#state, table: -1, key: 0 };
  }

  /** Days and months whose rows are there and whose packs are not. */
  #markPacks(): void {
    for (const { id } of this.#streams) {
      const [low, high] = [keyOf(id, 0), keyOf(id + 1, 0)];
      const hours = this.#tables.database.prepare("SELECT key FROM segment WHERE key >= ? AND key < ?").all(low, high) as { key: number }[];
      const days = new Set(hours.map(({ key }) => Math.floor(periodOf(key) / 24)));
      for (const day of days) if (this.#tables.get("day", id, day) === undefined) this.#tables.mark("dirty_day", id, day);
      for (const day of days) {
        const month = monthOf(day * aheadMs);
        if (this.#tables.get("month", id, month) === undefined) this.#tables.mark("dirty_month", id, month);
      }
    }
  }

  #read(read: () => unknown): { readonly isSound: boolean; readonly row: unknown } {
    try {
      return { isSound: true, row: read() };
    } catch (error) {
      if (!isDamage(error)) throw error;
      return { isSound: false, row: undefined };
    }
  }
}

/** Which table a block was in: its key tells, for periods are hours, days or months. */
function tableOf({ command }: StreamRow, period: number, numbers: number): BlobTable | undefined {
  if (numbers === 3) return "segment";
  if (numbers !== 0) return undefined;
  if (period >= hourOf(earliest)) return "frames";
  if (period >= dayOf(earliest)) return command === energyCommand ? "energy" : "day";
  return "month";
}

/** Of two blocks with the same moment in both, the newer one's stays. */
function joined<Item extends { readonly at: number }>(newer: readonly Item[], older: readonly Item[]): Item[] {
  const all = new Map(older.map((item) => [item.at, item]));
  for (const item of newer) all.set(item.at, item);
  return [...all.values()].toSorted((a, b) => a.at - b.at);
}

const joinedEnergy = (newer: Uint8Array | undefined, older: Uint8Array, stream: StreamRow): Uint8Array =>
  encodeSegment(joined(newer === undefined ? [] : decodeSegment(newer, stream), decodeSegment(older, stream)));

const joinedPayloads = (newer: Uint8Array | undefined, older: Uint8Array): Uint8Array =>
  encodePayloads(joined(newer === undefined ? [] : decodePayloads(newer), decodePayloads(older)));
