/**
 * The dashboards of share/grafana/: panels are declared once, over metrics of the registry, and written in the words of each
 * database. Units and titles are the registry's.
 */
import { flowKeys, flowLabel } from "../dist/energy/flow.js";
import { metric } from "../dist/model/metric.js";
import { numberName, prometheusPrefix, snakeCase, wordName } from "../dist/server/prometheus-names.js";

/**
 * @typedef {keyof typeof metric} Key
 * @typedef {{ readonly expr?: string, readonly query?: string, readonly legend: string }} Query
 * @typedef {{ title: string, type: "timeseries" | "stat" | "gauge" | "state-timeline" | "table", unit?: string | undefined, width: number, height: number,
 *   description?: string, max?: number, stacked?: boolean, targets: readonly (Query | undefined)[] }} Panel
 * @typedef {object} Words How a database is asked.
 * @property {string} title
 * @property {"prometheus" | "influxdb"} datasource
 * @property {object} variable that picks the inverters
 * @property {(key: Key) => Query} number its course
 * @property {(key: Key) => Query} word the states it has been in
 * @property {Query} online
 * @property {Record<"rejected" | "latency" | "waiting", Query | undefined>} link what the live program alone knows of its links
 * @property {(flow: import("../dist/energy/flow.js").FlowKey) => Query} energy counted by sonkrag
 * @property {Query | undefined} notices
 */

/** Answers about other units of a parallel system and factory defaults carry the same metrics. */
const others = String.raw`Q(PGS|P2GS|2PGS).*|QDI`;

/** @type {Record<import("../dist/model/metric.js").Unit, string>} units in Grafana's words */
const grafanaUnits = {
  V: "volt",
  A: "amp",
  W: "watt",
  VA: "voltamp",
  Hz: "hertz",
  "%": "percent",
  "°C": "celsius",
  Wh: "watth",
  mV: "mvolt",
  s: "s",
  min: "m",
  h: "h",
  d: "d",
};

/** @param {Key} key */
const labelOf = (key) => metric[key].label;
/** @param {Key} key */
const unitOf = (key) => {
  const of = metric[key];
  return "unit" in of ? grafanaUnits[of.unit] : undefined;
};

const own = `inverter=~"$inverter",command!~"${others}"`;

/** @param {string} values a query for the values of label `inverter` */
const promVariable = (values) => ({
  name: "inverter",
  label: "Inverter",
  type: "query",
  datasource: { type: "prometheus", uid: "${datasource}" },
  query: { query: values, refId: "inverter" },
  definition: values,
  includeAll: true,
  multi: true,
  refresh: 2,
  current: {},
});

/** @type {Words} what Prometheus has scraped */
const prometheus = {
  title: "sonkrag (Prometheus)",
  datasource: "prometheus",
  variable: promVariable(`label_values(${prometheusPrefix}_link_up, inverter)`),
  number: (key) => ({ expr: `max by (inverter) (${numberName(metric[key])}{${own}})`, legend: `${labelOf(key)} {{inverter}}` }),
  word: (key) => ({ expr: `max by (inverter, value) (${wordName(key)}{${own}})`, legend: "{{inverter}} {{value}}" }),
  online: { expr: `${prometheusPrefix}_link_up{inverter=~"$inverter"}`, legend: "{{inverter}}" },
  link: {
    rejected: {
      expr: `sum by (inverter, reason) (rate(${prometheusPrefix}_rejected_total{inverter=~"$inverter"}[$__rate_interval])) * 3600 > 0`,
      legend: "{{inverter}} {{reason}}",
    },
    latency: {
      expr: `max by (inverter, command) (${prometheusPrefix}_answer_latency_seconds{inverter=~"$inverter",share="p95"})`,
      legend: "{{inverter}} {{command}}",
    },
    waiting: { expr: `${prometheusPrefix}_export_points_waiting`, legend: "Points waiting for the other database" },
  },
  energy: (flow) => ({
    expr: `sum by (inverter) (increase(${prometheusPrefix}_energy_watt_hours_total{inverter=~"$inverter",flow="${snakeCase(flow)}"}[1d]))`,
    legend: `${flowLabel(flow)} {{inverter}}`,
  }),
  notices: { expr: `${prometheusPrefix}_notice_info{inverter=~"$inverter"}`, legend: "{{inverter}}: {{title}} ({{severity}})" },
};

/** @type {Words} what sonkrag has written to VictoriaMetrics, with words as tags: measurement and field make the name */
const victoriaMetrics = {
  title: "sonkrag (VictoriaMetrics)",
  datasource: "prometheus",
  variable: promVariable("label_values(sonkrag_link_online, inverter)"),
  number: (key) => ({ expr: `max by (inverter) (sonkrag_${key}{${own}})`, legend: `${labelOf(key)} {{inverter}}` }),
  word: (key) => ({ expr: `max by (inverter, value) (sonkrag_state_active{name="${key}",${own}})`, legend: "{{inverter}} {{value}}" }),
  // A change of the link is a point; it stands until the next one.
  online: { expr: `last_over_time(sonkrag_link_online{inverter=~"$inverter"}[30d])`, legend: "{{inverter}}" },
  link: { rejected: undefined, latency: undefined, waiting: undefined },
  energy: (flow) => ({
    expr: `sum by (inverter) (increase(sonkrag_energy_${flow}{inverter=~"$inverter"}[1d]))`,
    legend: `${flowLabel(flow)} {{inverter}}`,
  }),
  notices: { expr: `max by (inverter, value) (sonkrag_state_active{name="warnings",${own}})`, legend: "{{inverter}}: {{value}}" },
};

const influxFilter = `"inverter" =~ /^$inverter$/ AND "command" !~ /^(${others})$/ AND $timeFilter`;

/** @type {Words} what sonkrag has written to InfluxDB, asked in InfluxQL */
const influxdb = {
  title: "sonkrag (InfluxDB)",
  datasource: "influxdb",
  variable: {
    name: "inverter",
    label: "Inverter",
    type: "query",
    datasource: { type: "influxdb", uid: "${datasource}" },
    query: 'SHOW TAG VALUES FROM "sonkrag" WITH KEY = "inverter"',
    definition: 'SHOW TAG VALUES FROM "sonkrag" WITH KEY = "inverter"',
    includeAll: true,
    multi: true,
    refresh: 2,
    current: {},
  },
  number: (key) => ({
    query: `SELECT mean("${key}") FROM "sonkrag" WHERE ${influxFilter} GROUP BY time($__interval), "inverter" fill(none)`,
    legend: `${labelOf(key)} $tag_inverter`,
  }),
  word: (key) => ({
    query: `SELECT last("${key}") FROM "sonkrag" WHERE ${influxFilter} GROUP BY time($__interval), "inverter" fill(none)`,
    legend: "$tag_inverter",
  }),
  online: {
    query: 'SELECT "online" FROM "sonkrag_link" WHERE "inverter" =~ /^$inverter$/ AND $timeFilter GROUP BY "inverter"',
    legend: "$tag_inverter",
  },
  link: { rejected: undefined, latency: undefined, waiting: undefined },
  energy: (flow) => ({
    query: `SELECT non_negative_difference(last("${flow}")) FROM "sonkrag_energy" WHERE "inverter" =~ /^$inverter$/ AND $timeFilter GROUP BY time(1h), "inverter" fill(previous)`,
    legend: `${flowLabel(flow)} $tag_inverter`,
  }),
  notices: {
    query: `SELECT last("warnings") FROM "sonkrag" WHERE ${influxFilter} GROUP BY time($__interval), "inverter" fill(none)`,
    legend: "$tag_inverter",
  },
};

/** @type {readonly Key[]} */
const pvPowers = ["pv1Power", "pv2Power", "pv3Power"];

/**
 * The panels, in rows; a row is 24 wide.
 * @param {Words} words
 * @returns {readonly { title: string, panels: readonly Panel[] }[]}
 */
const rows = (words) => {
  /** @type {(title: string, keys: readonly Key[], more?: Partial<Panel>) => Panel} */
  const plot = (title, keys, more = {}) => ({
    title,
    type: "timeseries",
    unit: keys[0] === undefined ? undefined : unitOf(keys[0]),
    width: 12,
    height: 8,
    targets: keys.map(words.number),
    ...more,
  });
  /** @type {(key: Key, more?: Partial<Panel>) => Panel} */
  const now = (key, more = {}) => ({
    title: labelOf(key),
    type: "stat",
    unit: unitOf(key),
    width: 4,
    height: 4,
    targets: [words.number(key)],
    ...more,
  });
  /** @type {(title: string, key: Key) => Panel} */
  const states = (title, key) => ({ title, type: "state-timeline", width: 12, height: 6, targets: [words.word(key)] });
  return [
    {
      title: "Now",
      panels: [
        now("pv1Power", { targets: pvPowers.map(words.number), title: "PV power" }),
        now("loadActivePower"),
        now("batteryPower", { description: "+ is discharge, − is charge." }),
        now("batterySoc", { type: "gauge", max: 100 }),
        now("gridVoltage"),
        { title: "Link", type: "stat", width: 4, height: 4, targets: [words.online] },
      ],
    },
    {
      title: "Energy flow",
      panels: [
        plot("Power", [...pvPowers, "loadActivePower", "batteryPower"], {
          width: 24,
          height: 10,
          description: "Battery: + is discharge, − is charge.",
        }),
        {
          title: words.datasource === "prometheus" ? "Energy of the last 24 hours" : "Energy by hour",
          type: "timeseries",
          unit: "watth",
          width: 24,
          height: 8,
          targets: flowKeys.map(words.energy),
        },
        states("Mode", "operatingMode"),
        states("Device status", "deviceStatus"),
      ],
    },
    {
      title: "PV strings",
      panels: [
        plot("PV power", pvPowers, { width: 8, stacked: true }),
        plot("PV voltage", ["pv1Voltage", "pv2Voltage", "pv3Voltage"], { width: 8 }),
        plot("PV current", ["pv1Current", "pv2Current", "pv3Current"], { width: 8 }),
      ],
    },
    {
      title: "Battery",
      panels: [
        plot("Battery voltage", ["batteryVoltage", "batteryBulkVoltage", "batteryFloatVoltage", "batteryCutOffVoltage"], {
          description: "With the voltages that are set.",
        }),
        plot("State of charge", ["batterySoc", "bmsSoc"], { max: 100 }),
        plot("Battery current", ["batteryChargeCurrent", "batteryDischargeCurrent", "batteryCurrent"], {
          description: "Battery current: + is discharge.",
        }),
        plot("Battery power", ["batteryPower"], { description: "+ is discharge, − is charge." }),
      ],
    },
    {
      title: "Grid and load",
      panels: [
        plot("Voltage", ["gridVoltage", "outputVoltage"]),
        plot("Frequency", ["gridFrequency", "outputFrequency"]),
        plot("Load", ["loadActivePower"]),
        plot("Load level", ["loadPercent"]),
      ],
    },
    {
      title: "Temperatures and warnings",
      panels: [
        plot("Temperature", [
          "heatSinkTemperature",
          "inverterTemperature",
          "solarChargerTemperature",
          "transformerTemperature",
          "bmsTemperature",
        ]),
        {
          title: "Warnings",
          type: words.datasource === "prometheus" ? "state-timeline" : "table",
          width: 12,
          height: 8,
          targets: [words.notices],
        },
      ],
    },
    {
      title: "Link quality",
      panels: [
        { title: "Thrown away an hour, by reason", type: "timeseries", width: 12, height: 8, targets: [words.link.rejected] },
        { title: "Latency, 95 %", type: "timeseries", unit: "s", width: 12, height: 8, targets: [words.link.latency] },
        { title: "Inverter answers", type: "state-timeline", width: 12, height: 6, targets: [words.online] },
        { title: "Queue to the other database", type: "timeseries", width: 12, height: 6, targets: [words.link.waiting] },
      ],
    },
  ];
};

/**
 * @param {Panel} panel
 * @param {Words} words
 * @param {{ id: number, x: number, y: number }} place
 */
function panelJson({ title, type, unit, width, height, description, max, stacked, targets }, { datasource }, { id, x, y }) {
  const source = { type: datasource, uid: "${datasource}" };
  const isPlot = type === "timeseries";
  return {
    id,
    title,
    type,
    ...(description === undefined ? {} : { description }),
    datasource: source,
    gridPos: { x, y, w: width, h: height },
    targets: targets
      .filter((target) => target !== undefined)
      .map(({ expr, query, legend }, index) => ({
        refId: String.fromCharCode(65 + index),
        datasource: source,
        ...(expr === undefined
          ? { query, rawQuery: true, alias: legend, resultFormat: "time_series" }
          : { expr, legendFormat: legend, range: true }),
      })),
    fieldConfig: {
      defaults: {
        ...(unit === undefined ? {} : { unit }),
        ...(max === undefined ? {} : { min: 0, max }),
        // A gap in the values is shown as one.
        ...(isPlot
          ? {
              custom: {
                lineWidth: 1,
                fillOpacity: stacked ? 30 : 8,
                spanNulls: 120_000,
                ...(stacked && { stacking: { mode: "normal", group: "A" } }),
              },
            }
          : {}),
      },
      overrides: [],
    },
    options: isPlot
      ? { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "none" } }
      : type === "stat" || type === "gauge"
        ? { reduceOptions: { calcs: ["lastNotNull"], values: false } }
        : {},
  };
}

/** @param {Words} words */
function dashboard(words) {
  const panels = [];
  let id = 0;
  let y = 0;
  for (const row of rows(words)) {
    const shown = row.panels.filter(({ targets }) => targets.some((target) => target !== undefined));
    panels.push({ id: ++id, title: row.title, type: "row", collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of shown) {
      if (x + panel.width > 24) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      panels.push(panelJson(panel, words, { id: ++id, x, y }));
      x += panel.width;
      lineHeight = Math.max(lineHeight, panel.height);
    }
    y += lineHeight;
  }
  return {
    title: words.title,
    uid: `sonkrag-${words.title.replace(/.*\(|\)/g, "").toLowerCase()}`,
    tags: ["sonkrag", "solar"],
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "10s",
    time: { from: "now-24h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Data source", type: "datasource", query: words.datasource, current: {} }, words.variable],
    },
    panels,
  };
}

/** The dashboards by file name. */
export const grafanaDashboards = () => ({
  "sonkrag-prometheus.json": dashboard(prometheus),
  "sonkrag-victoriametrics.json": dashboard(victoriaMetrics),
  "sonkrag-influxdb.json": dashboard(influxdb),
});
