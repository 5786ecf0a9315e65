import { findMetric } from "../model/metric.ts";
import type { SystemMember, SystemState, SystemTotal } from "../model/system.ts";

/** The system as one JSON document: times as ISO text, numbers with their units. */
export function systemJson(state: SystemState): string {
  const { expected, answering, simulated, totals, phases, members, differences, alarms } = state;
  return JSON.stringify({
    units: { expected, answering },
    simulated,
    totals: mapValues(totals, totalOf),
    phases: phases?.map(({ phase, members: ids, totals: sums }) => ({ phase, inverters: ids, totals: mapValues(sums, totalOf) })),
    inverters: members.map(memberOf),
    differences: differences.map(({ setting, mustAgree, values }) => ({
      setting,
      unit: unitOf(setting),
      mustAgree,
      values: values.map(({ inverter, value, at }) => ({ inverter, value, at: iso(at) })),
    })),
    alarms: alarms.map(({ since, ...alarm }) => ({ ...alarm, since: iso(since) })),
  });
}

function totalOf({ value, origin, at, units, expected, complete }: SystemTotal, key: string): object {
  return { value, unit: unitOf(key), origin, at: iso(at), units, expected, complete };
}

function memberOf({ values, seenAt, ...member }: SystemMember): object {
  return {
    ...member,
    seenAt: seenAt === undefined ? undefined : iso(seenAt),
    values: mapValues(values, ({ value, origin, at, command, from, live }, key) => ({
      value,
      unit: unitOf(key),
      origin,
      at: iso(at),
      command,
      from,
      live,
    })),
  };
}

function mapValues<From>(values: Readonly<Record<string, From>>, to: (value: From, key: string) => object): Record<string, object> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value, key)]));
}

function unitOf(key: string): string | undefined {
  return findMetric(key)?.unit;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
