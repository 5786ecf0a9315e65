import { describe, expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

const epoch = Date.UTC(2026, 0, 1);
const { signal } = new AbortController();

describe("VirtualClock", () => {
  it("jumps to the earliest deadline and keeps now and monotonic together", async () => {
    const clock = new VirtualClock(epoch);
    expect([clock.now(), clock.monotonic()]).toEqual([epoch, 0]);
    await clock.sleep(86_400_000, { signal });
    expect([clock.now(), clock.monotonic()]).toEqual([epoch + 86_400_000, 86_400_000]);
  });

  it("wakes by deadline, equal deadlines in the order of their sleeps", async () => {
    const clock = new VirtualClock(epoch);
    const woken: string[] = [];
    const sleeper = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms, { signal });
      woken.push(`${name}@${clock.monotonic()}`);
    };
    await Promise.all([sleeper("c", 20), sleeper("a", 10), sleeper("d", 20), sleeper("b", 10), sleeper("e", 30)]);
    expect(woken).toEqual(["a@10", "b@10", "c@20", "d@20", "e@30"]);
  });

  it("lets everything that follows from one waking settle before time moves on", async () => {
    const clock = new VirtualClock(epoch);
    const seen: number[] = [];
    const chain = async (): Promise<void> => {
      await clock.sleep(10, { signal });
      for (let step = 0; step < 50; step += 1) await Promise.resolve();
      seen.push(clock.monotonic());
    };
    await Promise.all([chain(), clock.sleep(11, { signal })]);
    expect(seen).toEqual([10]);
  });

  it("sleep(0) gives way once and costs no time", async () => {
    const clock = new VirtualClock(epoch);
    const seen: string[] = [];
    const other = clock.sleep(0, { signal }).then(() => seen.push("other"));
    await clock.sleep(0, { signal });
    seen.push("self");
    await other;
    expect(seen).toEqual(["other", "self"]);
    expect(clock.monotonic()).toBe(0);
  });

  it("makes time pass for a loop that only gives way, when told what a turn costs", async () => {
    const clock = new VirtualClock(epoch, { turnMs: 0.5 });
    let turns = 0;
    while (clock.monotonic() < 10) {
      await clock.sleep(0, { signal });
      turns += 1;
    }
    expect(turns).toBe(20);
  });

  it("checks the signal first and rejects sleepers with the reason itself", async () => {
    const clock = new VirtualClock(epoch);
    const reason = new Error("enough");
    const controller = new AbortController();
    const sleepers = [clock.sleep(5, controller), clock.sleep(500, controller), clock.sleep(600, controller)];
    await sleepers[0];
    controller.abort(reason);
    const settled = await Promise.allSettled(sleepers);
    expect(settled.map((one) => (one.status === "rejected" ? one.reason : one.status))).toEqual(["fulfilled", reason, reason]);
    await expect(clock.sleep(0, controller)).rejects.toBe(reason);
    expect(clock.monotonic()).toBe(5);
    await clock.sleep(1, { signal });
    expect(clock.monotonic()).toBe(6);
  });

  it("never jumps to the end of time for a sleep without end", async () => {
    const clock = new VirtualClock(epoch);
    const controller = new AbortController();
    const forever = clock.sleep(Number.POSITIVE_INFINITY, controller);
    await clock.sleep(1000, { signal });
    expect(clock.monotonic()).toBe(1000);
    controller.abort(new Error("woken"));
    await expect(forever).rejects.toThrow("woken");
  });

  it("keeps its order through many interleaved sleeps", async () => {
    const clock = new VirtualClock(epoch);
    const run = async (): Promise<string> => {
      let trace = "";
      const start = clock.monotonic();
      await Promise.all(
        [3, 5, 7, 11].map(async (period) => {
          for (let n = 0; n < 40; n += 1) {
            await clock.sleep(period, { signal });
            trace += `${period}:${clock.monotonic() - start} `;
          }
        }),
      );
      return trace;
    };
    expect(await run()).toBe(await run());
  });
});
