import { describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { Nap } from "./nap.ts";

const never = new AbortController().signal;

describe("a nap", () => {
  test("lasts as long as it was meant to, or until it is ended", async () => {
    const clock = new VirtualClock(0);
    const nap = new Nap(clock);
    nap.wake();
    await nap.sleep(100, { signal: never });
    expect(clock.monotonic()).toBe(100);
    const napping = nap.sleep(100, { signal: never });
    await clock.sleep(30, { signal: never });
    nap.wake();
    await napping;
    expect(clock.monotonic()).toBe(130);
  });

  test("ends with the reason of its signal, before or while it lasts", async () => {
    const nap = new Nap(new VirtualClock(0));
    const stop = new AbortController();
    const napping = failureOf(nap.sleep(100, { signal: stop.signal }));
    stop.abort(new RangeError("over"));
    expect(await napping).toEqual(new RangeError("over"));
    expect(await failureOf(nap.sleep(100, { signal: stop.signal }))).toEqual(new RangeError("over"));
  });
});
