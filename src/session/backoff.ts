/** Growing pauses with a little jitter, so that many sites do not knock at once. Milliseconds, without end. */
export function* backoff(firstMs: number, maxMs: number, random: () => number): Generator<number, never> {
  for (let pauseMs = firstMs; ; pauseMs = Math.min(maxMs, pauseMs * 2)) yield pauseMs * (0.9 + 0.2 * random());
}
