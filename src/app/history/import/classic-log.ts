import { ReplyError } from "../../../model/errors.ts";
import type { HistoryRow, RowFlag } from "../../../model/history.ts";
import { decodeReply } from "../../../protocol/decode.ts";
import { QPIGS } from "../../../protocol/pi30/status.ts";
import { findRequest } from "../../../protocol/pi30/dialect.ts";
import { derive } from "../../../protocol/reading.ts";
import { historyRowOf } from "../history-row.ts";
import { readClassicLine, type ClassicLine } from "./classic-line.ts";
import { LocalTimes } from "./local-times.ts";
import { staleLines } from "./stale-lines.ts";
import { refuseSimulated, valueClass, type RejectedLine, type TakeOptions, type Taken } from "./taken.ts";

/** Takes a daily log of the older script, or of ours in its form; absent where no line has its time. */
export function takeClassic(lines: readonly string[], options: TakeOptions): Taken | undefined {
  const read = lines.map((line) => readClassicLine(line, options));
  if (!read.some(({ kind }) => kind !== "text")) return undefined;
  const inverter = options.inverter();
  if (lines.some((line) => simulatedHeader.test(line))) refuseSimulated(inverter, options.file);
  const local = new LocalTimes(options.local);
  const times = read.map((line) => (line.kind === "text" || line.stamp === undefined ? Number.NaN : local.next(line.stamp)));
  const old = oldLines(read, times);
  const rejected: RejectedLine[] = [];
  const rows: HistoryRow[] = [];
  for (const [index, line] of read.entries()) {
    if (line.kind === "text") continue;
    const flags: RowFlag[] = [];
    if (old[index] === true) flags.push("stale");
    if (line.kind === "row" && line.isRecovered) flags.push("recovered");
    const row = line.kind === "row" ? rowOf(line.payload, times[index] ?? Number.NaN, flags, inverter) : undefined;
    if (row !== undefined) rows.push(row);
    else rejected.push({ line: index + 1, class: line.kind === "rejected" ? line.class : valueClass, text: lines[index] ?? "" });
  }
  const headers = read.reduce((count, { kind }) => count + (kind === "text" ? 1 : 0), 0);
  return { lines: lines.length, headers, accepted: rows.length, rows, rejected, notes: local.notes };
}

const simulatedHeader = /^date time\(simulated\),/;

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

const request = findRequest(QPIGS.code);

/** Absent where a value or the time cannot be. */
function rowOf(payload: string, at: number, flags: readonly RowFlag[], inverter: string): HistoryRow | undefined {
  try {
    const reply = decodeReply(request, { body: payload });
    if (reply.kind !== "data" || Number.isNaN(at)) return undefined;
    const { values, tail } = reply;
    const row = historyRowOf({ inverter, at, command: QPIGS.code, payload, values, derived: derive(values), tail });
    return flags.length === 0 ? row : { ...row, flags };
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}
