import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConfigError } from "../../../model/errors.ts";
import type { HistoryRow, IngestResult } from "../../../model/history.ts";
import { takeClassic } from "./classic-log.ts";
import { takeCsvLog } from "./csv-log.ts";
import { isExport, readExport } from "../export/read-export.ts";
import { linesOf, readWhole } from "./read-file.ts";
import type { Mapping } from "./mapping.ts";
import { takeTable } from "./table.ts";
import { refuseSimulated, type RejectedLine, type TakeOptions, type Taken } from "./taken.ts";

export interface ImportOptions extends Omit<TakeOptions, "file" | "inverter"> {
  /** Our id of the inverter that a file is of; `own`: what the file says itself. Throws RefusedError where it is not known. */
  readonly inverter: (file: string, own?: string) => string;
  /** How a table of another program is to be read; absent for logs of known form. */
  readonly mapping?: Mapping | undefined;
  /** Keeps the rows; absent for a dry run. */
  readonly ingest?: (rows: readonly HistoryRow[]) => IngestResult;
  /** Folder for the lines that were not accepted; absent for a dry run. */
  readonly rejectsFolder?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** What became of one file. */
export interface ImportSummary extends IngestResult {
  readonly file: string;
  readonly lines: number;
  /** Headers and other lines that are no data. */
  readonly headers: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Rejected lines by the letters of docs/import.md. */
  readonly byClass: Readonly<Record<string, number>>;
  readonly recovered: number;
  /** Accepted lines whose values are older than their time. */
  readonly stale: number;
  /** For people: what is odd about the file as a whole. */
  readonly notes: readonly string[];
  /** Where the rejected lines are kept. */
  readonly rejects?: string;
  readonly firstRejected: readonly RejectedLine[];
}

const rowsPerCall = 5_000;
/** Between two transactions: a program that runs beside this one gets at the database as well. */
const restMs = 10;
const shownRejects = 5;

/** Brings a file into history. The same file again changes nothing. Throws ConfigError where it is of no known kind. */
export async function importFile(file: string, options: ImportOptions): Promise<ImportSummary> {
  const { signal, rejectsFolder } = options;
  if (options.mapping === undefined && (await isExport(file))) return await importExport(file, options);
  const bytes = await readWhole(file, options.mapping === undefined ? "a log file" : "a table");
  signal.throwIfAborted();
  const { lines, headers, accepted, rows, rejected, notes } = take(
    bytes,
    { ...options, file, inverter: (own) => options.inverter(file, own) },
    options,
  );
  const rejects = rejectsFolder !== undefined && rejected.length > 0 ? await keepRejects(rejectsFolder, file, rejected) : undefined;
  const flagged = (flag: "stale" | "recovered"): number => rows.reduce((count, { flags }) => count + (flags?.includes(flag) ? 1 : 0), 0);
  return {
    file,
    lines,
    headers,
    accepted,
    rejected: rejected.length,
    byClass: countBy(rejected.map((each) => each.class)),
    recovered: flagged("recovered"),
    stale: flagged("stale"),
    ...(await ingested(rows, options)),
    notes,
    ...(rejects !== undefined && { rejects }),
    firstRejected: rejected.slice(0, shownRejects),
  };
}

/** Rows come as they were; an export that is damaged somewhere is refused with the place, and what came before stays. */
async function importExport(file: string, { inverter, ingest, onProgress, signal }: ImportOptions): Promise<ImportSummary> {
  const total = { added: 0, repeated: 0, conflicting: 0 };
  let [accepted, stale, recovered] = [0, 0, 0];
  let waiting: HistoryRow[] = [];
  const keep = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    if (ingest === undefined || rows.length === 0) return;
    add(total, ingest(rows));
    await delay(restMs, undefined, { signal });
  };
  for await (const rows of readExport(file, { onShare: (share) => onProgress?.(share, 1), signal })) {
    for (const row of rows) {
      const own = inverter(file, row.inverter);
      if (row.inverter.startsWith("simulated")) refuseSimulated(own, file);
      waiting.push(own === row.inverter ? row : { ...row, inverter: own });
      accepted++;
      if (row.flags?.includes("stale")) stale++;
      if (row.flags?.includes("recovered")) recovered++;
    }
    if (waiting.length >= rowsPerCall) await keep();
  }
  await keep();
  const nothing = { headers: 0, rejected: 0, byClass: {}, notes: [], firstRejected: [] };
  return { file, lines: accepted, accepted, stale, recovered, ...nothing, ...total };
}

function take(bytes: Buffer, options: TakeOptions, { mapping }: Pick<ImportOptions, "mapping">): Taken {
  if (mapping !== undefined) return takeTable(bytes, mapping, options);
  const lines = linesOf(bytes);
  const taken = takeCsvLog(lines, options) ?? takeClassic(lines, options);
  if (taken !== undefined) return taken;
  const [first = ""] = lines;
  const isText = /^[\t\r -~\u0080-\u00FF]*$/.test(first);
  throw new ConfigError(
    `${options.file}: expected a log with lines such as "2020-08-23 17:14:33.243004,233.8 49.9 …", got ${lines.length} lines without a time` +
      (isText ? `, the first: ${JSON.stringify(first.slice(0, 60))}; tables of other programs need --mapping FILE` : " and no text"),
  );
}

async function ingested(rows: readonly HistoryRow[], { ingest, onProgress, signal }: ImportOptions): Promise<IngestResult> {
  const total = { added: 0, repeated: 0, conflicting: 0 };
  if (ingest === undefined) return total;
  for (let start = 0; start < rows.length; start += rowsPerCall) {
    signal.throwIfAborted();
    const part = ingest(rows.slice(start, start + rowsPerCall));
    add(total, part);
    onProgress?.(Math.min(start + rowsPerCall, rows.length), rows.length);
    await delay(restMs, undefined, { signal });
  }
  return total;
}

function add(total: { -readonly [Key in keyof IngestResult]: IngestResult[Key] }, part: IngestResult): void {
  total.added += part.added;
  total.repeated += part.repeated;
  total.conflicting += part.conflicting;
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Keeps what was not accepted as it was, under the file's name and content: the same file again writes the same. */
async function keepRejects(folder: string, file: string, rejected: readonly RejectedLine[]): Promise<string> {
  const text = rejected.map(({ line, class: letter, text: own }) => `${line}\t${letter}\t${own}\n`).join("");
  const digest = createHash("sha256").update(text, "latin1").digest("hex").slice(0, 8);
  const path = join(folder, `${basename(file)}.${digest}.rejects`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.new`, text, "latin1");
  await rename(`${path}.new`, path);
  return path;
}
