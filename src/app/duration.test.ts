import { expect, it } from "vitest";
import { durationMs } from "./duration.ts";

it.each([
  ["500ms", 500],
  ["5s", 5000],
  ["1.5 s", 1500],
  ["5min", 300_000],
  ["24h", 86_400_000],
  ["0s", 0],
])("%s is %d ms", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

it.each(["", "5", "s", "-5s", "5 m", "5m", "1e3s", "5s ", "5sec", ".5s"])("%j is no duration", (text) => {
  expect(durationMs(text)).toBeNaN();
});
