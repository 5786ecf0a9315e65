/**
 * Which accepted lines of a log are old. A logger that waits 30 s and then asks needs half a second for the answer; where
 * another program asks the same inverter, every answer comes to both, so the logger finds one that is waiting already: its
 * lines follow each other half a second sooner, and what they say is minutes old. Before long the kernel's queue is full,
 * answers are run together, and that is the proof; from the first line that came too soon before it, every line that comes
 * too soon is old. A log without such a line has no old ones.
 */

/** A waiting answer is there at once; the true one takes about half a second. */
const soonerMs = 250;
/** The queue of a log that begins in the middle is full within so many lines. */
const queueLines = 64;

export interface TimedLine {
  /** UTC epoch milliseconds. */
  readonly at: number;
  readonly isGlued: boolean;
}

/** For each line, in order, whether it is old. */
export function staleLines(lines: readonly TimedLine[]): boolean[] {
  const firstGlued = lines.findIndex(({ isGlued }) => isGlued);
  if (firstGlued < 0) return lines.map(() => false);
  const steps = lines.map(({ at }, index) => at - (lines[index - 1]?.at ?? Number.NaN));
  const usual = usualStep(steps.slice(1, firstGlued));
  const isSoon = steps.map((step) => usual === undefined || usual - step > soonerMs);
  let from = firstGlued;
  while (from > 0 && isSoon[from - 1] === true) from--;
  // Every line before came as soon: the other program was there already when the log began.
  if (usual !== undefined && firstGlued < queueLines && steps.slice(1, firstGlued).every((step) => usual - step <= soonerMs)) from = 0;
  return lines.map((_, index) => index >= from && (isSoon[index] === true || from === 0));
}

/** The longest step that is common: what an answer takes that has to be waited for. */
function usualStep(steps: readonly number[]): number | undefined {
  if (steps.length === 0) return undefined;
  const sorted = steps.toSorted((a, b) => a - b);
  const shortest = sorted[0] ?? 0;
  // A gap is no step of the logger's.
  const regular = sorted.filter((step) => step < 1.1 * shortest + soonerMs);
  return regular[Math.floor(regular.length * 0.98)];
}
