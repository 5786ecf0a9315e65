import type { EnergyDocument, EnergyStep, FlowDocument } from "../../api/history.ts";
import { bucketMs, byFlow, type EnergyBucket } from "../../energy/flow.ts";
import { sumByPeriod, sumOfUnits, type PeriodFlows } from "../../energy/sums.ts";
import { RefusedError } from "../../model/errors.ts";
import type { TimeRange } from "../../model/history.ts";
import { localPeriods } from "../../model/local-periods.ts";
import { LocalTime } from "../../model/local-time.ts";
import type { HistorySource } from "../../server/history.ts";
import type { Clock } from "../../session/clock.ts";
import type { RemoteReader } from "./remote-reader.ts";

/** What the HTTP routes about history ask. */
export function historySource({ reader }: { readonly reader: RemoteReader }, timeZone: string, clock: Pick<Clock, "now">): HistorySource {
  const local = LocalTime.of(timeZone);
  const now = (): number => clock.now();
  return { reader, now, energy: async (query, { signal }) => await energyDocument(reader, query, { local, now: now(), signal }) };
}

interface Query extends TimeRange {
  readonly by: EnergyStep;
  readonly unit?: string | undefined;
}

/** Energy for a screen: by unit, and together where there are several. Throws RefusedError `inverter-unknown`. */
export async function energyDocument(
  reader: Pick<RemoteReader, "energy">,
  { by, unit, ...range }: Query,
  { local, now, signal }: { readonly local: LocalTime; readonly now: number; readonly signal: AbortSignal },
): Promise<EnergyDocument["units"]> {
  if (!(range.from < range.to))
    throw new RefusedError("request-invalid", `expected a range whose start is before its end, got ${range.from} to ${range.to}`);
  const periods = by === "15min" ? [] : localPeriods(range, by, local);
  const whole = { from: periods[0]?.from ?? Math.floor(range.from / bucketMs) * bucketMs, to: periods.at(-1)?.to ?? range.to };
  const units = await reader.energy(whole, { signal });
  const wanted = units.filter((each) => unit === undefined || each.unit === unit);
  if (unit !== undefined && wanted.length === 0)
    throw new RefusedError(
      "inverter-unknown",
      `expected a unit with energy in that time (${units.map((each) => each.unit).join(", ") || "there is none"}), got ${unit}`,
    );
  const summed = (buckets: readonly EnergyBucket[]): EnergyDocument["units"][number]["periods"] =>
    by === "15min"
      ? buckets.map(({ at, flows }) => ({
          from: at,
          to: at + bucketMs,
          flows: byFlow((key): FlowDocument | undefined => {
            const flow = flows[key];
            return flow && { wattHours: flow.wattHours, coverage: Math.min(1, flow.coveredMs / bucketMs), origin: flow.origin };
          }),
        }))
      : sumByPeriod(buckets, { kind: by, local, range, now }).map(({ period, flows }) => ({
          from: period.from,
          to: period.to,
          key: period.key,
          flows: shown(flows),
        }));
  const each = wanted.map(({ unit: name, buckets }) => ({ unit: name, periods: summed(buckets) }));
  return each.length > 1 ? [...each, { periods: summed(sumOfUnits(wanted.map(({ buckets }) => buckets))) }] : each;
}

function shown(flows: PeriodFlows): Readonly<Record<string, FlowDocument | undefined>> {
  return byFlow((key): FlowDocument | undefined => {
    const flow = flows[key];
    return flow && { wattHours: flow.wattHours, coverage: flow.coverage, origin: flow.origin };
  });
}
