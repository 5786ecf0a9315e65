import { expect } from "vitest";
import type { HistoryRow, SeriesInfo } from "../../src/model/history.ts";
import type { HistoryContents, HistoryReader } from "../../src/store/ports.ts";

/** Rows as history, which also has what the store would refuse. */
export function historyOf(rows: readonly HistoryRow[]): HistoryReader {
  const streams = new Map<string, { -readonly [Key in keyof HistoryContents]: HistoryContents[Key] }>();
  for (const { inverter, command, at, values, origins } of rows) {
    const key = `${inverter} ${command}`;
    const stream = streams.get(key) ?? { inverter, command, first: at, last: at, names: [] };
    streams.set(key, stream);
    stream.first = Math.min(stream.first, at);
    stream.last = Math.max(stream.last, at);
    for (const [name, value] of Object.entries(values)) {
      if (stream.names.some((info) => info.name === name)) continue;
      const type = typeof value === "number" ? "number" : "span";
      const info: SeriesInfo = { inverter, command, name, origin: origins?.[name] ?? "measured", type };
      stream.names = [...stream.names, info];
    }
  }
  const unused = (): never => expect.unreachable();
  return {
    contents: () => Promise.resolve([...streams.values()]),
    series: unused,
    spans: unused,
    events: unused,
    async *rows({ from, to, payloads, inverters, commands }) {
      await Promise.resolve();
      const own = rows
        .filter(({ at, inverter, command }) => at >= from && at < to && inverters?.includes(inverter) && commands?.includes(command))
        .toSorted((one, other) => one.at - other.at)
        .map(({ payload, ...row }) => (payloads === true && payload !== undefined ? { ...row, payload } : row));
      // As from the store, all rows of one moment are in one part.
      let part: HistoryRow[] = [];
      for (const row of own) {
        if (part.length >= 7 && part.at(-1)?.at !== row.at) {
          yield part;
          part = [];
        }
        part.push(row);
      }
      if (part.length > 0) yield part;
    },
  };
}
