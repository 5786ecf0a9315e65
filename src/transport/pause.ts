import { setTimeout as sleep } from "node:timers/promises";

/** Waits `ms` milliseconds; rejects with the signal's own reason, where Node's timer would wrap it. */
export async function pause(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
