import fc from "fast-check";
import { expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { mergeRows } from "./merge.ts";

const row = (at: number, load: number): HistoryRow => ({ inverter: "one", command: "QPIGS", at, values: { load, warnings: ["low"] } });
const list = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 2 })), { maxLength: 30 })
  .map((pairs) => pairs.toSorted(([one], [other]) => one - other).map(([at, load]) => row(at, load)));
const known = list.map((all) => all.filter(({ at }, index) => all[index - 1]?.at !== at));

test("of each time the first is kept, and every row that came is counted once", () => {
  fc.assert(
    fc.property(known, list, (there, incoming) => {
      const expected = new Map<number, HistoryRow>();
      const counts = { added: 0, repeated: 0, conflicting: 0 };
      for (const each of there) expected.set(each.at, each);
      for (const each of incoming) {
        const before = expected.get(each.at);
        if (before === undefined) expected.set(each.at, each);
        counts[before === undefined ? "added" : before.values["load"] === each.values["load"] ? "repeated" : "conflicting"]++;
      }
      const rows = [...expected.values()].toSorted((one, other) => one.at - other.at);
      expect(mergeRows(there, incoming)).toEqual({ rows, ...counts });
      // The same again changes nothing.
      expect(mergeRows(rows, incoming)).toMatchObject({ rows, added: 0 });
    }),
  );
});
