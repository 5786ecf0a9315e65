import { expect, test } from "vitest";
import { payloads, readingOf } from "../../test/support/readings.ts";
import { LocalTime } from "../model/local-time.ts";
import { ClassicFormat, CsvFormat } from "./log-format.ts";
import type { LogColumn, LogEntry } from "./log-format.ts";

const clock = LocalTime.of("Africa/Johannesburg");
const at = Date.parse("2020-08-23T15:14:33.243Z");
const entryOf = (overrides: Parameters<typeof readingOf>[1] = {}, simulated = false): LogEntry => ({
  reading: readingOf(at, overrides),
  simulated,
  stamp: clock.stamp(at),
});

const columns: readonly LogColumn[] = [{ name: "gridVoltage", unit: "V" }, { name: "heat sink", unit: "°C" }, { name: "deviceStatus" }];
const classic = new ClassicFormat(() => columns);
const csv = new CsvFormat();

test("a classic line is the older script's: local time with six decimals, a comma, the payload", () => {
  expect(classic.line("", entryOf())).toBe(`2020-08-23 17:14:33.243000,${payloads.QPIGS}`);
});

test("the classic header has as many space-separated parts as a line, whatever the columns say", () => {
  const header = classic.header(entryOf());
  const line = classic.line(header, entryOf());
  expect(header.split(" ")).toHaveLength(line.split(" ").length);
  expect(Buffer.from(header, "latin1").toString("utf8")).toMatch(
    /^date time,gridVoltage\[V\] heat_sink\[°C\] deviceStatus field3 field4 .* field20$/,
  );
});

test("a simulated inverter is marked in the header without a shift", () => {
  const header = classic.header(entryOf({}, true));
  expect(header).toMatch(/^date time\(simulated\),gridVoltage/);
  expect(header.split(" ")).toHaveLength(classic.header(entryOf()).split(" ").length);
  expect(csv.header(entryOf({}, true))).toMatch(/^time\(simulated\),gridVoltage\[V\],/);
});

test("under a classic header fit lines of the same width and the same reality", () => {
  const header = classic.header(entryOf());
  expect(classic.fits(header, entryOf())).toBe(true);
  expect(classic.fits(header, entryOf({ payload: `${payloads.QPIGS} 0 00 0000` }))).toBe(false);
  expect(classic.fits(header, entryOf({}, true))).toBe(false);
  expect(classic.fits("Maak nog korrekte opskrifte hier", entryOf())).toBe(true);
  expect(classic.fits("Maak nog korrekte opskrifte hier", entryOf({}, true))).toBe(false);
});

test("csv has one named column a metric, and absent is an empty cell", () => {
  const header = csv.header(entryOf());
  expect(Buffer.from(header, "latin1").toString("utf8")).toBe(
    "time,gridVoltage[V],batteryVoltage[V],heatSinkTemperature[°C],deviceStatus,batteryPower[W],inverter",
  );
  expect(csv.line(header, entryOf())).toBe("2020-08-23T17:14:33.243+02:00,233.8,52,48,loadOn|chargingOn,-52,axpert-1");
  const poorer = entryOf({ values: { batteryVoltage: 0, deviceStatus: [] }, derived: {} });
  expect(csv.fits(header, poorer)).toBe(true);
  expect(csv.line(header, poorer)).toBe("2020-08-23T17:14:33.243+02:00,,0,,none,,axpert-1");
});

test("csv quotes as RFC 4180 says", () => {
  const entry = entryOf({ values: { modelName: 'King, "5 kVA"\nII' }, derived: {} });
  const header = csv.header(entry);
  expect(csv.line(header, entry)).toBe('2020-08-23T17:14:33.243+02:00,"King, ""5 kVA""\nII",axpert-1');
});

test("a new metric does not fit under a csv header; the next header keeps the earlier columns in place", () => {
  const header = csv.header(entryOf());
  const richer = entryOf({ values: { pv1Power: 100, gridVoltage: 230 } });
  expect(csv.fits(header, richer)).toBe(false);
  const next = csv.header(richer, header);
  expect(next).toBe(header.replace(",inverter", ",pv1Power[W],inverter"));
  expect(csv.fits(next, richer)).toBe(true);
  expect(csv.fits(next, entryOf())).toBe(true);
});

test.each([classic, csv])("$extension: a line cut anywhere is not taken for a whole one", (format) => {
  const entry = entryOf({ values: { gridVoltage: 233.8, modelName: "a,b" } });
  const header = format.header(entry);
  const line = format.line(header, entry);
  expect(format.isWhole(line, line)).toBe(true);
  for (let length = 0; length < line.length; length++) expect(format.isWhole(line.slice(0, length), line)).toBe(false);
  // Nothing to judge by: not whole for certain.
  expect(format.isWhole(line, header)).toBe(false);
});
