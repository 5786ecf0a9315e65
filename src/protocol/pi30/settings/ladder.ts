import type { Metric } from "../../../model/metric.ts";
import { numberOf, type Setting, type UnitFacts } from "../../setting.ts";
import type { SettingValue } from "../../../model/setting.ts";

interface Rung {
  readonly of: Metric;
  /** Has to be really below the next one; otherwise it may be the same. */
  readonly apart: boolean;
}

/** "When the battery is full", "off": no place on the ladder. */
const NONE = 0;

/**
 * Settings that have to rise from the first to the last. Refuses what brings them out of order, or further out of it than
 * they are: a unit that is odd already (an SP-3200 was seen with re-charge below cut-off) may still be set towards order.
 * `step` is the smallest difference on the wire.
 */
export function ladder(unit: string, step: number, rungs: readonly Rung[]) {
  /** How far two are from the order they should have; 0 when they have it. */
  const disorder = (lower: number, upper: number, apart: boolean): number =>
    Math.max(0, Math.round((lower - upper + (apart ? step : 0)) * 1000) / 1000);

  return (changed: Metric, value: SettingValue, { values }: UnitFacts): ReturnType<Setting["check"]> => {
    if (typeof value !== "number" || value === NONE) return undefined;
    const place = rungs.findIndex(({ of }) => of.key === changed.key);
    const before = numberOf(values, changed.key);
    for (const [index, { of }] of rungs.entries()) {
      const other = numberOf(values, of.key);
      if (index === place || other === undefined || other === NONE) continue;
      const above = index > place;
      const [first, last] = above ? [place, index] : [index, place];
      // What lies between two rungs keeps them apart as well.
      const apart = rungs.slice(first, last).some((rung) => rung.apart);
      const amount = (own: number): number => (above ? disorder(own, other, apart) : disorder(other, own, apart));
      if (amount(value) <= (before === undefined || before === NONE ? 0 : amount(before))) continue;
      const relation = above ? (apart ? "below" : "not above") : apart ? "above" : "not below";
      return `${value} ${unit} would not be right: the ${inText(changed.label)} has to be ${relation} the ${inText(of.label)}, which is ${other} ${unit}`;
    }
    return undefined;
  };
}

/** A label in the middle of a sentence. */
function inText(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
