import { expect, test } from "vitest";
import { LocalTime } from "../../../model/local-time.ts";
import { LocalTimes } from "./local-times.ts";

/** What a logger of this zone would have written at a moment. */
function stampOf(local: LocalTime, at: number) {
  const { date, time } = local.stamp(at);
  return { date, time: time.slice(0, 8), ms: Number(time.slice(9)) };
}

const dayMs = 86_400_000;

test.each(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])(
  "lines of %s, half a minute apart, get their times back over both clock changes of a year",
  (zone) => {
    const local = LocalTime.of(zone);
    const days = Array.from({ length: 366 }, (_, day) => Date.UTC(2026, 0, 1) + day * dayMs);
    const changes = days.filter((day) => local.stamp(day).offset !== local.stamp(day + dayMs).offset);
    expect(changes).toHaveLength(zone === "Asia/Kathmandu" ? 0 : 2);
    const times = new LocalTimes(local);
    for (const day of changes.length > 0 ? changes : days.slice(0, 1)) {
      const told = Array.from({ length: 2_829 }, (_, line) => day + line * 30_540);
      expect(told.map((at) => times.next(stampOf(local, at)))).toEqual(told);
    }
    expect(times.notes).toEqual([]);
  },
);

test("times that a clock change leaves out are taken an hour later and told once; what is no time is none", () => {
  const times = new LocalTimes(LocalTime.of("Europe/Berlin"));
  const at = (time: string): string => new Date(times.next({ date: "2026-03-29", time, ms: 0 })).toISOString().slice(11, 16);
  expect(["01:59:30", "02:00:00", "02:00:30", "03:30:00"].map(at)).toEqual(["00:59", "01:00", "01:00", "01:30"]);
  expect(times.notes).toEqual([
    expect.stringMatching(/^2 times that the clocks of Europe\/Berlin leave out, the first 2026-03-29 02:00:00,/),
  ]);
  for (const [date, time] of [
    ["2026-13-01", "00:00:00"],
    ["2026-02-31", "00:00:00"],
    ["2026-03-29", "25:00:00"],
    ["2026-03-29", "24:00:00"],
  ] as const)
    expect(times.next({ date, time, ms: 0 })).toBeNaN();
  expect(times.notes).toHaveLength(1);
});
