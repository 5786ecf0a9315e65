import { expect, test } from "vitest";
import { Trend, trendSeries } from "./trend.ts";

const at = (row: readonly (number | null)[]): number => row[0] ?? Number.NaN;

test("keeps a point every 5 s and names what it appended", () => {
  const trend = new Trend();
  expect(trend.add(1_000, { loadActivePower: 800, batteryVoltage: 52.4 }, 6_000)).toEqual([[1_000, 800, 52.4, null, null, null, null]]);
  expect(trend.add(3_000, { loadActivePower: 900 }, 6_000)).toEqual([]);
  expect(trend.add(6_000, { loadActivePower: 0 }, 6_000)).toEqual([[6_000, 0, null, null, null, null, null]]);
  expect(trend.rows()).toHaveLength(2);
});

test("a 5 s poll that comes a little early loses no point", () => {
  const trend = new Trend();
  for (let index = 0; index < 100; index += 1) trend.add(index * 5_000 - (index % 2) * 40, { loadActivePower: index }, 15_000);
  expect(trend.rows()).toHaveLength(100);
});

test("a pause longer than a reading lives becomes a row of nulls", () => {
  const trend = new Trend();
  trend.add(0, { loadActivePower: 1 }, 15_000);
  trend.add(15_000, { loadActivePower: 2 }, 15_000);
  const added = trend.add(40_000, { loadActivePower: 3 }, 15_000);
  expect(added).toEqual([
    [20_000, null, null, null, null, null, null],
    [40_000, 3, null, null, null, null, null],
  ]);
});

test("stays bounded over days: 6 h, the last hour at 5 s, the rest at 20 s", () => {
  const trend = new Trend();
  const end = 48 * 3_600_000;
  for (let time = 0; time <= end; time += 2_000) trend.add(time, { loadActivePower: time }, 6_000);
  const rows = trend.rows();
  expect(rows.length).toBeLessThan(1_700);
  expect(end - at(rows[0]!)).toBeLessThanOrEqual(6 * 3_600_000);
  expect(end - at(rows[0]!)).toBeGreaterThan(6 * 3_600_000 - 60_000);
  const gaps = rows.slice(1).map((row, index) => at(row) - at(rows[index]!));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4_500);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(26_000);
});

test("gaps survive the thinning of old points", () => {
  const trend = new Trend();
  for (let time = 0; time <= 600_000; time += 5_000) trend.add(time, { loadActivePower: 1 }, 6_000);
  for (let time = 900_000; time <= 3 * 3_600_000; time += 5_000) trend.add(time, { loadActivePower: 1 }, 6_000);
  const empty = trend.rows().filter((row) => row.slice(1).every((value) => value === null));
  expect(empty).toHaveLength(1);
  expect(empty[0]).toHaveLength(trendSeries.length + 1);
});

test("a clock set back starts the plot anew", () => {
  const trend = new Trend();
  trend.add(100_000, { loadActivePower: 1 }, 6_000);
  trend.add(40_000, { loadActivePower: 2 }, 6_000);
  expect(trend.rows().map(at)).toEqual([40_000]);
});
