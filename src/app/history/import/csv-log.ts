import type { HistoryRow } from "../../../model/history.ts";
import type { Value, Values } from "../../../model/reading.ts";
import { fieldsOf } from "../../../protocol/decode.ts";
import type { Slot } from "../../../protocol/command.ts";
import { QPIGS } from "../../../protocol/pi30/status.ts";
import { derive } from "../../../protocol/reading.ts";
import { readCsvHeader, splitCsv, unquoted, type CsvHeader } from "../../../sinks/log-format.ts";
import { historyRowOf } from "../history-row.ts";
import { valueOf } from "./catalogue-value.ts";
import { otherClass, refuseSimulated, valueClass, type RejectedLine, type TakeOptions, type Taken } from "./taken.ts";

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?[+-]\d{2}:\d{2}$/;
const idPattern = /^[a-z0-9-]+$/;

/** Takes a text log of ours in its form `csv`; absent for a file that begins otherwise. */
export function takeCsvLog(lines: readonly string[], options: TakeOptions): Taken | undefined {
  let header = readCsvHeader(lines[0] ?? "");
  if (header === undefined) return undefined;
  let headers = 0;
  const rows: HistoryRow[] = [];
  const rejected: RejectedLine[] = [];
  for (const [index, text] of lines.entries()) {
    const found = readCsvHeader(text);
    if (found !== undefined) {
      header = found;
      headers++;
      continue;
    }
    const row = rowOf(header, text, options);
    if (typeof row === "string") rejected.push({ line: index + 1, class: row, text });
    else rows.push(row);
  }
  return { lines: lines.length, headers, accepted: rows.length, rows, rejected, notes: [] };
}

/** The row, or the class of what is no row. */
function rowOf({ keys, simulated }: CsvHeader, text: string, options: TakeOptions): HistoryRow | string {
  const cells = splitCsv(text).map(unquoted);
  const [time = "", ...more] = cells;
  const own = more.pop() ?? "";
  if (more.length !== keys.length || !isoTime.test(time) || !idPattern.test(own)) return otherClass;
  const all: Record<string, Value> = {};
  for (const [index, key] of keys.entries()) {
    const cell = more[index] ?? "";
    if (cell === "") continue;
    const value = valueOf(key, Buffer.from(cell, "latin1").toString("utf8"));
    if (value === undefined) return valueClass;
    all[key] = value;
  }
  const at = Date.parse(time);
  if (Number.isNaN(at)) return valueClass;
  const measured = measuredOf(all);
  const values = Object.fromEntries(Object.entries(all).filter(([name]) => measured.has(name)));
  const derived = Object.fromEntries(Object.entries(all).filter(([name]) => !measured.has(name)));
  const inverter = options.inverter(own);
  if (simulated) refuseSimulated(inverter, options.file);
  const { payload: _none, ...row } = historyRowOf({ inverter, at, command: QPIGS.code, payload: "", values, derived, tail: [] });
  return row;
}

const slots: readonly (readonly Slot[])[] = QPIGS.layouts.map(({ fields }) => fields);

/**
 * The names that stood in the answer. What an answer lacks can be derived under the same name (PV power of older units):
 * such a one stands behind the last field of the answer.
 */
function measuredOf(values: Values): ReadonlySet<string> {
  let best: string[] = [];
  for (const layout of slots) {
    const present = layout.map((slot) => fieldsOf(slot).find(({ name }) => Object.hasOwn(values, name))?.name);
    const gap = present.indexOf(undefined);
    const isDoubtful = (name: string, index: number): boolean =>
      gap >= 0 && index > gap && Object.hasOwn(derive(without(values, name)), name);
    const last = present.findLastIndex((name, index) => name !== undefined && !isDoubtful(name, index));
    const names = present.slice(0, last + 1).filter((name) => name !== undefined);
    if (names.length >= best.length) best = names;
  }
  return new Set(best);
}

const without = (values: Values, name: string): Values => Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
