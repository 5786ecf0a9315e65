import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ConfigError, ReplyError } from "../../../model/errors.ts";
import type { HistoryRow, IngestResult, RowFlag } from "../../../model/history.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import { decodeReply } from "../../../protocol/decode.ts";
import { findRequest } from "../../../protocol/pi30/dialect.ts";
import { derive } from "../../../protocol/reading.ts";
import { historyRowOf } from "../history-row.ts";
import { readClassicLine, type ClassicLine, type LineStamp } from "./classic-line.ts";
import { staleLines } from "./stale-lines.ts";

export interface ImportOptions {
  /** Our id of the inverter that the log is of. */
  readonly inverter: string;
  /** The clock on the wall beside the logger. */
  readonly local: LocalTime;
  /** Takes the whole answer at the end of a line into which several were run together. */
  readonly recover: boolean;
  /** Keeps the rows; absent for a dry run. */
  readonly ingest?: (rows: readonly HistoryRow[]) => IngestResult;
  /** Folder for the lines that were not accepted; absent for a dry run. */
  readonly rejectsFolder?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** A line that was not accepted. */
export interface RejectedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly class: string;
  readonly text: string;
}

/** What became of one file. */
export interface ImportSummary extends IngestResult {
  readonly file: string;
  readonly lines: number;
  /** Headers and other lines without a time. */
  readonly headers: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Rejected lines by the letters of docs/import.md. */
  readonly byClass: Readonly<Record<string, number>>;
  readonly recovered: number;
  /** Accepted lines whose values are older than their time. */
  readonly stale: number;
  /** Where the rejected lines are kept. */
  readonly rejects?: string;
  readonly firstRejected: readonly RejectedLine[];
}

const rowsPerCall = 5_000;
const shownRejects = 5;
const command = "QPIGS";
/** A value that cannot be. */
const valueClass = "V";

/** Brings a daily log of the older script, or of ours in its form, into history. The same file again changes nothing. */
export async function importLog(file: string, options: ImportOptions): Promise<ImportSummary> {
  const { signal, rejectsFolder } = options;
  const lines = await readLines(file);
  signal.throwIfAborted();
  const read = lines.map((line) => readClassicLine(line, options));
  if (!read.some(({ kind }) => kind !== "text"))
    throw new ConfigError(
      `${file}: expected a log with lines such as "2020-08-23 17:14:33.243004,233.8 49.9 …", got ${lines.length} lines without a time`,
    );
  const times = timesOf(read, options.local);
  const old = oldLines(read, times);
  const rejected: RejectedLine[] = [];
  const rows: HistoryRow[] = [];
  let [recovered, stale] = [0, 0];
  for (const [index, line] of read.entries()) {
    const text = lines[index] ?? "";
    if (line.kind === "rejected") rejected.push({ line: index + 1, class: line.class, text });
    if (line.kind !== "row") continue;
    const flags: RowFlag[] = [...(old[index] === true ? ["stale" as const] : []), ...(line.isRecovered ? ["recovered" as const] : [])];
    const row = rowOf(line.payload, times[index] ?? Number.NaN, flags, options);
    if (row === undefined) {
      rejected.push({ line: index + 1, class: valueClass, text });
      continue;
    }
    rows.push(row);
    if (line.isRecovered) recovered++;
    if (old[index] === true) stale++;
  }
  const rejects = rejectsFolder !== undefined && rejected.length > 0 ? await keepRejects(rejectsFolder, file, rejected) : undefined;
  return {
    file,
    lines: lines.length,
    headers: read.filter(({ kind }) => kind === "text").length,
    accepted: rows.length,
    rejected: rejected.length,
    byClass: countBy(rejected.map((each) => each.class)),
    recovered,
    stale,
    ...ingested(rows, options),
    ...(rejects !== undefined && { rejects }),
    firstRejected: rejected.slice(0, shownRejects),
  };
}

function ingested(rows: readonly HistoryRow[], { ingest, onProgress, signal }: ImportOptions): IngestResult {
  const total = { added: 0, repeated: 0, conflicting: 0 };
  if (ingest === undefined) return total;
  for (let start = 0; start < rows.length; start += rowsPerCall) {
    signal.throwIfAborted();
    const part = ingest(rows.slice(start, start + rowsPerCall));
    total.added += part.added;
    total.repeated += part.repeated;
    total.conflicting += part.conflicting;
    onProgress?.(Math.min(start + rowsPerCall, rows.length), rows.length);
  }
  return total;
}

/** A character a byte, split at line feeds alone; the last line may lack its own. */
async function readLines(file: string): Promise<string[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === "ENOENT" ? "none there" : code === "EISDIR" ? "a folder" : message;
    throw new ConfigError(`${file}: expected a log file, got ${got}`, { cause });
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await promisify(gunzip)(bytes);
  if (bytes.length === 0) throw new ConfigError(`${file}: expected a log file, got an empty one`);
  const lines = bytes.toString("latin1").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

const hourMs = 3_600_000;

/** When each line was written. The log knows no zone: of an hour that a clock change brings twice, the order of the lines tells which it is. */
function timesOf(read: readonly ClassicLine[], local: LocalTime): number[] {
  let before = Number.NEGATIVE_INFINITY;
  return read.map((line) => {
    if (line.kind === "text" || line.stamp === undefined) return Number.NaN;
    const first = epochOf(line.stamp, local);
    const { date, time } = local.stamp(first + hourMs);
    const isTwice = date === line.stamp.date && time.startsWith(line.stamp.time);
    const at = isTwice && first <= before ? first + hourMs : first;
    before = at;
    return at;
  });
}

const epochOf = ({ date, time, ms }: LineStamp, local: LocalTime): number => local.at(date, time) + ms;

function oldLines(read: readonly ClassicLine[], times: readonly number[]): boolean[] {
  const places = read.flatMap((line, index) => (line.kind === "text" ? [] : [index]));
  const stale = staleLines(
    places.map((index) => {
      const line = read[index];
      return {
        at: times[index] ?? Number.NaN,
        isGlued: (line?.kind === "rejected" && line.isGlued) || (line?.kind === "row" && line.isRecovered),
      };
    }),
  );
  const old = read.map(() => false);
  for (const [place, index] of places.entries()) old[index] = stale[place] === true;
  return old;
}

/** Absent where a value cannot be. */
function rowOf(payload: string, at: number, flags: readonly RowFlag[], { inverter }: ImportOptions): HistoryRow | undefined {
  try {
    const reply = decodeReply(findRequest(command), { body: payload });
    if (reply.kind !== "data" || Number.isNaN(at)) return undefined;
    const { values, tail } = reply;
    const row = historyRowOf({ inverter, at, command, payload, values, derived: derive(values), tail });
    return flags.length === 0 ? row : { ...row, flags };
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Keeps what was not accepted as it was, under the file's name and content: the same file again writes the same. */
async function keepRejects(folder: string, file: string, rejected: readonly RejectedLine[]): Promise<string> {
  const text = rejected.map(({ line, class: letter, text: own }) => `${line}\t${letter}\t${own}\n`).join("");
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  const path = join(folder, `${basename(file)}.${digest}.rejects`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.new`, text, "latin1");
  await rename(`${path}.new`, path);
  return path;
}
