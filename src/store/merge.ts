import type { HistoryRow, IngestResult } from "../model/history.ts";
import type { Value } from "../model/reading.ts";

/** Two lists of rows of one stream, ascending in time, as one. Of two rows of one time the one that was there stays. */
export function mergeRows(
  known: readonly HistoryRow[],
  incoming: readonly HistoryRow[],
): IngestResult & { readonly rows: readonly HistoryRow[] } {
  let [added, repeated, conflicting] = [0, 0, 0];
  const rows: HistoryRow[] = [];
  let next = 0;
  for (const row of incoming) {
    for (let there = known[next]; there !== undefined && there.at <= row.at; there = known[++next]) rows.push(there);
    const before = rows.at(-1);
    if (before?.at !== row.at) {
      rows.push(row);
      added++;
    } else if (hasSameValues(before, row)) repeated++;
    else conflicting++;
  }
  for (; next < known.length; next++) rows.push(known[next] as HistoryRow);
  return { rows, added, repeated, conflicting };
}

function hasSameValues({ values: one }: HistoryRow, { values: other }: HistoryRow): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isSame(one[name], other[name]));
}

function isSame(one: Value | undefined, other: Value | undefined): boolean {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}
