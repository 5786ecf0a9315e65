import type { LiveInverter, LiveSnapshot } from "../api/live.ts";
import type { Metric, MetricGroup } from "../model/metric.ts";
import type { LinkCounters, Reading, Value } from "../model/reading.ts";
import { requestSentAs } from "../protocol/command.ts";
import { pi30 } from "../protocol/pi30/dialect.ts";
import { ageText } from "./age-text.ts";
import { systemLines } from "./status-system.ts";
import { valueText } from "./value-text.ts";

export interface ScreenOptions {
  /** Characters in a line. */
  readonly width: number;
  /** Settings and identity as well. */
  readonly all: boolean;
  readonly color: boolean;
}

const liveGroups: readonly (readonly [MetricGroup, string])[] = [
  ["pv", "PV"],
  ["battery", "Battery"],
  ["grid", "Grid"],
  ["output", "Output"],
  ["inverter", "Inverter"],
];
const restingGroups: readonly (readonly [MetricGroup, string])[] = [
  ["settings", "Settings"],
  ["identity", "Identity"],
];

interface Shown {
  readonly metric: Metric;
  readonly value: Value;
  readonly at: number;
  readonly stale: boolean;
}

/** All units together where there are several, then the latest values of every inverter; each with its age, stale ones marked. */
export function statusScreen(snapshot: LiveSnapshot, options: ScreenOptions): string {
  const time = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: snapshot.timeZone });
  const head = `sonkrag ${snapshot.version} · ${time.format(snapshot.now)} ${snapshot.timeZone}`;
  const inverters = snapshot.inverters.map((inverter) => inverterLines(snapshot, inverter, options, (at) => time.format(at)));
  const { system, journalTrouble: trouble } = snapshot;
  const journal =
    trouble === undefined
      ? []
      : [
          paint(
            `No setting is changed since ${time.format(trouble.since)}, ${trouble.failed} attempts failed: ${trouble.reason}`,
            "yellow",
            options,
          ),
        ];
  const together =
    system === undefined
      ? []
      : systemLines(system, snapshot.metrics, (at) => ageText(snapshot.now - at)).map(({ text, isTrouble }, index) =>
          paint(text, isTrouble ? "yellow" : index === 0 ? "bold" : "plain", options),
        );
  const lines = [
    head,
    ...journal,
    ...(together.length === 0 ? [] : ["", ...together]),
    ...(inverters.length === 0 ? ["", "No inverter yet."] : inverters.flatMap((part) => ["", ...part])),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function inverterLines(snapshot: LiveSnapshot, live: LiveInverter, options: ScreenOptions, format: (at: number) => string): string[] {
  const { info, status, counters } = live;
  const name = [info.id, info.model, info.serialNumber, info.device].filter((part) => part !== undefined).join(" · ");
  const simulated = info.simulated ? [paint("SIMULATED: nothing here is real", "yellow", options)] : [];
  const state = `${status.state} since ${format(status.since)}${status.message === "" ? "" : `: ${status.message}`}`;
  const groups = options.all ? [...liveGroups, ...restingGroups] : liveGroups;
  const values = latestValues(snapshot, live);
  const sections = groups
    .map(([group, title]) =>
      section(
        title,
        values.filter((shown) => shown.metric.group === group),
        snapshot.now,
        options,
      ),
    )
    .filter((lines) => lines.length > 0);
  return [
    paint(name, "bold", options),
    ...simulated,
    paint(state, status.state === "online" ? "plain" : "yellow", options),
    counterLine(counters),
    ...noticeLines(snapshot, live, options),
    ...sideBySide(sections, options.width),
  ];
}

const severities = { fault: "FAULT", warning: "WARNING", info: "Note" } as const;

/** What the inverter says is not as it should be, the worst first; of what only tells what is going on, the title. */
function noticeLines(snapshot: LiveSnapshot, live: LiveInverter, options: ScreenOptions): string[] {
  const all = Object.values(live.readings).flatMap((reading) =>
    (reading.notices ?? []).map((notice) => ({ ...notice, of: ofUnit(reading), stale: isStale(reading, snapshot, live) })),
  );
  return (Object.keys(severities) as (keyof typeof severities)[]).flatMap((severity) =>
    all
      .filter((notice) => notice.severity === severity)
      .map(({ title, explanation, advice, of, stale }) => {
        const words = severity === "info" ? [title] : [`${title}.`, explanation, advice];
        const line = `${severities[severity]}${of}: ${words.join(" ")}${stale ? " (STALE)" : ""}`;
        return paint(line, severity === "info" && !stale ? "plain" : "yellow", options);
      }),
  );
}

/** ` of parallel unit 1` where the reading is the record of one. */
function ofUnit({ command, values }: Reading): string {
  return values["unitExists"] === undefined ? "" : ` of parallel unit ${command.slice(-1)}`;
}

function isStale(reading: Reading, { now }: LiveSnapshot, { staleAfterMs }: LiveInverter): boolean {
  const limit = staleAfterMs[reading.command];
  return limit !== undefined && now - reading.at > limit;
}

function counterLine({ requests, accepted, rejected, reconnects }: LinkCounters): string {
  const reasons = Object.entries(rejected)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`);
  return `${requests} requests · ${accepted} accepted · rejected: ${reasons.join(", ") || "none"} · reconnects: ${reconnects}`;
}

/** One value for each metric: live before stale, then the command that comes first in the catalogue. */
function latestValues(snapshot: LiveSnapshot, live: LiveInverter): Shown[] {
  const chosen = new Map<string, Shown>();
  const readings = Object.values(live.readings).sort((one, other) => rank(one) - rank(other));
  for (const reading of readings) {
    const stale = isStale(reading, snapshot, live);
    for (const [key, value] of Object.entries({ ...reading.values, ...reading.derived })) {
      const metric = snapshot.metrics[key];
      const known = chosen.get(key);
      if (metric !== undefined && (known === undefined || (known.stale && !stale)))
        chosen.set(key, { metric, value, at: reading.at, stale });
    }
  }
  return Object.keys(snapshot.metrics).flatMap((key) => chosen.get(key) ?? []);
}

function rank(reading: Reading): number {
  const index = pi30.findIndex((query) => requestSentAs(query, reading.command) !== undefined);
  return index === -1 ? pi30.length : index;
}

const cellWidth = 56;

function section(title: string, values: readonly Shown[], now: number, options: ScreenOptions): string[] {
  if (values.length === 0) return [];
  const rows = values.map(({ metric, value, at, stale }) => {
    const text = `${valueText(value, metric)}${metric.unit === undefined ? "" : ` ${metric.unit}`}`;
    const age = `${ageText(now - at)}${stale ? " STALE" : ""}`;
    const label = `  ${metric.label}`;
    const gap = Math.max(1, cellWidth - 12 - label.length - text.length);
    return paint(`${label}${" ".repeat(gap)}${text}  ${age}`.padEnd(cellWidth), stale ? "yellow" : "plain", options);
  });
  return [paint(title.padEnd(cellWidth), "bold", options), ...rows];
}

/** Sections in as many columns as fit, each put where the least stands already. */
function sideBySide(sections: readonly (readonly string[])[], width: number): string[] {
  const count = Math.max(1, Math.floor((width + 2) / (cellWidth + 2)));
  const stacks: string[][] = Array.from({ length: count }, () => []);
  for (const lines of sections) {
    const lowest = stacks.reduce((best, stack) => (stack.length < best.length ? stack : best));
    lowest.push(...lines);
  }
  const height = Math.max(...stacks.map((stack) => stack.length));
  return Array.from({ length: height }, (_, row) =>
    stacks
      .map((stack) => stack[row] ?? " ".repeat(cellWidth))
      .join("  ")
      .trimEnd(),
  );
}

const colors = { plain: undefined, bold: "1", yellow: "33" } as const;

function paint(text: string, color: keyof typeof colors, options: ScreenOptions): string {
  const code = colors[color];
  return options.color && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
}
