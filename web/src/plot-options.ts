import uPlot from "uplot";
import { formatNumber, timeFormat } from "./format.ts";

export interface PlotLine {
  readonly series: string;
  readonly label: string;
  readonly unit: "W" | "V";
  readonly digits: number;
  /** Also the CSS custom property that holds its colour: `--line-<name>`. */
  readonly name: "pv" | "load" | "battery" | "voltage";
}

export const plotLines: readonly PlotLine[] = [
  { series: "pvPower", label: "Solar", unit: "W", digits: 0, name: "pv" },
  { series: "loadActivePower", label: "Load", unit: "W", digits: 0, name: "load" },
  { series: "batteryPower", label: "Battery", unit: "W", digits: 0, name: "battery" },
  { series: "batteryVoltage", label: "Voltage", unit: "V", digits: 1, name: "voltage" },
];

export interface PlotView {
  readonly width: number;
  readonly height: number;
  readonly timeZone: string;
  /** First and last second of the time axis. */
  readonly span: () => [number, number];
  readonly moved: (index: number | undefined) => void;
}

/** uPlot draws on a canvas and cannot use CSS, so colours are read from the style sheet each time it is made. */
export function plotOptions(element: HTMLElement, view: PlotView): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const clocks = { minutes: timeFormat(view.timeZone, false), seconds: timeFormat(view.timeZone, true) };
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    font,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  const narrow = view.width < 560;
  return {
    width: view.width,
    height: view.height,
    padding: [10, narrow ? 0 : 4, 0, narrow ? 0 : 4],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), view.timeZone),
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 8, width: 2, stroke: (_plot, index) => colour(`--line-${plotLines[index - 1]?.name}`), fill: () => colour("--card") },
    },
    scales: {
      x: { time: true, range: view.span },
      W: { range: (_plot, min, max) => powerRange(min, max) },
      V: { range: (_plot, min, max) => voltageRange(min, max) },
    },
    axes: [
      { ...axis, size: 28, space: narrow ? 64 : 90, values: (_plot, splits) => timeLabels(splits, clocks) },
      {
        ...axis,
        scale: "W",
        size: narrow ? 50 : 64,
        space: 40,
        values: (_plot, splits) => splits.map((watts) => `${formatNumber(watts)}${narrow ? "" : " W"}`),
      },
      {
        ...axis,
        scale: "V",
        side: 1,
        size: narrow ? 38 : 56,
        space: 40,
        grid: { show: false },
        values: (_plot, splits) => voltLabels(splits, narrow),
      },
    ],
    series: [
      {},
      ...plotLines.map(({ unit, name, label }): uPlot.Series => {
        const stroke = colour(`--line-${name}`);
        return {
          label,
          scale: unit,
          stroke,
          width: 1.75,
          spanGaps: false,
          points: { size: 5, width: 0, fill: stroke, filter: (plot, index) => lonePoints(plot.data[index] ?? []) },
          ...(name === "pv" && { fill: colour("--fill-pv"), fillTo: () => 0 }),
          ...(name === "voltage" && { dash: [5, 4], width: 1.5 }),
        };
      }),
    ],
    hooks: { setCursor: [(plot) => view.moved(plot.cursor.idx ?? undefined)] },
  };
}

/** Lines less than a minute apart need seconds, or two of them would read the same. */
function timeLabels(splits: readonly number[], clocks: Readonly<Record<"minutes" | "seconds", Intl.DateTimeFormat>>): string[] {
  const clock = (splits[1] ?? 60) - (splits[0] ?? 0) < 60 ? clocks.seconds : clocks.minutes;
  return splits.map((second) => clock.format(second * 1000));
}

/** Between two gaps a single point makes no line; it is drawn as a dot, or it would not be seen at all. */
function lonePoints(column: ArrayLike<number | null | undefined>): number[] {
  return Array.from(column, (_, index) => index).filter(
    (index) => typeof column[index] === "number" && typeof column[index - 1] !== "number" && typeof column[index + 1] !== "number",
  );
}

function voltLabels(splits: readonly number[], narrow: boolean): string[] {
  const step = (splits[1] ?? 1) - (splits[0] ?? 0);
  return splits.map((volts) => `${formatNumber(volts, step < 1 ? 1 : 0)}${narrow ? "" : " V"}`);
}

/** Zero is always in sight, and a quiet night does not blow noise up to full height. */
function powerRange(min: number | null, max: number | null): [number, number] {
  const low = Math.min(0, min ?? 0);
  const high = Math.max(200, max ?? 0);
  const margin = (high - low) * 0.08;
  return [low < 0 ? low - margin : 0, high + margin];
}

function voltageRange(min: number | null, max: number | null): [number, number] {
  const low = min ?? 0;
  const high = max ?? 60;
  // At least 4 V, so that the last digit's flicker stays flicker.
  const margin = Math.max((high - low) * 0.1, (4 - (high - low)) / 2);
  return [low - margin, high + margin];
}
