import type { SeriesInfo } from "../model/history.ts";
import { isParallelUnit } from "../model/pv-total.ts";
import type { Value, Values } from "../model/reading.ts";
import type { FlowPowers } from "./flow.ts";
import { powerNames, powersOf, type Answer } from "./powers.ts";

/** The powers of one unit at one moment. */
export interface Sample {
  /** UTC epoch milliseconds. */
  readonly at: number;
  readonly powers: FlowPowers;
}

export interface SamplerOptions {
  /** Milliseconds after which an answer is no longer of the same moment as another. */
  readonly freshMs: number;
  /**
   * Names of `powerNames` that the unit is known to tell (`knownNames`), besides those that it has told in the day before: while one is
   * missing, what it belongs to is unknown. Counting hours anew from the answers around them needs it to come to the same.
   */
  readonly known?: ReadonlySet<string>;
}

/** The latest answers of one unit by command, as far as powers are made of them; plain data, to be kept over a restart. */
export interface SamplerState {
  readonly answers: Readonly<Record<string, Answer>>;
}

export const freshSampler: SamplerState = { answers: {} };

/** A unit that has not told something for so long has ceased to: it is another one, or its firmware is. */
const rememberedMs = 86_400_000;

/** The answer that tells load and battery sets the pace: of a unit's own `QPIGS`, of a record of it `QPGSn`. */
const paceName = "loadActivePower";

/**
 * Takes one answer of a unit, or a record of it that another unit gave, in time order. A sample comes with each answer that sets
 * the pace. While the unit's own answers are fresh, records of it do not count: nothing is counted twice.
 */
export function takeAnswer(
  state: SamplerState,
  answer: Answer,
  { freshMs, known }: SamplerOptions,
): { readonly state: SamplerState; readonly sample?: Sample } {
  const kept = used(answer.values);
  if (kept === undefined || isOfNobody(answer.values)) return { state };
  const { at, command, origins } = answer;
  const newest: Answer = { at, command, values: kept, ...(origins && { origins }) };
  const others = Object.values(state.answers).filter((each) => each.command !== command && at - each.at <= rememberedMs);
  const next = { answers: Object.fromEntries([...others, newest].map((each) => [each.command, each])) };
  if (!(paceName in kept)) return { state: next };
  const isRecord = isParallelUnit(newest);
  const fresh = others.filter((each) => at - each.at <= freshMs);
  if (isRecord && fresh.some((each) => !isParallelUnit(each) && paceName in each.values)) return { state: next };
  const same = fresh.filter((each) => isParallelUnit(each) === isRecord).sort((a, b) => b.at - a.at);
  const isTold = (name: string): boolean =>
    !isRecord && (known?.has(name) === true || others.some((each) => !isParallelUnit(each) && Object.hasOwn(each.values, name)));
  return { state: next, sample: { at, powers: powersOf([newest, ...same], isTold) } };
}

/** What the kept series of a unit's own answers say that it tells. */
export function knownNames(series: readonly SeriesInfo[]): ReadonlySet<string> {
  const records = new Set(series.filter(({ name }) => name === "unitExists").map(({ command }) => command));
  return new Set(series.filter(({ command, name }) => powerNames.has(name) && !records.has(command)).map(({ name }) => name));
}

/** Absent where there is nothing in it. */
function used(values: Values): Values | undefined {
  let kept: Record<string, Value> | undefined;
  for (const [name, value] of Object.entries(values)) if (powerNames.has(name)) (kept ??= {})[name] = value;
  return kept;
}

/** The record of a unit that is not there. A single unit says "no" of itself too, but with its serial number. */
function isOfNobody({ unitExists, serialNumber }: Values): boolean {
  return unitExists === false && !(typeof serialNumber === "string" && /[^0]/.test(serialNumber));
}
