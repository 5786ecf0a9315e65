import type { HistoryRow, IngestResult } from "../model/history.ts";
import type { Origin } from "../model/reading.ts";
import { dayOf, hourOf, monthOf } from "./keys.ts";
import { decodePayloads, encodePayloads } from "./payloads.ts";
import { mergeRows } from "./merge.ts";
import { decodeSegment, encodeSegment } from "./segment.ts";
import { readOrSetAside } from "./set-aside.ts";
import type { StreamNames, Tables } from "./tables.ts";

/** An hour of an inverter whose rows have changed. */
export interface ChangedHour {
  readonly inverter: string;
  /** Whole UTC hours since the epoch. */
  readonly hour: number;
}

export interface Sealed extends IngestResult {
  readonly changed: readonly ChangedHour[];
}

/**
 * Puts rows into the segments of their hours, merged with what is there, and marks what has to be made anew above them.
 * The same rows again change nothing. Call it within a transaction.
 */
export function sealRows(tables: Tables, rows: readonly HistoryRow[]): Sealed {
  let [added, repeated, conflicting] = [0, 0, 0];
  const changed = new Map<string, ChangedHour>();
  for (const group of groupsOf(rows)) {
    const { inverter, command, hour } = group;
    const stream = tables.streamId(inverter, command);
    const known = tables.segment(stream, hour);
    const there = readOrSetAside(tables, { table: "segment", stream, period: hour }, known?.body, (body) =>
      decodeSegment(body, { inverter, command }),
    );
    const merged = mergeRows(there ?? [], sorted(group.rows));
    added += merged.added;
    repeated += merged.repeated;
    conflicting += merged.conflicting;
    if (merged.added === 0) continue;
    const [first, last] = [merged.rows[0], merged.rows.at(-1)];
    if (first === undefined || last === undefined) continue;
    tables.putSegment(stream, hour, { first: first.at, last: last.at, count: merged.rows.length, body: encodeSegment(merged.rows) });
    keepPayloads(tables, stream, hour, group.rows);
    keepNames(tables, stream, group.rows);
    tables.mark("dirty_day", stream, dayOf(first.at));
    tables.mark("dirty_month", stream, monthOf(first.at));
    changed.set(`${inverter} ${hour}`, { inverter, hour });
  }
  return { added, repeated, conflicting, changed: [...changed.values()] };
}

interface Group {
  readonly inverter: string;
  readonly command: string;
  readonly hour: number;
  readonly rows: HistoryRow[];
}

function groupsOf(rows: readonly HistoryRow[]): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const hour = hourOf(row.at);
    const key = `${row.inverter} ${row.command} ${hour}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { inverter: row.inverter, command: row.command, hour, rows: [row] });
    else group.rows.push(row);
  }
  return groups.values();
}

function sorted(rows: HistoryRow[]): readonly HistoryRow[] {
  const isSorted = rows.every((row, index) => index === 0 || (rows[index - 1]?.at ?? 0) <= row.at);
  return isSorted ? rows : rows.toSorted((a, b) => a.at - b.at);
}

function keepPayloads(tables: Tables, stream: number, hour: number, rows: readonly HistoryRow[]): void {
  const incoming = rows.flatMap(({ at, payload }) => (payload === undefined ? [] : [{ at, payload }]));
  if (incoming.length === 0) return;
  const known = readOrSetAside(tables, { table: "frames", stream, period: hour }, tables.get("frames", stream, hour), decodePayloads);
  const all = new Map((known ?? []).map((frame) => [frame.at, frame.payload]));
  for (const { at, payload } of incoming) if (!all.has(at)) all.set(at, payload);
  const frames = [...all].map(([at, payload]) => ({ at, payload })).toSorted((a, b) => a.at - b.at);
  tables.put("frames", stream, hour, encodePayloads(frames));
}

const originRank: Readonly<Record<Origin, number>> = { measured: 0, derived: 1, estimated: 2 };

/** A series is as uncertain as its least certain value. */
function keepNames(tables: Tables, stream: number, rows: readonly HistoryRow[]): void {
  const before = tables.namesOf(stream);
  const names: Record<string, StreamNames[string]> = { ...before };
  let isChanged = false;
  for (const { values, origins } of rows) {
    for (const name of Object.keys(values)) {
      const type = typeof values[name] === "number" ? "number" : "span";
      const origin = origins?.[name] ?? "measured";
      const known = names[name];
      if (known !== undefined && (known.type === "number" || known.type === type) && originRank[known.origin] >= originRank[origin])
        continue;
      names[name] = {
        type: known?.type ?? type,
        origin: known !== undefined && originRank[known.origin] > originRank[origin] ? known.origin : origin,
      };
      isChanged = true;
    }
  }
  if (isChanged) tables.setNames(stream, names);
}
