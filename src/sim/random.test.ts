import { describe, expect, it } from "vitest";
import { Random, Wander } from "./random.ts";

const draw = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.next());

describe("Random", () => {
  it("repeats itself for the same seed and stream, and only then", () => {
    const sequence = draw(new Random(1, "a"), 100);
    expect(draw(new Random(1, "a"), 100)).toEqual(sequence);
    expect(draw(new Random(2, "a"), 100)).not.toEqual(sequence);
    expect(draw(new Random(1, "b"), 100)).not.toEqual(sequence);
  });

  it("is even over 0 to 1 and never 1", () => {
    const bins = Array.from({ length: 10 }, () => 0);
    for (const value of draw(new Random(7, "even"), 100_000)) bins[Math.floor(value * 10)]! += 1;
    expect(bins).toHaveLength(10);
    for (const bin of bins) expect(Math.abs(bin - 10_000)).toBeLessThan(400);
  });

  it("gives whole numbers of every value below the bound", () => {
    const random = new Random(3, "whole");
    expect(new Set(Array.from({ length: 500 }, () => random.integer(8))).size).toBe(8);
  });
});

describe("Wander", () => {
  it("has deviation 1 about 0 whatever the step, and remembers for as long as told", () => {
    for (const step of [10, 200]) {
      const wander = new Wander(new Random(5, "wander"), 100);
      const values = Array.from({ length: 100_000 }, () => wander.step(step));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      const next = values.reduce((sum, value, index) => sum + value * (values[index + 1] ?? 0), 0) / values.length;
      expect(Math.abs(mean)).toBeLessThan(0.05);
      expect(Math.abs(square - 1)).toBeLessThan(0.06);
      expect(Math.abs(next - Math.exp(-step / 100))).toBeLessThan(0.06);
    }
  });
});
