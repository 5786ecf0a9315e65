import { effect, useComputed, useSignal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { VNode } from "preact";
import uPlot from "uplot";
import { formatNumber, timeFormat } from "./format.ts";
import { mainStatus, numberOf } from "./pick.ts";
import { plotLines, plotOptions } from "./plot-options.ts";
import type { InverterState, Store, TrendColumns } from "./store.ts";

const ranges = [
  { minutes: 15, label: "15 min", title: "Last 15 min" },
  { minutes: 60, label: "1 h", title: "Last hour" },
  { minutes: 360, label: "6 h", title: "Last 6 h" },
] as const;

/** The least that is shown, however young the values are. */
const leastSeconds = 300;

interface Props {
  readonly store: Store;
  readonly inverter: InverterState;
}

/** The last hours: power on the left axis, battery voltage on the right. */
export function Plot({ store, inverter }: Props): VNode {
  const range = useSignal<(typeof ranges)[number]>(ranges[1]);
  /** The row under the pointer or keyboard cursor; undefined shows the latest. */
  const cursor = useSignal<number | undefined>(undefined);
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = useComputed(() => plotData(inverter.trend.value));
  const shown = useComputed(() => shownRow(data.value, cursor.value));
  const title = useComputed(() => titleOf(store, data.value[0][0], range.value));

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const make = (): void => {
      plot.current?.destroy();
      const width = Math.max(240, element.clientWidth);
      const options = plotOptions(element, {
        width,
        height: element.clientHeight,
        timeZone: store.timeZone.peek(),
        span: () => spanOf(store.now.peek() / 1000, data.peek()[0][0], range.peek().minutes * 60),
        moved: (index) => (cursor.value = index),
      });
      plot.current = new uPlot(options, data.peek(), element);
      followTouch(plot.current);
    };
    make();
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", make);
    const observer = new ResizeObserver(() => {
      if (plot.current !== undefined && plot.current.width !== element.clientWidth) make();
    });
    observer.observe(element);
    const stop = effect(() => {
      // Time goes on even when nothing new comes: the gap grows at the right edge.
      void Math.floor(store.now.value / 5_000);
      void range.value;
      plot.current?.setData(data.value);
    });
    return () => {
      stop();
      observer.disconnect();
      dark.removeEventListener("change", make);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [store, inverter]);

  return (
    <section class="card plot" aria-labelledby="plot-title">
      <div class="plot-head">
        <h2 id="plot-title">{title}</h2>
        <div class="segments" role="group" aria-label="Time range">
          {ranges.map((choice) => (
            <button key={choice.minutes} type="button" aria-pressed={range.value === choice} onClick={() => (range.value = choice)}>
              {choice.label}
            </button>
          ))}
        </div>
      </div>
      <Readout store={store} inverter={inverter} data={data} cursor={cursor} />
      <div
        ref={place}
        class="plot-area"
        role="slider"
        tabIndex={0}
        aria-label="Time in the plot; arrow keys move it"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, (data.value[0]?.length ?? 0) - 1)}
        aria-valuenow={shown.value ?? 0}
        aria-valuetext={spoken(store, data.value, shown.value)}
        onKeyDown={(event) => {
          const step = keySteps[event.key];
          if (event.key === "Escape") plot.current?.setCursor({ left: -10, top: -10 });
          if (step === undefined || plot.current === undefined) return;
          event.preventDefault();
          moveTo(plot.current, (shown.peek() ?? 0) + step);
        }}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      />
      {(data.value[0]?.length ?? 0) === 0 && <p class="plot-empty">The plot begins with the first values.</p>}
    </section>
  );
}

const keySteps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24 };

interface ReadoutProps extends Props {
  readonly data: ReadonlySignal<uPlot.AlignedData>;
  readonly cursor: ReadonlySignal<number | undefined>;
}

/** Legend and values in one: the latest values, or those under the cursor. */
function Readout({ store, inverter, data, cursor }: ReadoutProps): VNode {
  const index = cursor.value;
  const second = index === undefined ? undefined : data.value[0][index];
  const status = mainStatus(inverter);
  const live = status?.live.value === true;
  const numbers: Readonly<Record<string, number | null | undefined>> =
    second === undefined
      ? latest(inverter)
      : Object.fromEntries(plotLines.map(({ series }, line) => [series, data.value[line + 1]?.[index ?? 0]]));
  return (
    <div class={`readout ${second !== undefined || live ? "" : "stale"}`}>
      <p class="when">
        {second !== undefined ? (
          `at ${timeFormat(store.timeZone.value, true).format(second * 1000)}`
        ) : status === undefined ? (
          "not read yet"
        ) : live ? (
          <>latest, {status.ago}</>
        ) : (
          <>last read {status.age} ago</>
        )}
      </p>
      <ul>
        {plotLines.map(({ name, series, label, unit, digits }) => {
          const value = numbers[series];
          return (
            <li key={name}>
              <span class={`swatch ${name}`} aria-hidden="true" />
              <span class="label">{label}</span>
              <span class="number">{typeof value === "number" ? `${formatNumber(value, digits)} ${unit}` : "–"}</span>
            </li>
          );
        })}
      </ul>
      <p class="sign">Battery: − is charging</p>
    </div>
  );
}

/** The very values of the tiles: the newest point of the plot is up to 5 s older. */
function latest(inverter: InverterState): Record<string, number | undefined> {
  const status = mainStatus(inverter);
  const measured = Object.fromEntries(plotLines.map(({ series }) => [series, numberOf(status, series)]));
  return { ...measured, pvPower: inverter.pvTotal.value?.watts };
}

/** The chosen range, as far as there are values; the line fills the plot while the first hours pass. */
function spanOf(now: number, first: number | undefined, seconds: number): [number, number] {
  const begin = now - seconds;
  return [Math.max(begin, Math.min(first ?? begin, now - leastSeconds)), now];
}

/** What the plot shows: the chosen range, or the time since the first values while they are younger. */
function titleOf(store: Store, first: number | undefined, range: (typeof ranges)[number]): string {
  const seconds = first === undefined ? undefined : store.now.value / 1000 - first;
  // The oldest of the kept points is up to a minute younger than the range.
  if (first === undefined || seconds === undefined || seconds >= (range.minutes - 1) * 60) return range.title;
  if (seconds < leastSeconds) return "Last 5 min";
  return `Since ${timeFormat(store.timeZone.value, false).format(first * 1000)}`;
}

function plotData({ series, columns }: TrendColumns): uPlot.AlignedData {
  const times = (columns[0] ?? []) as number[];
  return [times, ...plotLines.map((line) => columns[series.indexOf(line.series) + 1] ?? times.map(() => null))];
}

/** The row to read out: the one pointed at, else the last that is no gap. */
function shownRow(data: uPlot.AlignedData, cursor: number | undefined): number | undefined {
  const last = data[0].length - 1;
  if (cursor !== undefined && cursor <= last) return cursor;
  for (let index = last; index >= 0; index -= 1) {
    if (data.slice(1).some((column) => typeof column?.[index] === "number")) return index;
  }
  return undefined;
}

function spoken(store: Store, data: uPlot.AlignedData, index: number | undefined): string {
  const second = index === undefined ? undefined : data[0][index];
  if (index === undefined || second === undefined) return "no values yet";
  const values = plotLines.map(({ label, unit, digits }, line) => {
    const value = data[line + 1]?.[index];
    return `${label} ${typeof value === "number" ? `${formatNumber(value, digits)} ${unit}` : "unknown"}`;
  });
  return `${timeFormat(store.timeZone.value, true).format(second * 1000)}: ${values.join("; ")}`;
}

function moveTo(plot: uPlot, index: number): void {
  const times = plot.data[0];
  const { min = 0, max = 0 } = plot.scales["x"] ?? {};
  const first = times.findIndex((second) => second >= (min ?? 0));
  const last = times.findLastIndex((second) => second <= (max ?? 0));
  const second = times[Math.min(last, Math.max(first, index))];
  if (second !== undefined) plot.setCursor({ left: plot.valToPos(second, "x"), top: 0 });
}

/** A finger on the plot moves the cursor; up and down still scrolls the page (`touch-action` in the style sheet). */
function followTouch(plot: uPlot): void {
  const follow = (event: PointerEvent): void => {
    if (event.pointerType !== "touch") return;
    const { left, top } = plot.over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - left, top: event.clientY - top });
  };
  plot.over.addEventListener("pointerdown", follow);
  plot.over.addEventListener("pointermove", follow);
}
