import type { TimeRange } from "../model/history.ts";
import type { Origin } from "../model/reading.ts";
import { bucketMs, byFlow, flowKeys, msPerHour, worstOrigin, type EnergyBucket, type FlowEnergies, type FlowKey } from "./flow.ts";
import type { Sample } from "./sampler.ts";

export interface IntegrateOptions {
  /** Two samples that lie further apart leave a gap between them: missing coverage, no energy. */
  readonly holdMs: number;
}

export const usualHoldMs = 120_000;

/** One flow's sum, in watt-milliseconds so that whole watts and milliseconds add up without rounding. */
interface FlowSum {
  readonly wattMs: number;
  readonly coveredMs: number;
  readonly origin: Origin;
}

type FlowSums = Readonly<Partial<Record<FlowKey, FlowSum>>>;

/** Where the count stands; plain data, to be kept over a restart. */
export interface IntegratorState {
  readonly last?: Sample;
  /** The quarter of an hour in which `last` lies, as far as it is counted. */
  readonly open?: { readonly at: number; readonly sums: FlowSums };
}

export const freshIntegrator: IntegratorState = {};

export interface Step {
  readonly state: IntegratorState;
  /** Quarters of an hour that are over, oldest first; one in which nothing was known is not there. */
  readonly finished: readonly EnergyBucket[];
  /** Energy since the sample before. */
  readonly added: FlowEnergies;
}

/**
 * Counts the energy between the last sample and this one: power is taken to change evenly between them (trapezoid), and what
 * crosses the edge of a quarter of an hour is split there. A flow that one of the two does not know is not counted. A
 * sample that is not later than the last one changes nothing, so that counting anew from kept readings gives the same.
 */
export function integrate(state: IntegratorState, sample: Sample, { holdMs }: IntegrateOptions): Step {
  const { last } = state;
  if (last !== undefined && sample.at <= last.at) return { state, finished: [], added: {} };
  const finished: EnergyBucket[] = [];
  let added: FlowSums = {};
  let open = state.open;
  const turnTo = (at: number): void => {
    if (open?.at === at) return;
    if (open !== undefined && Object.keys(open.sums).length > 0) finished.push(bucketOf(open));
    open = { at, sums: {} };
  };
  if (last !== undefined && sample.at - last.at <= holdMs)
    for (let from = last.at; from < sample.at;) {
      const at = bucketStart(from);
      const to = Math.min(sample.at, at + bucketMs);
      turnTo(at);
      const piece = pieceOf(last, sample, from, to);
      open = { at, sums: plus(open?.sums ?? {}, piece) };
      added = plus(added, piece);
      from = to;
    }
  turnTo(bucketStart(sample.at));
  return { state: { last: sample, ...(open !== undefined && { open }) }, finished, added: energiesOf(added) };
}

/** The quarter of an hour that is going on, as far as it is counted. */
export function openBucket({ open }: IntegratorState): EnergyBucket | undefined {
  return open === undefined || Object.keys(open.sums).length === 0 ? undefined : bucketOf(open);
}

/** All quarters of an hour of these samples, which are in time order, the last one as far as it goes. */
export function bucketsOf(samples: Iterable<Sample>, options: IntegrateOptions): EnergyBucket[] {
  const buckets: EnergyBucket[] = [];
  let state = freshIntegrator;
  for (const sample of samples) {
    const step = integrate(state, sample, options);
    state = step.state;
    buckets.push(...step.finished);
  }
  const rest = openBucket(state);
  return rest === undefined ? buckets : [...buckets, rest];
}

export function bucketStart(at: number): number {
  return Math.floor(at / bucketMs) * bucketMs;
}

/** Buckets that begin in the range. */
export function within<B extends { readonly at: number }>(buckets: readonly B[], { from, to }: TimeRange): B[] {
  return buckets.filter(({ at }) => at >= from && at < to);
}

/** `from` and `to` lie between the samples. */
function pieceOf(before: Sample, after: Sample, from: number, to: number): FlowSums {
  const span = after.at - before.at;
  return byFlow((key) => {
    const [one, two] = [before.powers[key], after.powers[key]];
    if (one === undefined || two === undefined) return undefined;
    const slope = (two.watts - one.watts) / span;
    // At the samples themselves their own figures, so that nothing is rounded where nothing is split.
    const at = (time: number): number => (time === after.at ? two.watts : one.watts + slope * (time - before.at));
    const wattMs = Math.max(0, ((at(from) + at(to)) / 2) * (to - from));
    return { wattMs, coveredMs: to - from, origin: worstOrigin(one.origin, two.origin) };
  });
}

function plus(one: FlowSums, other: FlowSums): FlowSums {
  if (flowKeys.every((key) => one[key] === undefined)) return other;
  return byFlow((key) => {
    const [a, b] = [one[key], other[key]];
    if (a === undefined || b === undefined) return a ?? b;
    return { wattMs: a.wattMs + b.wattMs, coveredMs: a.coveredMs + b.coveredMs, origin: worstOrigin(a.origin, b.origin) };
  });
}

function bucketOf({ at, sums }: { readonly at: number; readonly sums: FlowSums }): EnergyBucket {
  return { at, flows: energiesOf(sums) };
}

function energiesOf(sums: FlowSums): FlowEnergies {
  return byFlow((key) => {
    const sum = sums[key];
    return sum && { wattHours: sum.wattMs / msPerHour, coveredMs: sum.coveredMs, origin: sum.origin };
  });
}
