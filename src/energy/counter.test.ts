import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StoreError } from "../model/errors.ts";
import { countAnswer, emptyLedger, lookAroundMs, parseLedger, rebuildLedger, recount, type CountOptions, type Ledger } from "./counter.ts";
import { bucketMs, flowKeys, type EnergyBucket } from "./flow.ts";
import { openBucket, within } from "./integrate.ts";
import type { Answer } from "./powers.ts";

const options: CountOptions = { holdMs: 120_000, freshMs: 60_000, known: new Set(["pv2Power"]) };
const noon = Date.UTC(2026, 5, 21, 10);
const units = ["one", "two"] as const;

type Row = Answer & { readonly unit: string };

/** Answers of two units in time order, of all commands that matter, at irregular times. */
const courses = fc
  .array(
    fc.record({
      unit: fc.constantFrom(...units),
      pause: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 70_000 }) }, fc.integer({ min: 70_000, max: 2_000_000 })),
      kind: fc.constantFrom("QPIGS", "QPIGS", "QPIGS2", "QMOD", "QPGS1"),
      watts: fc.integer({ min: 0, max: 5000 }),
      amperes: fc.integer({ min: -40, max: 40 }),
      mode: fc.constantFrom("line", "battery", "standby"),
    }),
    { maxLength: 120 },
  )
  .map((steps) => {
    let at = noon;
    return steps.map(({ unit, pause, kind, watts, amperes, mode }): Row => {
      const battery = { batteryVoltage: 52.1, batteryChargeCurrent: Math.max(0, -amperes), batteryDischargeCurrent: Math.max(0, amperes) };
      const values = {
        QPIGS: { loadActivePower: watts, pv1Power: watts >> 1, gridVoltage: 230, ...battery },
        QPIGS2: { pv2Power: watts >> 2 },
        QMOD: { operatingMode: mode },
        QPGS1: { unitExists: true, serialNumber: "92931905106458", loadActivePower: watts, operatingMode: mode, ...battery },
      }[kind];
      return { unit, at: (at += pause), command: kind, values };
    });
  });

function count(rows: readonly Row[], from: Ledger = emptyLedger): { ledger: Ledger; finished: Record<string, EnergyBucket[]> } {
  let ledger = from;
  const finished: Record<string, EnergyBucket[]> = { one: [], two: [] };
  for (const { unit, ...answer } of rows) {
    const counted = countAnswer(ledger, unit, answer, options);
    ledger = counted.ledger;
    finished[unit]!.push(...counted.finished);
  }
  return { ledger, finished };
}

const allOf = ({ ledger, finished }: ReturnType<typeof count>, unit: string): EnergyBucket[] => {
  const account = ledger.units[unit];
  const rest = account && openBucket(account.integrator);
  return [...(finished[unit] ?? []), ...(rest === undefined ? [] : [rest])];
};

describe("counters", () => {
  test("never decrease, and a total counts each unit once", () => {
    fc.assert(
      fc.property(courses, (rows) => {
        let ledger = emptyLedger;
        for (const row of rows) {
          const before = ledger;
          ledger = count([row], ledger).ledger;
          for (const key of flowKeys) {
            for (const unit of units)
              expect(ledger.units[unit]?.counters[key] ?? 0).toBeGreaterThanOrEqual(before.units[unit]?.counters[key] ?? 0);
            expect(ledger.total[key] ?? 0).toBeGreaterThanOrEqual(before.total[key] ?? 0);
          }
        }
        for (const key of flowKeys) {
          const sum = units.reduce((all, unit) => all + (ledger.units[unit]?.counters[key] ?? 0), 0);
          expect(ledger.total[key] ?? 0).toBeCloseTo(sum, 6);
        }
      }),
    );
  });

  test("killed anywhere and given again what came since the ledger was kept, and more, they are the same to the last bit", () => {
    fc.assert(
      fc.property(courses, fc.nat(120), fc.nat(30), (rows, killedAt, again) => {
        const kept = JSON.stringify(count(rows.slice(0, killedAt)).ledger);
        const resumed = count(rows.slice(Math.max(0, killedAt - again)), parseLedger(kept)).ledger;
        expect(resumed).toEqual(JSON.parse(JSON.stringify(count(rows).ledger)));
      }),
    );
  });

  test("any hours counted anew from kept answers are as they were counted live", () => {
    fc.assert(
      fc.property(courses, fc.nat(40), fc.integer({ min: 1, max: 8 }), fc.constantFrom(...units), (rows, first, length, unit) => {
        const range = { from: noon + first * bucketMs, to: noon + (first + length) * bucketMs };
        const around = lookAroundMs(options);
        const near = rows.filter((row) => row.unit === unit && row.at >= range.from - around && row.at <= range.to + around);
        expect(recount(near, range, options)).toEqual(within(allOf(count(rows), unit), range));
      }),
      { numRuns: 300 },
    );
  });

  test("of an hour need the answers that belong to the last sample before it", () => {
    const battery = { batteryVoltage: 52, batteryChargeCurrent: 0, batteryDischargeCurrent: 10 };
    const status = { loadActivePower: 500, gridVoltage: 230, pv1Power: 0, ...battery };
    const rows: Row[] = [
      { unit: "one", at: noon - 170_000, command: "QMOD", values: { operatingMode: "battery" } },
      { unit: "one", at: noon - 115_000, command: "QPIGS", values: status },
      { unit: "one", at: noon + 4_000, command: "QMOD", values: { operatingMode: "battery" } },
      { unit: "one", at: noon + 5_000, command: "QPIGS", values: status },
    ];
    const range = { from: noon, to: noon + 4 * bucketMs };
    const near = rows.filter(({ at }) => at >= range.from - lookAroundMs(options));
    expect(recount(near, range, options)[0]?.flows.gridImport).toEqual({ wattHours: 0, coveredMs: 5000, origin: "derived" });
  });

  test("take no answer that is older than one they have", () => {
    const row = (at: number, operatingMode: string): Row => ({ unit: "one", at: noon + at, command: "QMOD", values: { operatingMode } });
    const { ledger } = count([row(5000, "battery")]);
    expect(count([row(0, "line"), row(5000, "line")], ledger).ledger).toBe(ledger);
  });

  test("whose file is lost are made anew from the quarters of an hour", () => {
    fc.assert(
      fc.property(courses, (rows) => {
        const counted = count(rows);
        const rebuilt = rebuildLedger(units.map((unit) => [unit, allOf(counted, unit)]));
        for (const key of flowKeys) {
          expect(rebuilt.total[key] ?? 0).toBeCloseTo(counted.ledger.total[key] ?? 0, 6);
          for (const unit of units)
            expect(rebuilt.units[unit]?.counters[key] ?? 0).toBeCloseTo(counted.ledger.units[unit]?.counters[key] ?? 0, 6);
        }
      }),
    );
  });

  test("a damaged file is no ledger", () => {
    for (const text of [
      "",
      "{",
      "[]",
      "{}",
      '{"form":2,"units":{},"total":{}}',
      '{"form":1,"units":{},"total":{"pv":-1}}',
      '{"form":1,"units":{"a":{}},"total":{}}',
    ])
      expect(() => parseLedger(text)).toThrow(StoreError);
    expect(parseLedger(JSON.stringify(emptyLedger))).toEqual(emptyLedger);
  });
});
