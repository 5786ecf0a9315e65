/** Time as the session sees it; injected, so that tests run on a virtual clock. */
export interface Clock {
  /** UTC epoch milliseconds; for stamps, may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; for durations, never jumps. */
  monotonic(): number;
  /** Resolves after at least `ms`; 0 gives way to pending I/O once. Rejects with the signal's reason. */
  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void>;
}
