import fc from "fast-check";
import { expect, test } from "vitest";
import { StoreError } from "../model/errors.ts";
import { rowFlags, type HistoryRow } from "../model/history.ts";
import type { Value } from "../model/reading.ts";
import { ByteWriter, deflated, sealed } from "./bytes.ts";
import { decodePayloads, encodePayloads } from "./payloads.ts";
import { decodeSegment, encodeSegment, readColumn, readColumns } from "./segment.ts";

const stream = { inverter: "one", command: "QPIGS" };
const names = ["a", "b", "c", "d"] as const;

/** What inverters send, and what nobody expects. */
const number = fc.oneof(
  fc.integer({ min: -9_999, max: 9_999 }).map((whole) => whole / 10),
  fc.integer({ min: -9_999, max: 9_999 }).map((whole) => whole / 10_000),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1e-7, 0.1 + 0.2, 2 ** 50 - 1, 2 ** 50, -(2 ** 53), Number.MAX_VALUE, Number.MIN_VALUE, Number.POSITIVE_INFINITY),
);
const word: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.array(number, { maxLength: 3 }),
);
/** Columns of numbers, of words, of both, with and without holes. */
const values = fc.record({ a: number, b: word, c: fc.oneof(number, word), d: fc.constant(53.2) }, { requiredKeys: ["d"] });
const origin = fc.constantFrom("derived" as const, "estimated" as const, undefined);
const row = fc
  .record({
    values,
    originOfA: origin,
    originOfD: origin,
    flags: fc.subarray([...rowFlags]),
  })
  .map(({ values: own, originOfA, originOfD, flags }): Omit<HistoryRow, "at"> => {
    const origins = { ...("a" in own && originOfA && { a: originOfA }), ...(originOfD && { d: originOfD }) };
    return {
      ...stream,
      values: { ...own },
      ...(Object.keys(origins).length > 0 && { origins }),
      ...(flags.length > 0 && { flags }),
    };
  });
const times = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1.7e12, max: 1.7e12 + 3_600_000 }), fc.integer({ min: 0, max: 2 ** 50 })), { maxLength: 40 })
  .map((list) => list.toSorted((one, other) => one - other));
const rows: fc.Arbitrary<HistoryRow[]> = times.chain((list) =>
  fc.tuple(...list.map((at) => row.map((each) => ({ ...each, at })))).map((all) => [...all]),
);

test("rows come back exactly, whatever is in them", () => {
  fc.assert(
    fc.property(rows, (given) => {
      const bytes = encodeSegment(given);
      // Told apart by Object.is: −0 is not 0.
      expect(decodeSegment(bytes, stream)).toStrictEqual(given);
      const all = readColumns(bytes);
      for (const name of names) {
        const having = given.filter((each) => name in each.values);
        const column = readColumn(bytes, name);
        expect(column).toStrictEqual(all.get(name));
        expect(Array.from(column?.times ?? [])).toStrictEqual(having.map(({ at }) => at));
        expect(Array.from<Value>(column?.values ?? [])).toStrictEqual(having.map((each) => each.values[name]));
      }
    }),
    { numRuns: 300 },
  );
});

test("answers come back as they came, equally long or not", () => {
  const payload = (length: { readonly minLength: number; readonly maxLength: number }): fc.Arbitrary<string> =>
    fc.array(fc.integer({ min: 0, max: 255 }), length).map((bytes) => String.fromCodePoint(...bytes));
  const frames = fc
    .tuple(times, fc.constantFrom(payload({ minLength: 0, maxLength: 30 }), payload({ minLength: 9, maxLength: 9 }), fc.constant("")))
    .chain(([list, each]) => fc.tuple(...list.map((at) => each.map((one) => ({ at, payload: one })))));
  fc.assert(
    fc.property(frames, damage, (given, where) => {
      const bytes = encodePayloads(given);
      expect(decodePayloads(bytes)).toStrictEqual([...given]);
      try {
        decodePayloads(sealed(damagedAt(bytes.subarray(0, -4), where)));
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
      }
    }),
    { numRuns: 500 },
  );
});

const damage = fc.record({ place: fc.nat(), bit: fc.nat({ max: 7 }), isCut: fc.boolean() });

function damagedAt(
  bytes: Uint8Array,
  { place, bit, isCut }: { readonly place: number; readonly bit: number; readonly isCut: boolean },
): Uint8Array {
  const at = place % bytes.length;
  if (isCut) return bytes.subarray(0, at);
  const flipped = bytes.slice();
  flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
  return flipped;
}

/** True for what the reader must say of bytes that nobody wrote. */
function isTold(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    return error instanceof StoreError && error.code === "store-damaged";
  }
}

test("a cut or a flipped bit is always told", () => {
  fc.assert(
    fc.property(rows, damage, (given, where) => {
      const segment = damagedAt(encodeSegment(given), where);
      expect(isTold(() => decodeSegment(segment, stream))).toBe(true);
      expect(isTold(() => readColumn(segment, "a"))).toBe(true);
      const payloads = damagedAt(encodePayloads(given.map(({ at }) => ({ at, payload: "B" }))), where);
      expect(isTold(() => decodePayloads(payloads))).toBe(true);
    }),
  );
});

test("bytes that are wrong in themselves but bear a good checksum end in an answer or in the same error, quickly", () => {
  fc.assert(
    fc.property(rows, damage, (given, where) => {
      const inner = encodeSegment(given).subarray(0, -4);
      const forged = sealed(damagedAt(inner, where));
      try {
        decodeSegment(forged, stream);
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a count beyond the bytes reserves no memory", () => {
  const out = new ByteWriter();
  out.byte(1);
  out.varint(2 ** 45);
  out.block(deflated(new Uint8Array(3)));
  expect(() => decodeSegment(sealed(out.done()), stream)).toThrow("expected 35184372088832 times, got 3 bytes");
  expect(() => decodePayloads(sealed(out.done()))).toThrow(StoreError);
});

test("NaN, unordered and repeated times are refused by name", () => {
  const at = (time: number, load = 1): HistoryRow => ({ ...stream, at: time, values: { load } });
  expect(() => encodeSegment([at(1, Number.NaN)])).toThrow("load: expected a number, got NaN");
  expect(() => encodeSegment([at(2), at(1)])).toThrow("got 1 after 2");
  expect(() => encodeSegment([at(2), at(2)])).toThrow("got 2 after 2");
  expect(() => encodeSegment([at(0.5)])).toThrow("got 0.5");
});

test("what does not change costs nothing: an hour of even readings", () => {
  const hour = Array.from({ length: 720 }, (_, index) => ({
    ...stream,
    at: 1.7e12 + index * 5_000,
    values: { voltage: 230.1, mode: "line", isOn: true, warnings: [] },
  }));
  expect(encodeSegment(hour).length).toBeLessThan(200);
});
