import { describe, expect, test } from "vitest";
import { bucketMs, type EnergyBucket, type FlowEnergies } from "../../../energy/flow.ts";
import { noFilling } from "../../../energy/gaps.ts";
import { localPeriodOf } from "../../../model/local-periods.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { reportPage } from "./page.ts";
import { isKnown, makeReport, type Report, type ReportInput } from "./report.ts";
import { storyOf } from "./story.ts";

const local = LocalTime.of("Africa/Johannesburg");
const day = localPeriodOf("2026-06-01", local);

const of = (wattHours: number, coveredMs = bucketMs): FlowEnergies["pv"] => ({ wattHours, coveredMs, origin: "measured" });
/** 400 W of load all day, 1,600 W from 18:00 to 18:15; PV of 1 kW from 10:00 to 14:00; the grid gives what is missing. */
function quarters(skip: (hour: number) => boolean = () => false): EnergyBucket[] {
  return Array.from({ length: 96 }, (_, index) => ({ at: day.from + index * bucketMs, hour: index / 4 }))
    .filter(({ hour }) => !skip(hour))
    .map(({ at, hour }) => {
      const [pv, load] = [hour >= 10 && hour < 14 ? 250 : 0, hour === 18 ? 400 : 100];
      const rest = load - pv;
      return {
        at,
        flows: {
          pv: of(pv)!,
          load: of(load)!,
          gridImport: { ...of(Math.max(0, rest))!, origin: "estimated" },
          batteryCharge: of(Math.max(0, -rest))!,
          batteryDischarge: of(0)!,
        },
      };
    });
}

const input = (over: Partial<ReportInput> = {}): ReportInput => ({
  period: day,
  local,
  now: day.to + 1,
  energy: [{ unit: "garage", buckets: quarters() }],
  counters: {},
  highest: {},
  events: [],
  batteryVolts: 52,
  capacityWh: 600,
  neverFeedsIn: false,
  filling: noFilling,
  ...over,
});

const textOf = (report: Report): string =>
  storyOf(report, local)
    .flatMap(({ title, sentences, table }) => [title, ...sentences, ...(table?.rows ?? []).map((row) => row.join(" | "))])
    .join("\n");

describe("report", () => {
  test("a whole day: sums, hours, shares, battery, peak", () => {
    const report = makeReport(input());
    expect(report.total.load).toMatchObject({ wattHours: 9_900, coverage: 1 });
    expect(report.parts).toHaveLength(24);
    expect(report.parts[10]).toMatchObject({ label: "10:00", flows: { pv: { wattHours: 1_000 }, load: { wattHours: 400 } } });
    expect(report.selfSufficiency).toBeCloseTo(1_600 / 9_900, 9);
    expect(report.battery).toMatchObject({ throughput: 2_400, cycles: 2 });
    expect(report.peak).toEqual({ watts: 1_600, at: day.from + 18 * 4 * bucketMs });
    expect(report.missing).toEqual([]);
    expect(textOf(report)).toContain("Highest quarter of an hour: 1600 W from 2026-06-01 18:00.");
    expect(textOf(report)).toContain("from the grid came 8.30 kWh (estimated)");
  });

  test("what is not known is said to be, with the reason, and is never 0", () => {
    const report = makeReport(input({ capacityWh: { unknown: "the capacity is not configured" } }));
    const text = textOf(report);
    expect(report.selfConsumption).toEqual({ unknown: "the unit does not tell what it feeds in" });
    expect(report.bill).toEqual({ unknown: "no tariff is configured (energy.tariff)" });
    expect(isKnown(report.co2)).toBe(false);
    expect(text).toContain("Full cycles: unknown: the capacity is not configured.");
    expect(text).toContain("Energy into the grid | unknown");
    expect(makeReport(input({ neverFeedsIn: true })).selfConsumption).toBe(1);
  });

  test("nothing recorded is nothing known", () => {
    const report = makeReport(input({ energy: [] }));
    expect(report.total).toEqual({});
    expect([report.balance, report.battery, report.peak, report.selfSufficiency].map((figure) => isKnown(figure))).toEqual(
      Array.from({ length: 4 }, () => false),
    );
    expect(textOf(report)).toContain("Nothing was recorded in this time");
    expect(textOf(report)).toContain("All of it: no readings are kept.");
    expect(report.selfConsumption).toEqual({ unknown: "PV was not known at any moment" });
    expect(textOf(report)).not.toMatch(/0\.00|no PV energy/);
  });

  test("a gap is missing time and coverage, and what stands in for it is told apart", () => {
    const energy = [{ unit: "garage", buckets: quarters((hour) => hour >= 11 && hour < 12) }];
    const report = makeReport(input({ energy }));
    expect(report.missing).toEqual([
      { unit: "garage", from: day.from + 44 * bucketMs, to: day.from + 48 * bucketMs, missingMs: 4 * bucketMs },
    ]);
    expect(report.parts[11]?.flows).toEqual({});
    expect(report.total.pv).toMatchObject({ wattHours: 3_000, coverage: 23 / 24 });
    const filled = makeReport(input({ energy, filling: { method: "hold", longestMs: 4 * bucketMs } }));
    expect(filled.total.pv).toMatchObject({ wattHours: 3_000, filled: { wattHours: 1_000 } });
    expect(textOf(filled)).toContain("PV energy | 3.00 | 95.8 % | measured | + 1.00 kWh");
  });

  test("a day that goes on lacks nothing of what is to come", () => {
    const now = day.from + 11 * 4 * bucketMs;
    const report = makeReport(input({ now, energy: [{ unit: "garage", buckets: quarters((hour) => hour >= 11) }] }));
    expect(report.until).toBe(now);
    expect(report.total.load?.coverage).toBe(1);
    expect(report.parts).toHaveLength(11);
    expect(report.missing).toEqual([]);
    expect(textOf(report)).toContain("it still goes on");
  });

  test("cost, saving and CO₂ by the tariff", () => {
    const report = makeReport(input({ tariff: { currency: "ZAR", rates: [{ name: "all day", perKwh: 2 }], perDay: 3 }, gramsPerKwh: 500 }));
    expect(report.bill).toMatchObject({ currency: "ZAR", fixed: 3, estimated: true });
    expect(isKnown(report.bill) && report.bill.cost).toBeCloseTo(19.6, 9);
    expect(textOf(report)).not.toContain("In it is");
    expect(report.co2).toEqual({ grams: 4_150, gramsSaved: 800 });
    expect(textOf(report)).toContain("To pay: ZAR 19.60 (estimated, as grid power is)");
  });

  test("two units are shown apart and together, and the unit's counters beside ours", () => {
    const energy = ["garage", "shed"].map((unit) => ({ unit, buckets: quarters() }));
    const report = makeReport(input({ energy, counters: { shed: { pvEnergyOfDay: 3_900 } } }));
    expect(report.total.pv?.wattHours).toBe(8_000);
    expect(report.units.map(({ unit, flows }) => [unit, flows.pv?.wattHours])).toEqual([
      ["garage", 4_000],
      ["shed", 4_000],
    ]);
    expect(report.units[1]?.counters["pv"]).toMatchObject({ unitWattHours: 3_900, differenceWattHours: 100, comparable: true });
    expect(textOf(report)).toContain("shed: PV energy | 4.00 | 3.90 | +2.6 %");
  });

  test("the hours of a clock change have each its name", () => {
    const berlin = LocalTime.of("Europe/Berlin");
    const period = localPeriodOf("2026-10-25", berlin);
    const labels = makeReport(input({ local: berlin, period, now: period.to, energy: [] })).parts.map(({ label }) => label);
    expect(labels).toHaveLength(25);
    expect(labels.slice(2, 5)).toEqual(["02:00", "02:00 +01:00", "03:00"]);
  });

  test("the page needs nothing from elsewhere, and what others have named cannot become part of it", () => {
    const page = reportPage(
      makeReport(input({ energy: [{ unit: "<script>x</script>", buckets: quarters((hour) => hour === 3) }] })),
      local,
    );
    expect(page).not.toMatch(/<script|https?:|url\((?!#)|src=/);
    expect(page).toContain("&lt;script&gt;");
    expect(page.match(/class="unknown" x=/g)).toHaveLength(2);
    expect(page).toContain("10:00 PV: 1.00 kWh");
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});
