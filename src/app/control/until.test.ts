import { expect, it } from "vitest";
import { timeFromText } from "./until.ts";

const at = (text: string, now: string, timeZone = "Europe/Berlin"): string =>
  new Date(timeFromText(text, { now: Date.parse(now), timeZone })).toISOString();

it.each([
  ["06:00", "2026-01-10T03:00:00Z", "2026-01-10T05:00:00.000Z"],
  ["6:00", "2026-01-10T05:00:00Z", "2026-01-11T05:00:00.000Z"],
  ["06:00", "2026-07-10T23:30:00Z", "2026-07-11T04:00:00.000Z"],
  // The nights of the clock changes.
  ["06:00", "2026-03-28T23:30:00Z", "2026-03-29T04:00:00.000Z"],
  ["01:30", "2026-03-28T22:30:00Z", "2026-03-29T00:30:00.000Z"],
  ["06:00", "2026-10-24T22:30:00Z", "2026-10-25T05:00:00.000Z"],
  ["2026-01-31T06:00", "2026-01-10T00:00:00Z", "2026-01-31T05:00:00.000Z"],
  ["2026-01-31 06:00:30", "2026-01-10T00:00:00Z", "2026-01-31T05:00:30.000Z"],
  ["2026-01-31T06:00+05:00", "2026-01-10T00:00:00Z", "2026-01-31T01:00:00.000Z"],
  ["2026-01-31T06:00Z", "2026-01-10T00:00:00Z", "2026-01-31T06:00:00.000Z"],
])("%s, asked at %s, is %s", (text, now, expected) => {
  expect(at(text, now)).toBe(expected);
});

it("a time that the clock change leaves out is an hour later", () => {
  expect(at("02:30", "2026-03-28T23:30:00Z")).toBe("2026-03-29T01:30:00.000Z");
});

it.each(["tomorrow", "25:00", "06:61", "2026-02-40T06:00", ""])("%s is no time", (text) => {
  expect(() => at(text, "2026-01-10T00:00:00Z")).toThrow(/--until: expected a time/);
});
