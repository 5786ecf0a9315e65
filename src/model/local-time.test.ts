import { expect, test } from "vitest";
import { ConfigError } from "./errors.ts";
import { LocalTime } from "./local-time.ts";

const stampText = (zone: string, iso: string): string => {
  const { date, time, offset } = LocalTime.of(zone).stamp(Date.parse(iso));
  return `${date} ${time}${offset}`;
};

test.each([
  ["Africa/Johannesburg", "2020-08-23T15:14:33.243Z", "2020-08-23 17:14:33.243+02:00"],
  ["UTC", "2026-12-31T23:59:59.999Z", "2026-12-31 23:59:59.999+00:00"],
  ["Asia/Kolkata", "2026-12-31T18:30:00.000Z", "2027-01-01 00:00:00.000+05:30"],
  ["Asia/Kathmandu", "2026-01-01T00:00:00.000Z", "2026-01-01 05:45:00.000+05:45"],
  ["America/St_Johns", "2026-07-01T00:00:00.000Z", "2026-06-30 21:30:00.000-02:30"],
  // Spring: 02:00 becomes 03:00.
  ["Europe/Berlin", "2026-03-29T00:59:59.999Z", "2026-03-29 01:59:59.999+01:00"],
  ["Europe/Berlin", "2026-03-29T01:00:00.000Z", "2026-03-29 03:00:00.000+02:00"],
  // Autumn: 02:30 happens twice and only the offset tells which.
  ["Europe/Berlin", "2026-10-25T00:30:00.000Z", "2026-10-25 02:30:00.000+02:00"],
  ["Europe/Berlin", "2026-10-25T01:30:00.000Z", "2026-10-25 02:30:00.000+01:00"],
  // Half an hour of summer time.
  ["Australia/Lord_Howe", "2026-04-04T14:59:59.000Z", "2026-04-05 01:59:59.000+11:00"],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00.000Z", "2026-04-05 01:30:00.000+10:30"],
  // The clock change falls on midnight, which does not exist that day.
  ["Asia/Beirut", "2026-03-28T21:59:59.000Z", "2026-03-28 23:59:59.000+02:00"],
  ["Asia/Beirut", "2026-03-28T22:00:00.000Z", "2026-03-29 01:00:00.000+03:00"],
])("%s at %s is %s", (zone, iso, expected) => {
  expect(stampText(zone, iso)).toBe(expected);
});

test("one clock gives the same answers in any order as a fresh one each time", () => {
  const zone = "Europe/Berlin";
  const clock = LocalTime.of(zone);
  for (const iso of ["2026-10-25T01:30:00.000Z", "2026-10-25T00:59:59.000Z", "2026-10-25T01:00:00.000Z", "2026-01-01T00:00:00.000Z"]) {
    expect(clock.stamp(Date.parse(iso))).toEqual(LocalTime.of(zone).stamp(Date.parse(iso)));
  }
});

test("an unknown time zone is named", () => {
  expect(() => LocalTime.of("Africa/Nowhere")).toThrow(ConfigError);
  expect(() => LocalTime.of("Africa/Nowhere")).toThrow(/got "Africa\/Nowhere"/);
});
