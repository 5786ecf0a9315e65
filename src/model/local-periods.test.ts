import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RefusedError } from "./errors.ts";
import { localPeriodAt, localPeriodOf, localPeriods, periodKinds } from "./local-periods.ts";
import { LocalTime } from "./local-time.ts";

const hourMs = 3_600_000;
const zones = [
  "UTC",
  "Africa/Johannesburg",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Asia/Beirut",
  "America/Havana",
  "Africa/Cairo",
  "Pacific/Chatham",
  "America/Santiago",
];

describe("a day of the site", () => {
  test.each([
    ["Africa/Johannesburg", "2026-06-21", "2026-06-20T22:00Z", 24],
    ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", 23],
    ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", 25],
    ["Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00Z", 24.5],
    // Midnight is left out: the day begins at one.
    ["Asia/Beirut", "2026-03-29", "2026-03-28T22:00Z", 23],
    // The first hour comes twice.
    ["America/Havana", "2026-11-01", "2026-11-01T04:00Z", 25],
    // The last hour of the day comes twice.
    ["Asia/Beirut", "2026-10-24", "2026-10-23T21:00Z", 25],
    // A day that Samoa left out.
    ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z", 0],
  ])("%s %s begins at %s and has %d hours", (zone, key, from, hours) => {
    const period = localPeriodOf(key, LocalTime.of(zone));
    expect(new Date(period.from).toISOString()).toBe(new Date(from).toISOString());
    expect((period.to - period.from) / hourMs).toBe(hours);
  });

  test("that a place left out is in no list", () => {
    const range = { from: Date.UTC(2011, 11, 29, 10), to: Date.UTC(2011, 11, 31, 12) };
    expect(localPeriods(range, "day", LocalTime.of("Pacific/Apia")).map(({ key }) => key)).toEqual([
      "2011-12-29",
      "2011-12-31",
      "2012-01-01",
    ]);
  });
});

test("months and years begin with their first day", () => {
  const local = LocalTime.of("Europe/Berlin");
  expect(localPeriodOf("2026-10", local)).toEqual({
    kind: "month",
    key: "2026-10",
    from: Date.UTC(2026, 8, 30, 22),
    to: Date.UTC(2026, 9, 31, 23),
  });
  expect(localPeriodOf("2026", local)).toEqual({
    kind: "year",
    key: "2026",
    from: Date.UTC(2025, 11, 31, 23),
    to: Date.UTC(2026, 11, 31, 23),
  });
});

test("what is no day, month or year is refused", () => {
  const local = LocalTime.of("UTC");
  for (const key of ["", "26", "2026-13", "2026-02-30", "2026-1-1", "20260101", "2026-00-01"])
    expect(() => localPeriodOf(key, local)).toThrow(RefusedError);
});

test("in every zone the periods follow each other without gap, begin on a quarter of an hour, and each moment lies in its own", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...periodKinds),
      fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2045, 0) }),
      fc.integer({ min: 1, max: 40 * 24 * hourMs }),
      (zone, kind, from, length) => {
        const local = LocalTime.of(zone);
        const periods = localPeriods({ from, to: from + length }, kind, local);
        expect(periods[0]!.from).toBeLessThanOrEqual(from);
        expect(periods.at(-1)!.to).toBeGreaterThanOrEqual(from + length);
        for (const [index, period] of periods.entries()) {
          expect(period.from % 900_000).toBe(0);
          expect(period.from).toBeLessThan(period.to);
          if (index > 0) expect(period.from).toBe(periods[index - 1]!.to);
          expect(localPeriodOf(period.key, local)).toEqual(period);
          for (const at of [period.from, period.to - 1]) expect(localPeriodAt(at, kind, local)).toEqual(period);
        }
      },
    ),
  );
});
