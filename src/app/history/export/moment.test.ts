import { describe, expect, test } from "vitest";
import { LocalTime } from "../../../model/local-time.ts";
import { momentOf } from "./moment.ts";

const local = LocalTime.of("Europe/Berlin");
const now = Date.parse("2026-06-15T10:30:00+02:00");
const at = (text: string, edge: "start" | "end"): string => new Date(momentOf(text, { local, now, edge })).toISOString();

describe("a moment as people write it", () => {
  test.each([
    ["2026-06-01", "2026-05-31T22:00:00.000Z", "2026-06-01T22:00:00.000Z"],
    ["2026-06", "2026-05-31T22:00:00.000Z", "2026-06-30T22:00:00.000Z"],
    ["2025", "2024-12-31T23:00:00.000Z", "2025-12-31T23:00:00.000Z"],
    ["today", "2026-06-14T22:00:00.000Z", "2026-06-15T22:00:00.000Z"],
    ["yesterday", "2026-06-13T22:00:00.000Z", "2026-06-14T22:00:00.000Z"],
    ["2025-10-26", "2025-10-25T22:00:00.000Z", "2025-10-26T23:00:00.000Z"],
  ])("%s begins and ends on the site's calendar", (text, start, end) => {
    expect([at(text, "start"), at(text, "end")]).toStrictEqual([start, end]);
  });

  test.each([
    ["now", "2026-06-15T08:30:00.000Z"],
    ["-90min", "2026-06-15T07:00:00.000Z"],
    ["-7d", "2026-06-08T08:30:00.000Z"],
    ["-2w", "2026-06-01T08:30:00.000Z"],
    ["2026-06-01T06:30", "2026-06-01T04:30:00.000Z"],
    ["2026-06-01 06:30:15.5", "2026-06-01T04:30:15.500Z"],
    ["2026-06-01T06:30:00Z", "2026-06-01T06:30:00.000Z"],
    ["2026-06-01T06:30:00.250-03:00", "2026-06-01T09:30:00.250Z"],
    ["1780272000000", "2026-06-01T00:00:00.000Z"],
  ])("%s is the same at both ends", (text, moment) => {
    expect([at(text, "start"), at(text, "end")]).toStrictEqual([moment, moment]);
  });

  test.each(["", "tomorrow", "7d", "-7", "2026-13", "2026-02-30", "2026-02-30T06:00", "2026-06-01T25:00", "01.06.2026"])(
    "%j is none",
    (text) => {
      expect(() => at(text, "start")).toThrow(/xpected a day, month or year/);
    },
  );
});
