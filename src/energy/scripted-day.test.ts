import { beforeAll, describe, expect, test } from "vitest";
import { day, gap, local, minuteMs, scriptedDay, told, unitNames, wattHours, type Told } from "../../test/support/scripted-day.ts";
import type { EnergyAccount } from "../sim/inverter.ts";
import { balanceOf } from "./balance.ts";
import { countAnswer, emptyLedger, parseLedger, recount, type CountOptions, type Counters, type Ledger } from "./counter.ts";
import { flowKeys, type EnergyBucket, type FlowKey } from "./flow.ts";
import { noFilling, type Filling } from "./gaps.ts";
import { openBucket } from "./integrate.ts";
import type { Answer } from "./powers.ts";
import { sumByPeriod, sumOfUnits, type PeriodEnergy } from "./sums.ts";

/* The scripted day as the accountant sees it; beside it what the simulated inverters know of themselves. */

const pollMs = 5_000;
const options: CountOptions = { holdMs: 120_000, freshMs: 60_000, known: new Set(["pv1Power", "pv2Power"]) };

interface Day {
  readonly rows: readonly { readonly unit: string; readonly answer: Answer }[];
  readonly ledger: Ledger;
  readonly buckets: Readonly<Record<string, readonly EnergyBucket[]>>;
  /** Each published total, in order. */
  readonly published: readonly Counters[];
  readonly kills: number;
  /** Wh of both units over the day, and in the time that nobody read. */
  readonly truth: Readonly<Record<Told, number>>;
  readonly unseen: Readonly<Record<Told, number>>;
}

function live(): Day {
  const { inverter, downs, ask } = scriptedDay([6, 15]);
  const rows: Day["rows"][number][] = [];
  const buckets: Record<string, EnergyBucket[]> = { one: [], two: [] };
  const published: Counters[] = [];
  let ledger = emptyLedger;
  const take = (row: Day["rows"][number]): void => {
    const counted = countAnswer(ledger, row.unit, row.answer, options);
    ledger = counted.ledger;
    for (const bucket of counted.finished) if (buckets[row.unit]!.every(({ at }) => at !== bucket.at)) buckets[row.unit]!.push(bucket);
  };
  /** The file of the counters, which is behind what was counted, and how many rows were kept when it was written. */
  let file = { text: JSON.stringify(ledger), rows: 0 };
  let wasDown = false;
  let kills = 0;
  let seen: EnergyAccount | undefined;
  const unseen = { pv: 0, load: 0, gridImport: 0, batteryCharge: 0, batteryDischarge: 0 };
  const edges: EnergyAccount[] = [];
  for (let at = day.from - 5 * minuteMs; at < day.to + 5 * minuteMs; at += pollMs) {
    if (at >= day.from && edges.length === 0) edges.push(accountAt(day.from));
    if (at >= day.to && edges.length === 1) edges.push(accountAt(day.to));
    const isDown = downs.some(({ from, to }) => at >= from && at < to);
    if (isDown && !wasDown) {
      // Killed: what is left is the counters' file and the rows, of which some are counted already.
      kills += 1;
      ledger = parseLedger(file.text);
      for (const row of rows.slice(Math.max(0, file.rows - 7))) take(row);
    }
    wasDown = isDown;
    if (isDown || (at >= gap.from && at < gap.to)) continue;
    for (const [index, unit] of unitNames.entries())
      for (const [wait, command] of [
        [0, "QPIGS"],
        [600, "QPIGS2"],
        [900, "QMOD"],
      ] as const) {
        const row = { unit, answer: ask(index, command, at + wait) };
        rows.push(row);
        take(row);
      }
    const account = inverter.energy;
    if (seen !== undefined && at >= gap.to && at < gap.to + pollMs)
      for (const key of told) unseen[key] += wattHours(account, key) - wattHours(seen, key);
    seen = account;
    if (at % minuteMs === 0) file = { text: JSON.stringify(ledger), rows: rows.length };
    published.push(ledger.total);
  }
  for (const unit of unitNames) {
    const rest = openBucket(ledger.units[unit]!.integrator);
    if (rest !== undefined) buckets[unit]!.push(rest);
  }
  const truth = Object.fromEntries(told.map((key) => [key, wattHours(edges[1]!, key) - wattHours(edges[0]!, key)])) as Record<Told, number>;
  return { rows, ledger, buckets, published, kills, truth, unseen };

  function accountAt(time: number): EnergyAccount {
    inverter.advanceTo(time - 1000);
    return inverter.energy;
  }
}

describe("a scripted day", () => {
  let all: Day;
  let summed: PeriodEnergy;
  beforeAll(() => {
    all = live();
    [summed] = sums(noFilling) as [PeriodEnergy];
  }, 120_000);

  const sums = (filling: Filling): PeriodEnergy[] =>
    sumByPeriod(sumOfUnits(unitNames.map((unit) => all.buckets[unit]!)), { kind: "day", local, range: day, now: day.to, filling });
  const counted = (key: FlowKey): number => summed.flows[key]!.wattHours;
  const percentOff = (key: Told): number => {
    const seen = all.truth[key] - all.unseen[key];
    return (100 * Math.abs(counted(key) - seen)) / seen;
  };

  test("has 25 hours, twenty kills and every flow", () => {
    expect((day.to - day.from) / 3_600_000).toBe(25);
    expect(all.kills).toBe(20);
    for (const key of told) expect(all.truth[key]).toBeGreaterThan(1000);
    expect(all.unseen.pv).toBeGreaterThan(100);
  });

  test("PV and load are within a thousandth of the truth outside the gap, both strings and both units counted once", () => {
    expect(percentOff("pv")).toBeLessThan(0.1);
    expect(percentOff("load")).toBeLessThan(0.1);
    // The total misses the moments in which one string was not answered for, a string only its own.
    expect(Math.abs(counted("pv1") + counted("pv2") - counted("pv"))).toBeLessThan(2);
  });

  test("the battery is as near as whole amperes allow, and grid power is an estimate and says so", () => {
    expect(percentOff("batteryCharge")).toBeLessThan(0.5);
    expect(percentOff("batteryDischarge")).toBeLessThan(0.5);
    expect(percentOff("gridImport")).toBeLessThan(5);
    expect(summed.flows.gridImport?.origin).toBe("estimated");
    expect(summed.flows.batteryCharge?.origin).toBe("derived");
  });

  test("the balance of the day fits, and without the second string it would not", () => {
    const buckets = sumOfUnits(unitNames.map((unit) => all.buckets[unit]!));
    const balance = balanceOf(buckets, { volts: 52, units: 2 })!;
    expect(balance.fits).toBe(true);
    expect(Math.abs(balance.residual)).toBeLessThan(balance.band);
    const oneString = buckets.map(({ at, flows: { pv1, ...flows } }) => ({ at, flows: pv1 === undefined ? flows : { ...flows, pv: pv1 } }));
    expect(balanceOf(oneString, { volts: 52, units: 2 })?.fits).toBe(false);
  });

  test("the gap is missing coverage, and filled only when asked, told apart", () => {
    const missingMs = day.to - day.from - summed.flows.load!.coveredMs;
    expect(missingMs).toBeGreaterThanOrEqual(gap.to - gap.from);
    expect(missingMs).toBeLessThan(gap.to - gap.from + 2 * pollMs);
    expect(summed.flows.load?.filled).toBeUndefined();
    const [filled] = sums({ method: "linear", longestMs: 30 * minuteMs });
    expect(filled!.flows.load).toMatchObject({ wattHours: counted("load"), coverage: summed.flows.load!.coverage });
    expect(filled!.flows.load?.filled?.filledMs).toBeCloseTo(missingMs, 3);
    expect(filled!.flows.pv?.filled?.wattHours).toBeGreaterThan(0);
  });

  test("no published total ever decreases, and the last is the sum of all quarters of an hour", () => {
    const decreased = all.published.flatMap((totals, index) =>
      flowKeys.filter((key) => (totals[key] ?? 0) < (all.published[index - 1]?.[key] ?? 0)),
    );
    expect(decreased).toEqual([]);
    for (const key of flowKeys) {
      const sum = unitNames.reduce(
        (total, unit) => total + all.buckets[unit]!.reduce((part, { flows }) => part + (flows[key]?.wattHours ?? 0), 0),
        0,
      );
      expect(all.ledger.total[key] ?? 0).toBeCloseTo(sum, 6);
    }
  });

  test("counted anew from the kept answers, killed or not, it is the same to the last bit", () => {
    const range = { from: day.from - 60 * minuteMs, to: day.to + 60 * minuteMs };
    for (const unit of unitNames) {
      const answers = all.rows.filter((row) => row.unit === unit).map(({ answer }) => answer);
      expect(recount(answers, range, options)).toEqual(all.buckets[unit]);
    }
  });
});
