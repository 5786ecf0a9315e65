import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "./system-clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const fortyDays = 40 * 86_400_000;

it("sleeps for longer than a timer of the platform can", async () => {
  let isAwake = false;
  const sleeping = systemClock.sleep(fortyDays, { signal: new AbortController().signal }).then(() => (isAwake = true));
  await vi.advanceTimersByTimeAsync(fortyDays - 1);
  expect(isAwake).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await sleeping;
});

it("can be woken from it, and leaves no timer behind", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(fortyDays, { signal: stop.signal });
  await vi.advanceTimersByTimeAsync(30 * 86_400_000);
  const reason = new Error("the end");
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  expect(vi.getTimerCount()).toBe(0);
});
