import { flowKeys, flowLabel, type FlowKey } from "../../../energy/flow.ts";
import type { PeriodFlow, PeriodFlows } from "../../../energy/sums.ts";
import type { PeriodKind } from "../../../model/local-periods.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import { isKnown, isUnknown, type Figure, type Report } from "./report.ts";

/** One part of the story, for whichever form it is shown in. */
export interface Section {
  readonly title: string;
  readonly sentences: readonly string[];
  readonly table?: Table;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that stand at the right. */
  readonly right: readonly number[];
}

/** More of a kind than this is told as a number. */
const mostRows = 25;
const partNames: Readonly<Record<PeriodKind, string>> = { day: "hour", month: "day", year: "month" };
/** What each hour, day or month tells; the inputs are in the sums. */
const partFlows = ["pv", "load", "gridImport", "gridExport", "batteryCharge", "batteryDischarge"] as const satisfies readonly FlowKey[];
const shortLabels: Readonly<Record<(typeof partFlows)[number], string>> = {
  pv: "PV",
  load: "Load",
  gridImport: "From grid",
  gridExport: "Into grid",
  batteryCharge: "Into battery",
  batteryDischarge: "From battery",
};

export function titleOf({ period }: Report): string {
  return `Energy of ${period.key}`;
}

/** The whole report in sentences and tables. */
export function storyOf(report: Report, local: LocalTime): Section[] {
  const sections = [summary(report, local), energy(report), units(report), parts(report), balance(report), load(report, local)];
  sections.push(battery(report), costs(report), counters(report), missing(report, local), events(report, local));
  return sections.filter((section) => section !== undefined);
}

function summary(report: Report, local: LocalTime): Section {
  const { total, period, until, timeZone } = report;
  const { pv, load, gridImport } = total;
  const known = load?.coverage ?? 0;
  return {
    title: "In short",
    sentences: [
      `${dayAndTime(period.from, local)} to ${dayAndTime(until, local)}, ${timeZone}${until < period.to ? "; it still goes on" : ""}.`,
      Object.keys(total).length === 0
        ? "Nothing was recorded in this time: nothing is known, which does not mean that nothing was used."
        : `PV gave ${energyText(pv)}, the load took ${energyText(load)}, from the grid came ${energyText(gridImport)}.`,
      ...(Object.keys(total).length > 0 && known < 0.9995
        ? [`The load was known for ${percent(known)} of the time; what was missing is not in the sums.`]
        : []),
      `Self-consumption: ${figure(report.selfConsumption, percent)}.`,
      `Self-sufficiency: ${figure(report.selfSufficiency, percent)}${gridImport?.origin === "estimated" ? " (estimated)" : ""}.`,
    ],
  };
}

function energy({ total }: Report): Section {
  const hasFilled = Object.values(total).some(({ filled }) => filled !== undefined);
  return {
    title: "Energy",
    sentences: [],
    table: {
      head: ["", "kWh", "Known", "Origin", ...(hasFilled ? ["Put in for gaps"] : [])],
      rows: flowKeys.flatMap((key) => {
        const flow = total[key];
        if (flow === undefined && isInput(key)) return [];
        if (flow === undefined) return [[flowLabel(key), "unknown", "", notTold(key), ...(hasFilled ? [""] : [])]];
        const filled = flow.filled === undefined ? "" : `+ ${kwh(flow.filled.wattHours)} kWh`;
        return [[flowLabel(key), kwh(flow.wattHours), percent(flow.coverage), flow.origin, ...(hasFilled ? [filled] : [])]];
      }),
      right: [1, 2],
    },
  };
}

const isInput = (key: FlowKey): boolean => key === "pv1" || key === "pv2" || key === "pv3";

const notTold = (key: FlowKey): string => (key === "gridExport" ? "not told by the unit" : "not known at any moment");

function units({ units: all }: Report): Section | undefined {
  if (all.length < 2) return undefined;
  const keys = flowKeys.filter((key) => all.some(({ flows }) => flows[key] !== undefined));
  return {
    title: "By unit, kWh",
    sentences: [],
    table: {
      head: ["", ...all.map(({ unit }) => unit)],
      rows: [
        ...keys.map((key) => [
          flowLabel(key),
          ...all.map(({ flows }) => (flows[key] === undefined ? "unknown" : kwh(flows[key].wattHours))),
        ]),
        ["Load known", ...all.map(({ flows }) => percent(flows.load?.coverage ?? 0))],
      ],
      right: all.map((_, index) => index + 1),
    },
  };
}

function parts({ parts: all, period, total }: Report): Section | undefined {
  const keys = partFlows.filter((key) => total[key] !== undefined);
  if (keys.length === 0) return undefined;
  return {
    title: `By ${partNames[period.kind]}, kWh`,
    sentences: [],
    table: {
      head: ["", ...keys.map((key) => shortLabels[key]), "Known"],
      rows: all.map(({ label, flows }) => [label, ...keys.map((key) => cell(flows, key)), percent(flows.load?.coverage ?? 0)]),
      right: [...keys, "known"].map((_, index) => index + 1),
    },
  };
}

function cell(flows: PeriodFlows, key: FlowKey): string {
  const flow = flows[key];
  return flow === undefined ? "?" : kwh(flow.wattHours);
}

function balance({ balance: sum }: Report): Section {
  if (!isKnown(sum)) return { title: "Losses", sentences: [`Unknown: ${sum.unknown}.`] };
  return {
    title: "Losses",
    sentences: [
      `In the ${percent(sum.coverage)} of the time in which all was known, ${kwh(sum.in)} kWh went in and ${kwh(sum.out)} kWh came out: ` +
        `${kwh(sum.losses)} kWh were lost, ± ${kwh(sum.band)} kWh.`,
      `A usual unit would lose ${kwh(sum.expectedLosses)} kWh; the rest of ${kwh(sum.residual)} kWh ` +
        `${sum.fits ? "is within what the steps of the fields explain" : "is MORE than the steps of the fields explain: one of the powers is wrong"}.`,
      ...(sum.gridIsEstimated ? ["Grid power was estimated from this same balance, so only the time off the grid proves anything."] : []),
    ],
  };
}

function load(report: Report, local: LocalTime): Section {
  const { peak, units: all, loadDuration } = report;
  const at = (share: number): string | undefined => {
    const point = loadDuration.find((each) => each.share >= share);
    return point && watts(point.watts);
  };
  const highest = all.map(({ unit, highestLoad }) => {
    const whose = all.length > 1 ? ` of ${unit}` : "";
    return `Highest single reading${whose}: ${figure(highestLoad, (single) => `${watts(single.watts)}, about ${dayAndTime(single.at, local)}`)}.`;
  });
  return {
    title: "Load",
    sentences: [
      `Highest quarter of an hour: ${figure(peak, (top) => `${watts(top.watts)} from ${dayAndTime(top.at, local)}`)}.`,
      ...highest,
      ...(loadDuration.length > 0
        ? [
            `For a tenth of the known time the load was at least ${at(0.1) ?? "?"}, for half of it ${at(0.5) ?? "?"}, for nine tenths ${at(0.9) ?? "?"}.`,
          ]
        : []),
    ],
  };
}

function battery({ battery: use }: Report): Section {
  return {
    title: "Battery",
    sentences: isKnown(use)
      ? [
          `Throughput in and out: ${kwh(use.throughput)} kWh. Full cycles: ${figure(use.cycles, (cycles) => cycles.toFixed(2))}.`,
          ...(use.outByIn === undefined
            ? []
            : [`Out by in: ${percent(use.outByIn)}; over a short time it mostly tells whether it is fuller.`]),
        ]
      : [`Unknown: ${use.unknown}.`],
  };
}

function costs({ bill, co2, period, until }: Report): Section {
  const carbon = `CO₂: ${figure(co2, ({ grams, gramsSaved }) => `${kilograms(grams)} from the grid, ${kilograms(gramsSaved)} saved`)}.`;
  if (!isKnown(bill)) return { title: "Cost", sentences: [`Cost: unknown: ${bill.unknown}.`, carbon] };
  const share = bill.coveredMs / (until - period.from);
  const money = (amount: number): string => `${bill.currency} ${amount.toFixed(2)}`;
  return {
    title: "Cost",
    sentences: [
      `To pay: ${money(bill.cost)}${bill.estimated ? " (estimated, as grid power is)" : ""}. With all of the load from the grid: ` +
        `${money(bill.allFromGrid)}. Saved: ${money(bill.saving)}.`,
      ...(share < 0.9995
        ? [`In it is the ${percent(share)} of the time in which load and grid power are known, and the fixed charge of all of it.`]
        : []),
      carbon,
    ],
    table: {
      head: ["", "kWh", bill.currency],
      rows: [
        ...Object.entries(bill.byRate).map(([name, { wattHours, amount }]) => [name, kwh(wattHours), amount.toFixed(2)]),
        ...(bill.fixed === 0 ? [] : [["Fixed", "", bill.fixed.toFixed(2)]]),
        ...(bill.fedIn === 0 ? [] : [["Fed in", "", (-bill.fedIn).toFixed(2)]]),
      ],
      right: [1, 2],
    },
  };
}

function counters({ units: all }: Report): Section | undefined {
  const rows = all.flatMap(({ unit, counters: own }) =>
    Object.entries(own).map(([flow, { ours, unitWattHours, difference, comparable }]) => [
      `${unit}: ${flowLabel(flow as FlowKey)}`,
      kwh(ours.wattHours),
      kwh(unitWattHours),
      difference === undefined ? "" : `${difference >= 0 ? "+" : "−"}${percent(Math.abs(difference))}`,
      comparable ? "" : "ours lacks part of the time",
    ]),
  );
  if (rows.length === 0) return undefined;
  return {
    title: "Beside the unit's own counters",
    sentences: ["Nothing of theirs is in the sums."],
    table: { head: ["", "Ours, kWh", "The unit's, kWh", "Difference", ""], rows, right: [1, 2, 3] },
  };
}

function missing({ missing: all, units: known }: Report, local: LocalTime): Section {
  if (all.length === 0)
    return {
      title: "Missing time",
      sentences: [known.length === 0 ? "All of it: no readings are kept." : "None: every quarter of an hour is known."],
    };
  const longest = all.toSorted((a, b) => b.missingMs - a.missingMs).slice(0, mostRows);
  return {
    title: "Missing time",
    sentences: [
      "In this time the load was not known; no energy is counted for it.",
      ...(all.length > mostRows ? [`The longest ${mostRows} of ${all.length}:`] : []),
    ],
    table: {
      head: ["Within", "", "Missing", "Unit"],
      rows: longest
        .toSorted((a, b) => a.from - b.from)
        .map(({ unit, from, to, missingMs }) => [dayAndTime(from, local), `to ${dayAndTime(to, local)}`, lengthText(missingMs), unit]),
      right: [2],
    },
  };
}

function events({ events: all }: Report, local: LocalTime): Section {
  if (all.length === 0) return { title: "Events", sentences: ["No fault, warning or outage of the link is recorded."] };
  return {
    title: "Events",
    sentences: all.length > mostRows ? [`The latest ${mostRows} of ${all.length}:`] : [],
    table: {
      head: ["When", "Unit", "What", ""],
      rows: all.slice(-mostRows).map(({ at, inverter, kind, text }) => [dayAndTime(at, local), inverter ?? "", kind, text]),
      right: [],
    },
  };
}

function energyText(flow: PeriodFlow | undefined): string {
  if (flow === undefined) return "an unknown amount";
  return `${kwh(flow.wattHours)} kWh${flow.origin === "estimated" ? " (estimated)" : ""}`;
}

function figure<T extends number | object>(value: Figure<T>, text: (known: T) => string): string {
  return isUnknown(value) ? `unknown: ${value.unknown}` : text(value);
}

/** `wattHours` in kWh. */
/** Adding 0 turns -0 into 0. */
const kwh = (wattHours: number): string => (Math.round(wattHours / 10) / 100 + 0).toFixed(2);
const watts = (power: number): string => `${Math.round(power)} W`;
const kilograms = (grams: number): string => `${(grams / 1000).toFixed(1)} kg`;
/** Never 100 % of what is not whole. */
const percent = (share: number): string => `${(share < 1 ? Math.min(99.9, share * 100) : share * 100).toFixed(1)} %`;

function dayAndTime(at: number, local: LocalTime): string {
  const { date, time } = local.stamp(at);
  return `${date} ${time.slice(0, 5)}`;
}

function lengthText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
