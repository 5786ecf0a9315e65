import { bucketMs, flowKeys, msPerHour, type EnergyBucket, type FlowKey } from "./flow.ts";

/**
 * What stands in for time that is not covered: nothing; the mean power of the quarter of an hour before it; or a straight line
 * from there to the quarter of an hour behind it. What is missing of a quarter of an hour that is partly known has the mean
 * power of the part that is known.
 */
export const fillMethods = ["none", "hold", "linear"] as const;
export type FillMethod = (typeof fillMethods)[number];

export interface Filling {
  readonly method: FillMethod;
  /** A gap of more than this stays a gap, ms. */
  readonly longestMs: number;
}

export const noFilling: Filling = { method: "none", longestMs: 0 };

/** Energy that was put in for time that is not covered; it is never part of what was counted. */
export interface Filled {
  readonly wattHours: number;
  readonly filledMs: number;
}

export type FilledFlows = Readonly<Partial<Record<FlowKey, Filled>>>;

/** A quarter of an hour that is known for less than this tells too little of its power, ms. */
const leastKnownMs = 60_000;

/** One flow in one quarter of an hour. */
interface Cell {
  readonly at: number;
  readonly missingMs: number;
  /** W; absent where it is not known well enough. */
  readonly meanWatts: number | undefined;
}

/**
 * What is put in for gaps, by start of the quarter of an hour; `buckets` are in time order. A gap ends where readings come back:
 * what is missing before the first and behind the last of them is none.
 */
export function fillGaps(buckets: readonly EnergyBucket[], { method, longestMs }: Filling): ReadonlyMap<number, FilledFlows> {
  const filled = new Map<number, Partial<Record<FlowKey, Filled>>>();
  if (method === "none") return filled;
  for (const key of flowKeys)
    for (const { gap, before, after } of gapsOf(buckets, key)) {
      if (gap.reduce((sum, { missingMs }) => sum + missingMs, 0) > longestMs) continue;
      for (const [index, { at, missingMs, meanWatts }] of gap.entries()) {
        const share = method === "hold" ? 0 : (index + 1) / (gap.length + 1);
        const watts = meanWatts ?? before + (after - before) * share;
        const flows = filled.get(at) ?? {};
        flows[key] = { wattHours: (watts * missingMs) / msPerHour, filledMs: missingMs };
        filled.set(at, flows);
      }
    }
  return filled;
}

interface Gap {
  readonly gap: readonly Cell[];
  /** W around it. */
  readonly before: number;
  readonly after: number;
}

/** Quarters of an hour of which some part is missing, together as far as nothing is known between them. */
function* gapsOf(buckets: readonly EnergyBucket[], key: FlowKey): Generator<Gap> {
  const cells = cellsOf(buckets, key);
  let gap: Cell[] = [];
  let before: number | undefined;
  for (const [index, cell] of cells.entries()) {
    const { missingMs, meanWatts } = cell;
    const isInside = index > 0 && index < cells.length - 1;
    if (missingMs > 0 && isInside) gap.push(cell);
    if (meanWatts === undefined) continue;
    const isPartOfGap = gap.at(-1) === cell;
    const goesOn = isPartOfGap && gap.length === 1 && cells[index + 1]?.meanWatts === undefined && index + 1 < cells.length;
    if (!goesOn) {
      if (gap.length > 0) yield { gap, before: gap[0]?.meanWatts ?? before ?? meanWatts, after: meanWatts };
      gap = [];
    }
    before = meanWatts;
  }
}

/** One flow without holes, from the first quarter of an hour in which it is known to the last. */
function cellsOf(buckets: readonly EnergyBucket[], key: FlowKey): Cell[] {
  const cells: Cell[] = [];
  for (const { at, flows } of buckets) {
    const flow = flows[key];
    if (flow === undefined) continue;
    for (let next = (cells.at(-1)?.at ?? at - bucketMs) + bucketMs; next < at; next += bucketMs)
      cells.push({ at: next, missingMs: bucketMs, meanWatts: undefined });
    const { wattHours, coveredMs } = flow;
    const meanWatts = coveredMs < leastKnownMs ? undefined : (wattHours * msPerHour) / coveredMs;
    cells.push({ at, missingMs: bucketMs - coveredMs, meanWatts });
  }
  return cells;
}
