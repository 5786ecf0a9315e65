import { describe, expect, test } from "vitest";
import type { LinkReport } from "../api/link.ts";
import { metric } from "../model/metric.ts";
import { noRejections, type Reading } from "../model/reading.ts";
import { online, readingOf, realInverter } from "../../test/support/readings.ts";
import { LiveHub } from "./live.ts";
import { numberName, switchName, wordName } from "./prometheus-names.ts";
import { prometheusText, type PrometheusSources } from "./prometheus.ts";

const at = Date.UTC(2026, 0, 1, 12);
const counters = { requests: 12, accepted: 10, rejected: { ...noRejections(), checksum: 2 }, reconnects: 1 };

function scrape(readings: readonly Reading[], { now = at, ...sources }: PrometheusSources & { readonly now?: number } = {}): string[] {
  const hub = new LiveHub({ version: "1.2.3", timeZone: "UTC", now: () => now, counters: () => counters, staleAfterMs: () => 10_000 });
  hub.status(online, realInverter);
  for (const reading of readings) hub.reading(reading, realInverter);
  return prometheusText(hub.snapshot(), hub.systemDocument(), sources).split("\n");
}

describe("names", () => {
  test.each([
    [metric.batteryVoltage, "sonkrag_battery_voltage_volts"],
    [metric.loadApparentPower, "sonkrag_load_apparent_power_volt_amperes"],
    [metric.loadPercent, "sonkrag_load_percent"],
    [metric.batterySoc, "sonkrag_battery_soc_percent"],
    [metric.heatSinkTemperature, "sonkrag_heat_sink_temperature_celsius"],
    [metric.pvEnergyTotal, "sonkrag_pv_energy_watt_hours_total"],
    [metric.pvEnergyOfDay, "sonkrag_pv_energy_of_day_watt_hours_total"],
    [metric.l2GridFrequency, "sonkrag_l2_grid_frequency_hertz"],
    [metric.heatSinkRaw, "sonkrag_heat_sink_raw"],
  ])("$key", (of, expected) => {
    expect(numberName(of)).toBe(expected);
  });

  test("no two metrics meet in one name, and every name is one that Prometheus takes", () => {
    const all = Object.values(metric).flatMap((of) => [numberName(of), switchName(of.key), wordName(of.key)]);
    for (const name of all) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    const owners = new Map<string, Set<string>>();
    for (const of of Object.values(metric))
      for (const name of [numberName(of), switchName(of.key), wordName(of.key)])
        owners.set(name, (owners.get(name) ?? new Set()).add(of.key));
    expect([...owners].filter(([, keys]) => keys.size > 1)).toEqual([]);
  });
});

describe("/metrics", () => {
  test("numbers, words and yes or no of a live reading, with the label of the registry as help", () => {
    const lines = scrape([
      readingOf(at, {
        values: { batteryVoltage: 52.2, deviceStatus: ["loadOn", "chargingOn"], equalizationActive: false },
        derived: { batteryPower: -52 },
      }),
      readingOf(at, { command: "QMOD", values: { operatingMode: "line" }, derived: {} }),
    ]);
    const own = 'inverter="axpert-1",command=';
    expect(lines).toEqual(
      expect.arrayContaining([
        "# HELP sonkrag_battery_voltage_volts Battery voltage, V.",
        "# TYPE sonkrag_battery_voltage_volts gauge",
        `sonkrag_battery_voltage_volts{${own}"QPIGS"} 52.2`,
        "# HELP sonkrag_battery_power_watts Battery power, W; + is discharge.",
        `sonkrag_battery_power_watts{${own}"QPIGS"} -52`,
        `sonkrag_device_status_info{${own}"QPIGS",value="loadOn"} 1`,
        `sonkrag_device_status_info{${own}"QPIGS",value="chargingOn"} 1`,
        `sonkrag_equalization_active{${own}"QPIGS"} 0`,
        `sonkrag_operating_mode_info{${own}"QMOD",value="line"} 1`,
        'sonkrag_link_up{inverter="axpert-1"} 1',
        'sonkrag_rejected_total{inverter="axpert-1",reason="checksum"} 2',
        'sonkrag_inverter_info{inverter="axpert-1",serial_number="92931905106458",model="Axpert KING",simulated="false"} 1',
        'sonkrag_build_info{version="1.2.3"} 1',
      ]),
    );
  });

  test("a stale value is absent; only when it came is still told", () => {
    const reading = readingOf(at, { values: { batteryVoltage: 52.2, pv1Power: 5 }, derived: {} });
    expect(scrape([reading], { now: at + 10_000 }).join("\n")).toContain("sonkrag_battery_voltage_volts{");
    const later = scrape([reading], { now: at + 10_001 }).join("\n");
    expect(later).not.toContain("battery_voltage");
    expect(later).not.toContain("pv_total");
    expect(later).toContain(`sonkrag_reading_timestamp_seconds{inverter="axpert-1",command="QPIGS"} ${at / 1000}`);
  });

  test("a counter counts, a clock is left out, a warning stands with its title", () => {
    const notice = { key: "gridFailed", title: 'No "grid"\\', severity: "warning", explanation: "", advice: "" } as const;
    const lines = scrape([
      readingOf(at, { command: "QET", values: { pvEnergyTotal: 12345 }, derived: {} }),
      readingOf(at, { command: "QT", values: { unitClock: "2026-01-01T12:00:00" }, derived: {} }),
      readingOf(at, { command: "QPIWS", values: { warnings: ["gridFailed"] }, derived: {}, notices: [notice] }),
    ]).join("\n");
    expect(lines).toContain("# TYPE sonkrag_pv_energy_watt_hours_total counter");
    expect(lines).not.toContain("unit_clock");
    expect(lines).toContain(
      String.raw`sonkrag_notice_info{inverter="axpert-1",command="QPIWS",key="gridFailed",title="No \"grid\"\\",severity="warning"} 1`,
    );
  });

  test("latency by command, counted energy and the queue to a database", () => {
    const latencyMs = { p50: 120, p95: 250, p99: 300, max: 410.5, answers: 7 };
    const link = {
      inverter: "axpert-1",
      commands: { QPIGS: { requests: 8, accepted: 7, rejected: {}, latencyMs } },
    } as unknown as LinkReport;
    const lines = scrape([], {
      link: (id) => (id === "axpert-1" ? link : undefined),
      energy: () => ({ "axpert-1": { gridImport: 1234.5 } }),
      export: () => ({ connected: false, pointsWritten: 5, pointsWaiting: 4, pointsDropped: 3, pointsRefused: 2 }),
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        'sonkrag_command_requests_total{inverter="axpert-1",command="QPIGS"} 8',
        'sonkrag_answer_latency_seconds{inverter="axpert-1",command="QPIGS",share="max"} 0.4105',
        'sonkrag_energy_watt_hours_total{inverter="axpert-1",flow="grid_import"} 1234.5',
        "sonkrag_export_up 0",
        "sonkrag_export_points_waiting 4",
      ]),
    );
  });
});
