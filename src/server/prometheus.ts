import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { LinkReport } from "../api/link.ts";
import type { LiveInverter, LiveSnapshot } from "../api/live.ts";
import { findMetric } from "../model/metric.ts";
import type { Reading, Value } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";
import type { LiveHub } from "./live.ts";
import { numberName, prometheusPrefix, snakeCase, switchName, wordName } from "./prometheus-names.ts";
import { PrometheusText, type Labels } from "./prometheus-text.ts";

/** How the writer to a time-series database is doing. */
export interface ExportHealth {
  /** True while the latest attempt was taken. */
  readonly connected: boolean;
  readonly pointsWritten: number;
  readonly pointsWaiting: number;
  /** Lost for want of room. */
  readonly pointsDropped: number;
  /** Refused by the database. */
  readonly pointsRefused: number;
}

/** What `/metrics` tells besides the live values. */
export interface PrometheusSources {
  /** Counters and latency of a link. */
  readonly link?: (inverter: string) => LinkReport | undefined;
  /** Wh by flow of each inverter since counting began; absent before the first count. */
  readonly energy?: () => Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** Absent where nothing is written to a database. */
  readonly export?: () => ExportHealth | undefined;
}

export interface PrometheusRoute {
  readonly hub: Pick<LiveHub, "snapshot" | "systemDocument">;
  readonly sources: PrometheusSources;
}

export function addPrometheusRoute(app: Hono<{ Bindings: HttpBindings }>, { hub, sources }: PrometheusRoute): void {
  app.get("/metrics", (c) =>
    c.body(prometheusText(hub.snapshot(), hub.systemDocument(), sources), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "cache-control": "no-store",
    }),
  );
}

/** Everything of this moment, in the text format of Prometheus. What is too old to be live is not in it. */
export function prometheusText(snapshot: LiveSnapshot, system: SystemState, sources: PrometheusSources = {}): string {
  const text = new PrometheusText();
  text.gauge(`${prometheusPrefix}_build_info`, "Version of sonkrag.", { version: snapshot.version }, 1);
  for (const inverter of snapshot.inverters) {
    addInverter(text, inverter, snapshot.now);
    const link = sources.link?.(inverter.info.id);
    if (link !== undefined) addCommands(text, link);
  }
  addSystem(text, system);
  addEnergy(text, sources.energy?.() ?? {});
  const health = sources.export?.();
  if (health !== undefined) addExport(text, health);
  return text.toString();
}

const name = (rest: string): string => `${prometheusPrefix}_${rest}`;

function addInverter(text: PrometheusText, inverter: LiveInverter, now: number): void {
  const { info, status, counters, readings, staleAfterMs, pvTotal } = inverter;
  const own = { inverter: info.id };
  text.gauge(
    name("inverter_info"),
    "What is known of an inverter.",
    { ...own, serial_number: info.serialNumber, model: info.model, firmware: info.firmware, simulated: String(info.simulated) },
    1,
  );
  text.gauge(name("link_up"), "1 while the inverter answers.", own, status.state === "online" ? 1 : 0);
  text.gauge(name("link_state_info"), "How the link is doing.", { ...own, state: status.state }, 1);
  text.gauge(name("link_state_since_timestamp_seconds"), "When the link came to this state.", own, status.since / 1000);
  text.counter(name("requests_total"), "Inquiries sent since the program started.", own, counters.requests);
  text.counter(name("answers_total"), "Answers that were believed.", own, counters.accepted);
  text.counter(name("reconnects_total"), "How often the link was opened again.", own, counters.reconnects);
  for (const [reason, count] of Object.entries(counters.rejected))
    text.counter(name("rejected_total"), "What was thrown away, by reason.", { ...own, reason }, count);

  const isLive = (command: string): boolean => {
    const reading = readings[command];
    return reading !== undefined && now - reading.at <= (staleAfterMs[command] ?? 0);
  };
  for (const [command, reading] of Object.entries(readings)) {
    const labels = { ...own, command };
    text.gauge(
      name("reading_timestamp_seconds"),
      "When the latest answer to a command had arrived, live or not.",
      labels,
      reading.at / 1000,
    );
    if (isLive(command)) addReading(text, reading, labels);
  }
  if (pvTotal !== undefined && pvTotal.commands.every(isLive))
    text.gauge(name("pv_total_watts"), "PV power of all inputs together.", own, pvTotal.watts);
}

function addReading(text: PrometheusText, { values, derived, notices }: Reading, labels: Labels): void {
  for (const [key, value] of [...Object.entries(values), ...Object.entries(derived)]) addValue(text, key, value, labels);
  for (const { key, title, severity } of notices ?? [])
    text.gauge(name("notice_info"), "A warning or a fault that stands.", { ...labels, key, title, severity }, 1);
}

function addValue(text: PrometheusText, key: string, value: Value, labels: Labels): void {
  const metric = findMetric(key);
  // A text that is another one at every look would make a new series each time.
  if (metric?.passing === true) return;
  const { label, kind, positive } = metric ?? { label: key, kind: "instant" as const };
  const help = `${label}${metric?.unit === undefined ? "" : `, ${metric.unit}`}${positive === undefined ? "" : `; + is ${positive}`}.`;
  if (typeof value === "number")
    text.add(kind === "cumulative" ? "counter" : "gauge", numberName({ ...metric, key, kind }), help, labels, value);
  else if (typeof value === "boolean") text.gauge(switchName(key), help, labels, value ? 1 : 0);
  else
    for (const word of typeof value === "string" ? [value] : value) text.gauge(wordName(key), help, { ...labels, value: String(word) }, 1);
}

function addCommands(text: PrometheusText, { inverter, commands }: LinkReport): void {
  for (const [command, { requests, accepted, latencyMs }] of Object.entries(commands)) {
    const labels = { inverter, command };
    text.counter(name("command_requests_total"), "Inquiries sent, by command.", labels, requests);
    text.counter(name("command_answers_total"), "Answers that were believed, by command.", labels, accepted);
    if (latencyMs === undefined) continue;
    for (const share of ["p50", "p95", "p99", "max"] as const)
      text.gauge(
        name("answer_latency_seconds"),
        "From the first byte of a request to the last of its answer, of the latest answers.",
        { ...labels, share },
        latencyMs[share] / 1000,
      );
  }
}

/** Where there is one unit only, the system says nothing that the unit does not. */
function addSystem(text: PrometheusText, { expected, answering, totals, alarms }: SystemState): void {
  if (expected < 2) return;
  text.gauge(name("system_units_expected"), "How many units there should be.", {}, expected);
  text.gauge(name("system_units_answering"), "How many units are live.", {}, answering);
  for (const [key, { value, complete }] of Object.entries(totals)) {
    const metric = findMetric(key);
    if (metric !== undefined)
      text.gauge(
        numberName({ ...metric, key: `system_${snakeCase(key)}`, kind: "instant" }),
        `${metric.label} of all units together.`,
        { complete: String(complete) },
        value,
      );
  }
  for (const { code, severity, about } of alarms)
    text.gauge(name("system_alarm_info"), "What is the matter with the units together.", { code, severity, about }, 1);
}

function addEnergy(text: PrometheusText, energy: Readonly<Record<string, Readonly<Record<string, number>>>>): void {
  for (const [inverter, flows] of Object.entries(energy))
    for (const [flow, wattHours] of Object.entries(flows))
      text.counter(
        name("energy_watt_hours_total"),
        "Energy as sonkrag counts it, by flow; never decreases.",
        { inverter, flow: snakeCase(flow) },
        wattHours,
      );
}

function addExport(text: PrometheusText, health: ExportHealth): void {
  text.gauge(name("export_up"), "1 while the database takes what is written.", {}, health.connected ? 1 : 0);
  text.gauge(name("export_points_waiting"), "Points in the queue for the database.", {}, health.pointsWaiting);
  text.counter(name("export_points_written_total"), "Points that the database has taken.", {}, health.pointsWritten);
  text.counter(name("export_points_dropped_total"), "Points lost because the queue was full.", {}, health.pointsDropped);
  text.counter(
    name("export_points_refused_total"),
    "Points that the database refused; they are in the file of rejects.",
    {},
    health.pointsRefused,
  );
}
