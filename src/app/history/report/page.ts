import type { FlowKey } from "../../../energy/flow.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import { barChart, durationChart, escaped, hatching, type BarSeries } from "./chart.ts";
import type { Report } from "./report.ts";
import { storyOf, titleOf, type Section, type Table } from "./story.ts";

/** One page without anything from elsewhere, light and to be printed. */
export function reportPage(report: Report, local: LocalTime): string {
  const [first, ...rest] = storyOf(report, local);
  const title = titleOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
${hatching}
<main>
<h1>${escaped(title)}</h1>
${first === undefined ? "" : sectionHtml(first)}
${charts(report)}
${rest.map(sectionHtml).join("\n")}
</main>
</body>
</html>
`;
}

interface Shown {
  readonly key: FlowKey;
  readonly name: string;
}

const supply: readonly Shown[] = [
  { key: "pv", name: "PV" },
  { key: "load", name: "Load" },
  { key: "gridImport", name: "From the grid" },
];
const storage: readonly Shown[] = [
  { key: "batteryCharge", name: "Into the battery" },
  { key: "batteryDischarge", name: "From the battery" },
];

function charts(report: Report): string {
  const { loadDuration, total } = report;
  const found: string[] = [];
  for (const [heading, shown] of [
    ["PV, load and grid", supply],
    ["Battery", storage],
  ] as const) {
    const known = shown.filter(({ key }) => total[key] !== undefined);
    if (known.length > 0) found.push(bars(report, heading, known));
  }
  if (loadDuration.length > 1)
    found.push(figureHtml("Load duration: for how much of the known time the load was at least so high", [], durationChart(loadDuration)));
  return found.join("\n");
}

function bars({ parts, period }: Report, heading: string, shown: readonly Shown[]): string {
  const series = shown.map(({ key, name }): BarSeries => ({
    name,
    look: key,
    values: parts.map(({ flows }) => (flows[key] === undefined ? undefined : flows[key].wattHours / 1000)),
  }));
  const labels = parts.map(({ label }) => (period.kind === "day" ? label : label.slice(label.length - 2)));
  const known = parts.map(({ flows }) => Math.min(...shown.map(({ key }) => flows[key]?.coverage ?? 0)));
  return figureHtml(
    heading,
    [...series, ...(known.some((share) => share <= 0.995) ? [unknownKey] : [])],
    barChart({ labels, series, unit: "kWh", known }),
  );
}

const unknownKey = { look: "unknown", name: "Not all known" };

function figureHtml(heading: string, keys: readonly { readonly look: string; readonly name: string }[], chart: string): string {
  const legend = keys.map(
    ({ look, name }) =>
      `<span><svg class="key" viewBox="0 0 12 12"><rect class="${look}" width="12" height="12"/></svg>${escaped(name)}</span>`,
  );
  return `<figure><figcaption><b>${escaped(heading)}</b>${legend.join("")}</figcaption>${chart}</figure>`;
}

function sectionHtml({ title, sentences, table }: Section): string {
  const text = sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join("");
  return `<section><h2>${escaped(title)}</h2>${text}${table === undefined ? "" : tableHtml(table)}</section>`;
}

function tableHtml({ head, rows, right }: Table): string {
  const row = (cells: readonly string[], tag: "td" | "th"): string =>
    `<tr>${cells.map((cell, index) => `<${tag}${right.includes(index) ? ' class="right"' : ""}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("")}</tbody></table>`;
}

const style = `
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #1c2329; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 760px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 17px; margin: 28px 0 6px; padding-bottom: 3px; border-bottom: 1px solid #d5dade; }
p { margin: 2px 0; }
figure { margin: 24px 0 0; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px; margin-bottom: 4px; }
figcaption span { display: inline-flex; align-items: center; gap: 6px; color: #4a555e; }
svg { display: block; width: 100%; height: auto; }
svg.hatching { position: absolute; width: 0; height: 0; }
svg.key { width: 12px; height: 12px; }
svg text { font: 11px system-ui, sans-serif; fill: #4a555e; }
.grid { stroke: #dfe4e7; stroke-width: 1; fill: none; }
.hatch { stroke: #b9c1c7; stroke-width: 1.5; }
.unknown { fill: url(#hatch); }
.key .unknown { stroke: #b9c1c7; }
.pv { fill: #e0a100; }
.load { fill: #2867a8; }
.gridImport { fill: #a33b4c; }
.batteryCharge { fill: #2f8f5b; }
.batteryDischarge { fill: #7a5aa6; }
.under { fill: #e4edf6; }
.line { fill: none; stroke: #2867a8; stroke-width: 2; }
table { border-collapse: collapse; margin-top: 8px; font-variant-numeric: tabular-nums; }
td:first-child { white-space: nowrap; }
th, td { text-align: left; padding: 2px 18px 2px 0; vertical-align: top; }
th { font-weight: 600; color: #4a555e; }
tbody tr + tr td { border-top: 1px solid #eef1f3; }
.right { text-align: right; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
h2 { break-after: avoid; }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
@page { margin: 14mm; }
@media screen { section { overflow-x: auto; } }
@media print { main { max-width: none; padding: 0; } body { font-size: 11pt; } }
`;
