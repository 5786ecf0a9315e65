import { describe, expect, test } from "vitest";
import { pollWired, type Behave } from "../support/wired.ts";

const byteMs = 10_000 / 2400;

/** Every seventh answer is preceded by the one before it, and follows only `gapMs` later; a unit answers in order. */
function staleFirst(gapMs: number, latencyMs: number): Behave & { readonly injected: () => number } {
  let freeAt = 0;
  let injected = 0;
  let before: Uint8Array | undefined;
  const behave: Behave = ({ command, index, reply, at }) => {
    const delayMs = Math.max(0, freeAt - at) + latencyMs;
    if (command !== "QPIGS") return [{ bytes: reply, delayMs }];
    const old = index % 7 === 6 ? before : undefined;
    before = reply;
    if (old === undefined) return [{ bytes: reply, delayMs }];
    injected += 1;
    const trueAfterMs = delayMs + old.length * byteMs + gapMs;
    freeAt = at + trueAfterMs;
    return [
      { bytes: old, delayMs },
      { bytes: reply, delayMs: trueAfterMs },
    ];
  };
  return Object.assign(behave, { injected: () => injected });
}

describe("an older reply that comes first, with the true one only after a gap", () => {
  test.each([
    [0, 0],
    [20, 0],
    [50, 0],
    [100, 0],
    [200, 0],
    [600, 0],
    [20, 100],
    [50, 100],
    [200, 100],
  ])("%i ms on a paced line, from a unit that thinks for %i ms", async (gapMs, latencyMs) => {
    const unit = staleFirst(gapMs, latencyMs);
    const { published } = await pollWired(unit, { forMs: 300_000 });
    expect(unit.injected()).toBeGreaterThan(30);
    expect(published.filter(({ stale }) => stale)).toEqual([]);
    const indexes = published.map(({ index }) => index);
    expect(indexes).toEqual([...new Set(indexes)].sort((one, other) => one - other));
    // Of seven answers one is disturbed, and at most one more is lost with it.
    expect(published.length).toBeGreaterThan(unit.injected() * 4.5);
  });

  test.each([5, 20, 60, 90])("%i ms, and nothing else is asked in between", async (gapMs) => {
    const unit = staleFirst(gapMs, 0);
    const { published } = await pollWired(unit, { everyMs: 5000, forMs: 600_000 });
    expect(unit.injected()).toBeGreaterThan(12);
    expect(published.filter(({ stale }) => stale)).toEqual([]);
    expect(published.length).toBeGreaterThan(110);
  });

  test("several commands in turn fill a line whose speed must be found out first", async () => {
    const commands = ["QPIGS", "QMOD", "QPIWS"];
    const { asked } = await pollWired(({ reply }) => reply, { commands, forMs: 300_000 });
    const cycleMs = (8 + 110 + 7 + 5 + 8 + 36) * byteMs;
    for (const command of commands) expect(asked[command]).toBeGreaterThan((300_000 / cycleMs) * 0.98);
  });

  test("costs a value its release until the next answer, and the line nothing", async () => {
    const { published, asked } = await pollWired(({ reply }) => reply, { forMs: 120_000 });
    expect(asked["QPIGS"]).toBeGreaterThan(242);
    expect(Math.max(...published.map(({ releasedAt, at }) => releasedAt - at))).toBeLessThan(530);
  });
});
