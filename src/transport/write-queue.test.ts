import { describe, expect, it } from "vitest";
import { WriteQueue } from "./write-queue.ts";

const never = new AbortController().signal;

/** A job that tells when it starts and ends when told to. */
function hangingJob() {
  let start!: () => void;
  let finish!: () => void;
  const started = new Promise<void>((resolve) => (start = resolve));
  const ended = new Promise<void>((resolve) => (finish = resolve));
  const job = (): Promise<void> => {
    start();
    return ended;
  };
  return { job, started, finish };
}

describe("WriteQueue", () => {
  it("starts a job only when the one before has ended, also when that one failed", async () => {
    const queue = new WriteQueue();
    const order: string[] = [];
    const first = hangingJob();
    const one = queue.run(
      async () => {
        order.push("one starts");
        await first.job();
        order.push("one fails");
        throw new Error("one");
      },
      { signal: never },
    );
    const two = queue.run(async () => void order.push("two"), { signal: never });
    first.finish();
    await expect(one).rejects.toThrow("one");
    await two;
    expect(order).toEqual(["one starts", "one fails", "two"]);
  });

  it("lets the caller go when the signal fires, yet never starts the next job under the hanging one", async () => {
    const queue = new WriteQueue();
    const hanging = hangingJob();
    const controller = new AbortController();
    const reason = new Error("too slow");
    const one = queue.run(hanging.job, { signal: controller.signal });
    await hanging.started;
    controller.abort(reason);
    await expect(one).rejects.toBe(reason);
    let started = false;
    const two = queue.run(async () => void (started = true), { signal: never });
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toBe(false);
    hanging.finish();
    await two;
    expect(started).toBe(true);
  });

  it("does not run a job whose signal fired while it was waiting", async () => {
    const queue = new WriteQueue();
    const hanging = hangingJob();
    const controller = new AbortController();
    const one = queue.run(hanging.job, { signal: never });
    let started = false;
    const two = queue.run(async () => void (started = true), { signal: controller.signal });
    controller.abort();
    await expect(two).rejects.toBe(controller.signal.reason);
    hanging.finish();
    await one;
    await queue.run(async () => undefined, { signal: never });
    expect(started).toBe(false);
  });

  it("rejects all waiters when it is closed", async () => {
    const queue = new WriteQueue();
    const hanging = hangingJob();
    const waiters = [queue.run(hanging.job, { signal: never }), queue.run(async () => undefined, { signal: never })];
    const reason = new Error("closed");
    queue.close(reason);
    for (const waiter of waiters) await expect(waiter).rejects.toBe(reason);
    hanging.finish();
  });
});
