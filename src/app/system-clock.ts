import type { Clock } from "../session/clock.ts";

/** The longest time that a timer of the platform can be set to; a longer one would go off at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, { signal }) {
    if (signal.aborted) return Promise.reject(asError(signal.reason));
    if (ms <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(asError(signal.reason));
      };
      const wait = (leftMs: number): NodeJS.Timeout =>
        setTimeout(
          () => {
            if (leftMs > longestTimerMs) {
              timer = wait(leftMs - longestTimerMs);
              return;
            }
            signal.removeEventListener("abort", onAbort);
            resolve();
          },
          Math.min(leftMs, longestTimerMs),
        );
      let timer = wait(ms);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  },
};

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
