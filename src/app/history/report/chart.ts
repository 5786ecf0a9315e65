/** One measure of a bar chart: a value for each bar; absent where it is not known. */
export interface BarSeries {
  readonly name: string;
  /** CSS class that gives its colour. */
  readonly look: string;
  readonly values: readonly (number | undefined)[];
}

export interface BarChart {
  readonly labels: readonly string[];
  readonly series: readonly BarSeries[];
  readonly unit: string;
  /** Bars in which less than all is known, 0 to 1 each; drawn as hatching behind them. */
  readonly known: readonly number[];
}

const width = 720;
const height = 228;
const left = 44;
const bottom = 24;
const top = 24;
const plotWidth = width - left - 8;
const plotHeight = height - top - bottom;

/** Grouped bars as SVG; what is not known has no bar and a hatched ground. */
export function barChart({ labels, series, unit, known }: BarChart): string {
  const highest = scaleEnd(Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const slot = plotWidth / Math.max(1, labels.length);
  const bar = (slot * 0.76) / series.length;
  const y = (value: number): number => top + plotHeight * (1 - value / highest);
  const unknown = known.map((share, index) =>
    share > 0.995
      ? ""
      : `<rect class="unknown" x="${px(left + index * slot)}" y="${top}" width="${px(slot)}" height="${px(plotHeight)}"><title>${escaped(labels[index] ?? "")}: known for ${Math.round(share * 100)} %</title></rect>`,
  );
  const bars = series.flatMap(({ look, name, values }, number) =>
    values.map((value, index) =>
      value === undefined || value === 0
        ? ""
        : `<rect class="${look}" x="${px(left + index * slot + slot * 0.12 + number * bar)}" y="${px(y(value))}" width="${px(bar)}" height="${px(top + plotHeight - y(value))}"><title>${escaped(`${labels[index] ?? ""} ${name}: ${value.toFixed(2)} ${unit}`)}</title></rect>`,
    ),
  );
  const every = Math.ceil(labels.length / 16);
  const names = labels.map((label, index) =>
    index % every === 0
      ? `<text x="${px(left + (index + 0.5) * slot)}" y="${height - 6}" text-anchor="middle">${escaped(label)}</text>`
      : "",
  );
  return svg([...unknown, ...grid(highest, unit, y), ...bars, ...names].join(""));
}

/** A falling curve over shares of the time as SVG. */
export function durationChart(points: readonly { readonly share: number; readonly watts: number }[]): string {
  const highest = scaleEnd(Math.max(0, ...points.map(({ watts }) => watts)));
  const y = (value: number): number => top + plotHeight * (1 - value / highest);
  const x = (share: number): number => left + plotWidth * share;
  const line = points.map(({ share, watts }) => `${px(x(share))},${px(y(watts))}`).join(" ");
  const names = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${px(x(share))}" y="${height - 6}" text-anchor="${share === 1 ? "end" : "middle"}">${Math.round(share * 100)} %</text>`,
  );
  const area = `${px(x(0))},${px(y(0))} ${line} ${px(x(1))},${px(y(0))}`;
  return svg(
    `<polygon class="under" points="${area}"/>${grid(highest, "W", y).join("")}<polyline class="line" points="${line}"/>${names.join("")}`,
  );
}

const svg = (inner: string): string => `<svg viewBox="0 0 ${width} ${height}" role="img">${inner}</svg>`;

/** What the charts of a page refer to; once on it. */
export const hatching =
  '<svg class="hatching"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
  '<path d="M0 0V6" class="hatch"/></pattern></defs></svg>';

const steps = 4;

function grid(highest: number, unit: string, y: (value: number) => number): string[] {
  return [
    ...Array.from({ length: steps + 1 }, (_, index) => {
      const value = (highest * index) / steps;
      return (
        `<path class="grid" d="M${left} ${px(y(value))}H${width - 8}"/>` +
        `<text x="${left - 6}" y="${px(y(value) + 3.5)}" text-anchor="end">${numberText(value)}</text>`
      );
    }),
    `<text x="${left - 6}" y="10" text-anchor="end">${unit}</text>`,
  ];
}

/** The end of a scale of four even steps that people read easily. */
function scaleEnd(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((each) => value <= each * power) ?? 10) * power;
}

const numberText = (value: number): string => String(Number(value.toPrecision(3)));
const px = (value: number): string => String(Math.round(value * 10) / 10);

/** Text for HTML and SVG. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
