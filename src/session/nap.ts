import type { Clock } from "./clock.ts";

/** A sleep that can be cut short. */
export class Nap {
  readonly #clock: Clock;
  #controller: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the sleep under way; without one, nothing happens. */
  wake(): void {
    this.#controller?.abort();
  }

  /** Resolves after `ms`, or sooner when woken. Rejects with the signal's reason. */
  async sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    const controller = new AbortController();
    this.#controller = controller;
    const onAbort = (): void => controller.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#clock.sleep(ms, { signal: controller.signal });
    } catch (error) {
      if (signal.aborted || !controller.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#controller = undefined;
    }
  }
}
