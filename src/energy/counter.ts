import { StoreError } from "../model/errors.ts";
import type { TimeRange } from "../model/history.ts";
import { byFlow, flowKeys, type EnergyBucket, type FlowEnergies, type FlowKey } from "./flow.ts";
import { bucketsOf, freshIntegrator, integrate, within, type IntegrateOptions, type IntegratorState } from "./integrate.ts";
import type { Answer } from "./powers.ts";
import { freshSampler, takeAnswer, type Sample, type SamplerOptions, type SamplerState } from "./sampler.ts";

export type CountOptions = IntegrateOptions & SamplerOptions;

/** Wh of each flow since counting began; they only ever grow. A flow that was never known is missing. */
export type Counters = Readonly<Partial<Record<FlowKey, number>>>;

/** The account of one unit. */
export interface UnitAccount {
  readonly sampler: SamplerState;
  readonly integrator: IntegratorState;
  readonly counters: Counters;
}

/** All accounts; plain data that is kept over restarts (`JSON.stringify`, `parseLedger`). */
export interface Ledger {
  readonly form: 1;
  readonly units: Readonly<Record<string, UnitAccount>>;
  /** All units together, each counted once; a unit that is taken away leaves here what it has brought. */
  readonly total: Counters;
}

export const emptyLedger: Ledger = { form: 1, units: {}, total: {} };

const emptyAccount: UnitAccount = { sampler: freshSampler, integrator: freshIntegrator, counters: {} };

export interface Counted {
  readonly ledger: Ledger;
  /** The unit's quarters of an hour that are over. */
  readonly finished: readonly EnergyBucket[];
}

/**
 * Counts one answer of a unit. After a restart the answers since the ledger was kept are given again, in time order; those
 * that are counted already change nothing, so it does not matter how many of them come twice.
 */
export function countAnswer(ledger: Ledger, unit: string, answer: Answer, options: CountOptions): Counted {
  const account = ledger.units[unit] ?? emptyAccount;
  const known = account.sampler.answers[answer.command];
  if (known !== undefined && answer.at <= known.at) return { ledger, finished: [] };
  const { state: sampler, sample } = takeAnswer(account.sampler, answer, options);
  if (sample === undefined)
    return { ledger: sampler === account.sampler ? ledger : withAccount(ledger, unit, { ...account, sampler }), finished: [] };
  const { state: integrator, finished, added } = integrate(account.integrator, sample, options);
  const grown = withAccount(ledger, unit, { sampler, integrator, counters: grow(account.counters, added) });
  return { ledger: { ...grown, total: grow(ledger.total, added) }, finished };
}

/** How far outside a range answers have to be known for its quarters of an hour to be counted as they were live. */
export function lookAroundMs({ holdMs, freshMs }: CountOptions): number {
  return holdMs + freshMs;
}

/** Counts the quarters of an hour of a range anew, from the unit's kept answers in time order from `lookAroundMs` before it to as much behind it. */
export function recount(answers: Iterable<Answer>, range: TimeRange, options: CountOptions): EnergyBucket[] {
  return within(bucketsOf(samplesOf(answers, options), options), range);
}

/** The powers of one unit over time. */
export function* samplesOf(answers: Iterable<Answer>, options: SamplerOptions): Generator<Sample> {
  let state = freshSampler;
  for (const answer of answers) {
    const taken = takeAnswer(state, answer, options);
    state = taken.state;
    if (taken.sample !== undefined) yield taken.sample;
  }
}

/** A ledger whose file is lost, from the quarters of an hour of each unit that are kept. */
export function rebuildLedger(buckets: Iterable<readonly [unit: string, buckets: Iterable<EnergyBucket>]>): Ledger {
  const units: Record<string, UnitAccount> = {};
  let total: Counters = {};
  for (const [unit, all] of buckets) {
    let counters: Counters = {};
    for (const { flows } of all) counters = grow(counters, flows);
    units[unit] = { ...emptyAccount, counters };
    total = sumOfCounters(total, counters);
  }
  return { form: 1, units, total };
}

/** A kept ledger. Throws StoreError for what is none. */
export function parseLedger(text: string): Ledger {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new StoreError("store-damaged", "Energy counters: expected JSON", { cause });
  }
  if (!isRecord(value) || value["form"] !== 1 || !isRecord(value["units"]) || !isCounters(value["total"]))
    throw new StoreError("store-damaged", "Energy counters: expected a ledger of form 1");
  for (const [unit, account] of Object.entries(value["units"]))
    if (
      !isRecord(account) ||
      !isCounters(account["counters"]) ||
      !isRecord(account["integrator"]) ||
      !isRecord(account["sampler"]) ||
      !isRecord(account["sampler"]["answers"])
    )
      throw new StoreError("store-damaged", `Energy counters: expected the account of ${unit}`);
  return value as unknown as Ledger;
}

function withAccount(ledger: Ledger, unit: string, account: UnitAccount): Ledger {
  return { ...ledger, units: { ...ledger.units, [unit]: account } };
}

function grow(counters: Counters, added: FlowEnergies): Counters {
  return sumOfCounters(
    counters,
    byFlow((key) => added[key]?.wattHours),
  );
}

function sumOfCounters(one: Counters, other: Counters): Counters {
  return byFlow((key) => {
    const [a, b] = [one[key], other[key]];
    return a === undefined ? b : a + (b ?? 0);
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounters(value: unknown): value is Counters {
  return (
    isRecord(value) &&
    Object.entries(value).every(
      ([key, wattHours]) => (flowKeys as readonly string[]).includes(key) && typeof wattHours === "number" && wattHours >= 0,
    )
  );
}
