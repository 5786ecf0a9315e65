import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { PassThrough, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { z } from "zod";
import { ConfigError } from "../../../model/errors.ts";
import type { HistoryRow } from "../../../model/history.ts";
import type { Value } from "../../../model/reading.ts";
import { valueOfCell } from "./cell.ts";
import { columnMark, headMark } from "./csv-encoder.ts";
import { headSchema, type ExportColumn, type ExportHead } from "./head.ts";
import { rowOf, usualOrigins } from "./row-parts.ts";

type Options = { readonly signal: AbortSignal };

const rowsPerPart = 1_000;

/**
 * The rows of an export of single readings, as they were, some at a time. CSV and JSON lines may be packed by gzip.
 * Throws ConfigError for a file that is no such export, and with the line where one is damaged.
 */
export async function* readExport(file: string, { signal }: Options): AsyncGenerator<readonly HistoryRow[]> {
  const start = (await beginning(file)).toString("latin1");
  if (start === "PAR1") {
    const { readParquet } = await import("./read-parquet.ts");
    yield* readParquet(file, { signal });
    return;
  }
  const lines = linesOf(file, start.startsWith("\u001F\u008B"), signal);
  try {
    const first = await lines.next();
    if (first.done === true) throw new ConfigError(`${file}: expected an export, got an empty file`);
    if (first.value.startsWith(headMark)) yield* readCsv(file, first.value, lines, signal);
    else yield* readJson(file, first.value, lines);
  } finally {
    await lines.return(undefined);
  }
}

/** Whether a file begins as an export does; a packed one is not looked into. */
export async function isExport(file: string): Promise<boolean> {
  const start = (await beginning(file, headMark.length)).toString("latin1");
  return start.startsWith("PAR1") || start === headMark || start.startsWith('{"sonkragExport":'.slice(0, headMark.length));
}

async function beginning(file: string, length = 4): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ConfigError(
      `${file}: expected an export, got ${code === "ENOENT" ? "none there" : code === "EISDIR" ? "a folder" : message}`,
      {
        cause,
      },
    );
  }
}

/** The text's lines with their line feeds, so that they can be put together again. */
async function* linesOf(file: string, isPacked: boolean, signal: AbortSignal): AsyncGenerator<string, undefined> {
  const text = new PassThrough({ encoding: "utf8" });
  const source = createReadStream(file);
  const piped = isPacked ? pipeline(source, createGunzip(), text, { signal }) : pipeline(source, text, { signal });
  // Whoever reads is told by the stream itself.
  piped.catch(() => undefined);
  let rest = "";
  try {
    for await (const chunk of text as AsyncIterable<string>) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) yield `${part}\n`;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new ConfigError(`${file}: expected an export, got ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (rest !== "") yield rest;
  return undefined;
}

/** Of `raw`, which alone has rows. */
export function headOfText(file: string, text: () => unknown): ExportHead {
  const head = readWith(file, 1, () => headSchema.parse(text()));
  if (head.level !== "raw") throw new ConfigError(`${file}: expected an export of single readings (raw), got one of ${head.level}`);
  return head;
}

/** Adds the place to what was found wrong there. */
export function readWith<Result>(file: string, line: number, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const what = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll(/\s*\n\s*/g, " ") : String(cause);
    throw new ConfigError(`${file}:${line}: expected a line of an export, got one that cannot be read: ${what}`, { cause });
  }
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
  const records = Readable.from(withFirst(names, lines)).pipe(parse({ columns: false, info: true, relax_quotes: false }));
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
