import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/*
 * Blocks of a database file whose tree is broken: every leaf page of a table is read by itself, as the SQLite file format
 * has it (sqlite.org/fileformat2.html §1.5, §1.6, §2.1), whether or not anything still leads to it.
 */

/** A row that ends in a block: `key`, whole numbers, block. */
export interface RawBlock {
  readonly key: number;
  readonly numbers: readonly number[];
  readonly body: Uint8Array;
}

const leafOfTable = 0x0d;
const defaultPageBytes = 4_096;
const firstPageHeader = 100;

/** A damaged database file, page by page. */
export class RawPages implements Disposable {
  readonly count: number;
  readonly #file: number;
  readonly #pageBytes: number;

  private constructor(file: number, pageBytes: number, count: number) {
    this.#file = file;
    this.#pageBytes = pageBytes;
    this.count = count;
  }

  static open(path: string): RawPages {
    const file = openSync(path, "r");
    const head = Buffer.alloc(firstPageHeader);
    readSync(file, head, 0, head.length, 0);
    const said = head.readUInt16BE(16) === 1 ? 65_536 : head.readUInt16BE(16);
    const isPower = said >= 512 && (said & (said - 1)) === 0;
    const pageBytes = isPower && head.toString("latin1", 0, 15) === "SQLite format 3" ? said : defaultPageBytes;
    return new RawPages(file, pageBytes, Math.floor(fstatSync(file).size / pageBytes));
  }

  /** The blocks whose rows lie on a page, counted from 1; none where it is no leaf. */
  blocks(number: number): RawBlock[] {
    const page = this.#page(number);
    const start = number === 1 ? firstPageHeader : 0;
    if (page === undefined || page[start] !== leafOfTable) return [];
    const cells = page.readUInt16BE(start + 3);
    const found: RawBlock[] = [];
    for (let cell = 0; cell < cells; cell++) {
      const pointer = start + 8 + 2 * cell;
      if (pointer + 2 > page.length) break;
      const block = this.#blockAt(page, page.readUInt16BE(pointer));
      if (block !== undefined) found.push(block);
    }
    return found;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #page(number: number): Buffer | undefined {
    if (number < 1 || number > this.count) return undefined;
    const page = Buffer.alloc(this.#pageBytes);
    readSync(this.#file, page, 0, page.length, (number - 1) * this.#pageBytes);
    return page;
  }

  #blockAt(page: Buffer, offset: number): RawBlock | undefined {
    const length = varint(page, offset);
    const key = length && varint(page, length.next);
    if (length === undefined || key === undefined) return undefined;
    const payload = this.#payload(page, key.next, length.value);
    const record = payload && rowOf(payload);
    return record && { key: key.value, ...record };
  }

  /** What does not fit into a page goes on in a chain of others. */
  #payload(page: Buffer, at: number, length: number): Buffer | undefined {
    if (length > this.count * this.#pageBytes) return undefined;
    const most = this.#pageBytes - 35;
    if (length <= most) return at + length <= page.length ? page.subarray(at, at + length) : undefined;
    const least = Math.floor(((this.#pageBytes - 12) * 32) / 255) - 23;
    const fitting = least + ((length - least) % (this.#pageBytes - 4));
    const local = fitting <= most ? fitting : least;
    if (at + local + 4 > page.length) return undefined;
    const parts = [page.subarray(at, at + local)];
    let next = page.readUInt32BE(at + local);
    for (let left = length - local; left > 0; left -= this.#pageBytes - 4) {
      const more = this.#page(next);
      if (more === undefined) return undefined;
      parts.push(more.subarray(4, 4 + Math.min(left, this.#pageBytes - 4)));
      next = more.readUInt32BE(0);
    }
    return Buffer.concat(parts);
  }
}

function varint(bytes: Buffer, from: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    if (index === 8) value = value * 256 + byte;
    else value = value * 128 + (byte & 0x7f);
    if (index === 8 || byte < 0x80) return Number.isSafeInteger(value) ? { value, next: from + index + 1 } : undefined;
  }
  return undefined;
}

const widths: readonly number[] = [0, 1, 2, 3, 4, 6, 8];

/** Null (the key, which is told elsewhere), whole numbers, and a block at the end; absent for any other row. */
function rowOf(payload: Buffer): { readonly numbers: readonly number[]; readonly body: Uint8Array } | undefined {
  const head = varint(payload, 0);
  if (head === undefined || head.value > payload.length) return undefined;
  const types: number[] = [];
  for (let at = head.next; at < head.value;) {
    const type = varint(payload, at);
    if (type === undefined) return undefined;
    types.push(type.value);
    at = type.next;
  }
  const last = types.at(-1) ?? 0;
  if (types[0] !== 0 || last < 12 || last % 2 !== 0) return undefined;
  const numbers: number[] = [];
  let at = head.value;
  for (const type of types.slice(1, -1)) {
    const width = type === 8 || type === 9 ? 0 : widths[type];
    if (width === undefined || at + width > payload.length) return undefined;
    if (width === 0) numbers.push(type === 9 ? 1 : 0);
    else numbers.push(width === 8 ? Number(payload.readBigInt64BE(at)) : payload.readIntBE(at, width));
    at += width;
  }
  const length = (last - 12) / 2;
  return at + length === payload.length ? { numbers, body: payload.subarray(at) } : undefined;
}
