import { expect, test } from "vitest";
import { backoff } from "./backoff.ts";

const first = (count: number, random: () => number): number[] => {
  const pauses = backoff(500, 10_000, random);
  return Array.from({ length: count }, () => pauses.next().value);
};

test("doubles up to its longest and stays there", () => {
  expect(first(8, () => 0.5)).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

test("varies by a tenth each way", () => {
  expect(first(6, () => 0)).toEqual([450, 900, 1800, 3600, 7200, 9000]);
  expect(first(6, () => 1).map(Math.round)).toEqual([550, 1100, 2200, 4400, 8800, 11_000]);
});
