const unitMs = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 } as const;

/** A number with its unit, e.g. `500ms`, `5s`, `1.5min`, `1h`. */
export const durationPattern = /^\d+(?:\.\d+)?\s?(?:ms|s|min|h)$/;

/** Milliseconds of a text that fits `durationPattern`; NaN for any other. */
export function durationMs(text: string): number {
  if (!durationPattern.test(text)) return Number.NaN;
  const number = Number.parseFloat(text);
  const unit = text.replace(/^[\d.\s]+/, "") as keyof typeof unitMs;
  return Math.round(number * unitMs[unit]);
}
