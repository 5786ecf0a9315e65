import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { PassThrough, Readable } from "node:stream";
import { constants, createGunzip, gunzipSync } from "node:zlib";
import { parse } from "csv-parse";
import { z } from "zod";
import { ConfigError } from "../../../model/errors.ts";
import type { HistoryRow } from "../../../model/history.ts";
import type { Value } from "../../../model/reading.ts";
import { valueOfCell } from "./cell.ts";
import { columnMark, headMark } from "./csv-encoder.ts";
import type { ExportColumn } from "./head.ts";
import { headOfText, readWith } from "./place.ts";
import { rowOf, usualOrigins } from "./row-parts.ts";

interface Options {
  /** How far it is, from 0 to 1. */
  readonly onShare?: ((share: number) => void) | undefined;
  readonly signal: AbortSignal;
}

const rowsPerPart = 1_000;
const gzipMark = "\u001F\u008B";
const parquetMark = "PAR1";
const jsonMark = '{"sonkragExport":';

/**
 * The rows of an export of single readings, as they were, some at a time. CSV and JSON lines may be packed by gzip.
 * Throws ConfigError for a file that is no such export, and with the line where one is damaged.
 */
export async function* readExport(file: string, { onShare, signal }: Options): AsyncGenerator<readonly HistoryRow[]> {
  const start = (await beginning(file)).toString("latin1");
  if (start.startsWith(parquetMark)) {
    const { readParquet } = await import("./read-parquet.ts");
    yield* readParquet(file, { onShare, signal });
    return;
  }
  const lines = linesOf(file, start.startsWith(gzipMark), { onShare, signal });
  try {
    const first = await lines.next();
    if (first.done === true) throw new ConfigError(`${file}: expected an export, got an empty file`);
    if (first.value.startsWith(headMark)) yield* readCsv(file, first.value, lines, signal);
    else yield* readJson(file, first.value, lines);
  } finally {
    await lines.return(undefined);
  }
}

/** Whether a file, packed by gzip or not, begins as an export does; false where it cannot be read at all. */
export async function isExport(file: string): Promise<boolean> {
  const bytes = await beginning(file).catch(() => Buffer.alloc(0));
  const start = (bytes.toString("latin1").startsWith(gzipMark) ? unpackedBeginning(bytes) : bytes).toString("latin1");
  return [parquetMark, headMark, jsonMark].some((mark) => start.startsWith(mark));
}

function unpackedBeginning(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0); // damaged, which whoever reads it as a whole will tell
  }
}

async function beginning(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === "ENOENT" ? "none there" : code === "EISDIR" ? "a folder" : message;
    throw new ConfigError(`${file}: expected an export, got ${got}`, { cause });
  }
}

/** The text's lines with their line feeds, so that they can be put together again. */
async function* linesOf(file: string, isPacked: boolean, { onShare, signal }: Options): AsyncGenerator<string, undefined> {
  const text = new PassThrough({ encoding: "utf8" });
  const source = createReadStream(file);
  const { size } = await stat(file);
  // Whoever reads is told by the stream itself.
  pipeline(isPacked ? [source, createGunzip(), text] : [source, text], { signal }).catch(() => undefined);
  let rest = "";
  try {
    for await (const chunk of text as AsyncIterable<string>) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      onShare?.(source.bytesRead / size);
      for (const part of parts) yield `${part}\n`;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new ConfigError(`${file}: expected an export, got ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (rest !== "") yield rest;
  return undefined;
}

async function* readCsv(
  file: string,
  headLine: string,
  lines: AsyncGenerator<string, undefined>,
  signal: AbortSignal,
): AsyncGenerator<readonly HistoryRow[]> {
  const columns: unknown[] = [];
  let names = "";
  let count = 1;
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    count++;
    if (!line.value.startsWith("#")) {
      names = line.value;
      break;
    }
    const { value } = line;
    if (value.startsWith(columnMark)) readWith(file, count, () => columns.push(JSON.parse(value.slice(columnMark.length))));
  }
  const head = headOfText(file, () => ({ ...(JSON.parse(headLine.slice(headMark.length)) as object), columns }));
  const usual = usualOrigins(head);
  const records = parse({ columns: false, info: true });
  // Whoever reads is told by the stream itself.
  pipeline(Readable.from(withFirst(names, lines)), records, { signal }).catch(() => undefined);
  let rows: HistoryRow[] = [];
  let isHeader = true;
  try {
    for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      signal.throwIfAborted();
      if (isHeader) {
        mustBeColumns(file, record, head.columns);
        isHeader = false;
        continue;
      }
      rows.push(readWith(file, count - 1 + info.lines, () => rowOfCells(record, head.columns, usual)));
      if (rows.length < rowsPerPart) continue;
      yield rows;
      rows = [];
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(
      `${file}: expected lines of an export, got damaged ones: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
  if (rows.length > 0) yield rows;
}

async function* withFirst(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

function mustBeColumns(file: string, record: readonly string[], columns: readonly ExportColumn[]): void {
  const expected = columns.map(({ column }) => column);
  if (expected.length !== record.length || expected.some((name, index) => name !== record[index]))
    throw new ConfigError(`${file}: expected the columns ${expected.join(", ")}, got ${record.join(", ")}`);
}

function rowOfCells(cells: readonly string[], columns: readonly ExportColumn[], usual: ReturnType<typeof usualOrigins>): HistoryRow {
  const values: [string, Value][] = [];
  const found = new Map<ExportColumn["holds"], string>();
  for (const [index, cell] of cells.entries()) {
    const column = columns[index];
    if (cell === "" || column === undefined) continue;
    if (column.holds === "value") values.push([column.name ?? "", valueOfCell(cell)]);
    else found.set(column.holds, cell);
  }
  const text = (holds: ExportColumn["holds"]): string | undefined => {
    const cell = found.get(holds);
    return cell === undefined ? undefined : z.string().parse(valueOfCell(cell));
  };
  const origins = found.get("origins");
  const row = { inverter: text("inverter"), at: Number(found.get("at") ?? Number.NaN), command: text("command"), values: {} };
  const { inverter, at, command } = rowSchema.parse(row);
  const unusual = origins === undefined ? undefined : (JSON.parse(origins) as unknown);
  return rowOf({ inverter, at, command, values, payload: text("payload"), unusual, flags: found.get("flags")?.split("|") }, usual);
}

const listSchema = z.union([z.array(z.string()), z.array(z.number())]);
const valueSchema = z.union([z.number(), z.string(), z.boolean(), listSchema]);
const rowSchema = z.object({
  inverter: z.string(),
  at: z.int(),
  command: z.string(),
  values: z.record(z.string(), valueSchema),
  payload: z.string().optional(),
  origins: z.unknown().optional(),
  flags: z.unknown().optional(),
});

async function* readJson(file: string, headLine: string, lines: AsyncGenerator<string, undefined>): AsyncGenerator<readonly HistoryRow[]> {
  const head = headOfText(file, () => JSON.parse(headLine));
  const usual = usualOrigins(head);
  let rows: HistoryRow[] = [];
  let count = 1;
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    count++;
    const { value } = line;
    const { origins, values, ...row } = readWith(file, count, () => rowSchema.parse(JSON.parse(value)));
    rows.push(
      readWith(file, count, () =>
        rowOf({ ...row, values: Object.entries(values), payload: row.payload, unusual: origins, flags: row.flags }, usual),
      ),
    );
    if (rows.length < rowsPerPart) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}
