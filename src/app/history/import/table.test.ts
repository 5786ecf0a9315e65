import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalTime } from "../../../model/local-time.ts";
import { readMapping } from "./mapping.ts";
import { takeTable } from "./table.ts";
import type { Taken, TakeOptions } from "./taken.ts";

const options: TakeOptions = {
  file: "other.csv",
  inverter: (own) => own ?? "garage",
  local: LocalTime.of("Europe/Berlin"),
  recover: false,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-table-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function mappingOf(yaml: string) {
  const file = join(folder, "mapping.yaml");
  await writeFile(file, yaml);
  return readMapping(file);
}

async function take(yaml: string, table: string | Buffer): Promise<Taken> {
  return takeTable(Buffer.from(table), await mappingOf(yaml), options);
}

const simple = "time: { column: Time }\nvalues: { loadActivePower: Load }\n";

test("columns become metrics in our units and signs, in the answers that bring them live; derived ones follow", async () => {
  const taken = await take(
    `
table: { delimiter: ";", decimal: "," }
time: { column: [Day, Clock], format: DD.MM.YYYY HH:mm:ss }
values:
  loadActivePower: { column: Load, unit: kW }
  batteryVoltage: Battery
  batteryCurrent: { column: Charging, sign: opposite }
  heatSinkTemperature: { column: Heat, unit: °F }
  pv1Voltage: { column: Sun, scale: 0.1, offset: 5 }
  operatingMode: { column: Mode, words: { Grid: line, Accu: battery } }
`,
    "\uFEFFDay;Clock;Load;Battery;Charging;Heat;Sun;Mode;Rest\r\n" +
      '25.10.2026;01:30:00;1,234;52,4;12,5;104;3.001;"Grid";x\r\n' +
      "25.10.2026;02:30:00;-;52,4;0;;;Accu;x\r\n" +
      "25.10.2026;02:30:00;0,5;1.052,4;;;;;x\r\n" +
      "25.10.2026;02:45:00;0,5;52,4;;;;;x\r\n",
  );
  const at = (time: string): number => Date.parse(`2026-10-${time}Z`);
  const row = { inverter: "garage", command: "QPIGS" };
  expect(taken.rows).toEqual([
    {
      ...row,
      at: at("24T23:30:00"),
      values: { loadActivePower: 1_234, batteryVoltage: 52.4, batteryCurrent: -12.5, heatSinkTemperature: 40, pv1Voltage: 305.1 },
    },
    { ...row, at: at("24T23:30:00"), command: "QMOD", values: { operatingMode: "line" } },
    { ...row, at: at("25T00:30:00"), values: { batteryVoltage: 52.4, batteryCurrent: 0 } },
    { ...row, at: at("25T00:30:00"), command: "QMOD", values: { operatingMode: "battery" } },
    { ...row, at: at("25T00:45:00"), values: { loadActivePower: 500, batteryVoltage: 52.4 } },
  ]);
  // 1,052.4 V is a number, and no battery's.
  expect(taken.rejected).toEqual([{ line: 4, class: "V", text: "25.10.2026;02:30:00;0,5;1.052,4;;;;;x" }]);
  expect(taken).toMatchObject({ lines: 5, headers: 1, accepted: 3, notes: [] });
});

test("charge and discharge currents give the battery's power, as live", async () => {
  const yaml = "time: { column: t, format: seconds }\nvalues: { batteryVoltage: v, batteryChargeCurrent: c, batteryDischargeCurrent: d }\n";
  const { rows } = await take(yaml, "t,v,c,d\n1761350400.5,50,10,0\n");
  expect(rows).toEqual([
    {
      inverter: "garage",
      at: 1_761_350_400_500,
      command: "QPIGS",
      values: { batteryVoltage: 50, batteryChargeCurrent: 10, batteryDischargeCurrent: 0, batteryCurrent: -10, batteryPower: -500 },
      origins: { batteryCurrent: "derived", batteryPower: "derived" },
    },
  ]);
});

test("a table with one value a line is put together by time", async () => {
  const yaml = `
time: { column: last_changed }
keyed: { key: entity_id, value: state }
values: { loadActivePower: sensor.load, pv1Power: sensor.sun }
`;
  const taken = await take(
    yaml,
    "entity_id,state,last_changed\nsensor.load,100,2026-06-01T10:00:00.000Z\nsensor.load,unavailable,2026-06-01T10:01:00.000Z\n" +
      "sensor.other,1,2026-06-01T10:00:00.000Z\nsensor.sun,250.5,2026-06-01T10:00:00.000Z\n",
  );
  expect(taken).toMatchObject({ lines: 5, headers: 3, accepted: 2, rejected: [] });
  expect(taken.rows).toEqual([
    { inverter: "garage", at: Date.parse("2026-06-01T10:00:00Z"), command: "QPIGS", values: { loadActivePower: 100, pv1Power: 250.5 } },
  ]);
});

test("lines that are no rows are kept apart with their number, and stop nothing", async () => {
  const lines = [
    "Time,Load",
    "2026-06-01 10:00:00,100",
    "2026-06-01 10:00:30,1o0",
    "2026-06-01 10:01:00",
    "yesterday,100",
    "Time,Load",
    "",
    '2026-06-01 10:02:00,"1',
    '00"',
    "2026-06-01 10:02:30,-5",
    "2026-06-01 10:03:00,101",
    '2026-06-01 10:04:00,"102',
    "2026-06-01 10:05:00,103",
  ];
  const taken = await take(simple, lines.join("\n"));
  expect(taken.rows.map(({ values }) => values["loadActivePower"])).toEqual([100, 101]);
  expect(taken.rejected).toEqual([
    { line: 3, class: "V", text: lines[2] },
    { line: 4, class: "X", text: lines[3] },
    { line: 5, class: "X", text: lines[4] },
    { line: 7, class: "V", text: String.raw`\n2026-06-01 10:02:00,"1\n00"` },
    { line: 10, class: "V", text: lines[9] },
    { line: 12, class: "X", text: `${lines[11]}\\n${lines[12]}` },
  ]);
});

describe("times", () => {
  test.each([
    ["iso", "2026-06-01T12:00:00.25+02:00", "2026-06-01T10:00:00.250Z"],
    ["iso", "2026-06-01 10:00:00 UTC", "2026-06-01T10:00:00.000Z"],
    ["iso", "2026-06-01 12:00", "2026-06-01T10:00:00.000Z"],
    ["iso", "2026-06-01T15:30:00+0530", "2026-06-01T10:00:00.000Z"],
    ["milliseconds", "1780308000000", "2026-06-01T10:00:00.000Z"],
    ["MM/DD/YYYY hh:mm:ss A", "6/1/2026 12:00:00 PM", "2026-06-01T10:00:00.000Z"],
    ["MM/DD/YYYY hh:mm:ss A", "6/1/2026 12:00:00 AM", "2026-05-31T22:00:00.000Z"],
    ["YYYY/MM/DD HH:mm:ss.SSS", "2026/06/01 12:00:00.123456", "2026-06-01T10:00:00.123Z"],
  ])("%s: %s", async (format, text, expected) => {
    const { rows } = await take(
      `time: { column: Time, format: "${format}" }\nvalues: { loadActivePower: Load }\n`,
      `Time,Load\n${text},1\n`,
    );
    expect(rows.map(({ at }) => new Date(at).toISOString())).toEqual([expected]);
  });

  test("a zone of its own; a skipped hour is told", async () => {
    const yaml = "time: { column: Time, zone: America/New_York }\nvalues: { loadActivePower: Load }\n";
    const { rows, notes } = await take(yaml, "Time,Load\n2026-03-08 01:30:00,1\n2026-03-08 02:30:00,1\n");
    expect(rows.map(({ at }) => new Date(at).toISOString())).toEqual(["2026-03-08T06:30:00.000Z", "2026-03-08T07:30:00.000Z"]);
    expect(notes).toEqual([
      expect.stringMatching(/^1 times that the clocks of America\/New_York leave out, the first 2026-03-08 02:30:00/),
    ]);
  });
});

test("other encodings are read, a column that is missing is told with what was likely meant", async () => {
  const yaml = (encoding: string) => `table: { encoding: ${encoding} }\ntime: { column: Time }\nvalues: { heatSinkTemperature: Wärme }\n`;
  const text = "Time,Wärme\n2026-06-01 10:00:00,40\n";
  for (const encoding of ["latin1", "utf-16le"] as const)
    expect((await take(yaml(encoding), Buffer.from(text, encoding))).rows[0]?.values).toEqual({ heatSinkTemperature: 40 });
  await expect(take(simple, "Time,Loud\n")).rejects.toThrow(
    'expected a column "Load" (values.loadActivePower of the mapping), got Time, Loud; did you mean "Loud"?',
  );
  await expect(take(simple, "")).rejects.toThrow(/expected a table with a header/);
});

test("every mistake of a mapping is told with its place", async () => {
  const start = "time: { column: t }\nvalues:\n  ";
  for (const [yaml, expected] of [
    ["values: [", /:1:\d+: not valid YAML/],
    [
      "time:\n  column: t\n  format: YYYY-MM\nvalues:\n  gridVoltage: { colum: V }\ntables: {}\n",
      /:3:11: time\.format: expected iso, .*got "YYYY-MM"\n.*:5:16: .*expected text, got nothing\n.*:5:18: unknown key "colum" .*"column"\?\n.*:6:1: .*"table"\?$/,
    ],
    [`${start}loadActivPower: Load`, /:3:\d+: .*expected a metric, got "loadActivPower"; did you mean "loadActivePower"\?$/],
    [`${start}batteryVoltage: { column: V, unit: kW }`, /:3:\d+: values\.batteryVoltage\.unit: expected V or mV, got "kW"$/],
    [
      `${start}operatingMode: { column: M, scale: 2 }`,
      /values\.operatingMode\.scale: expected no scale, got one: operatingMode is no number$/,
    ],
    [
      `${start}gridVoltage: { column: V, words: { a: b } }`,
      /values\.gridVoltage\.words: expected no words, got some: gridVoltage is a number$/,
    ],
    ["time: { column: t, zone: Mars }\nvalues: { gridVoltage: V }", /time\.zone: expected an IANA time zone .*got "Mars"$/],
    ["time: { column: t }\nvalues: {}", /values: expected at least one metric/],
  ] as const)
    await expect(mappingOf(yaml)).rejects.toThrow(expected);
});

test("the mappings that the documentation shows are valid", async () => {
  const page = await readFile(join(import.meta.dirname, "../../../../docs/import.md"), "utf8");
  const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml ?? "");
  expect(examples).toHaveLength(3);
  for (const yaml of examples) expect((await mappingOf(yaml)).values.length).toBeGreaterThan(2);
});

test("a panel's table of Grafana and a download of Home Assistant are read by the documented mappings", async () => {
  const page = await readFile(join(import.meta.dirname, "../../../../docs/import.md"), "utf8");
  const [, grafana = "", homeAssistant = ""] = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml ?? "");
  const panel = '"Time","Load","PV","Battery"\n2026-06-01 12:00:00,1200,850,52.4\n2026-06-01 12:00:05,1210,,52.4\n';
  expect((await take(grafana, panel)).rows.map(({ values }) => values)).toEqual([
    { loadActivePower: 1_200, pv1Power: 850, batteryVoltage: 52.4 },
    { loadActivePower: 1_210, batteryVoltage: 52.4 },
  ]);
  const download =
    "entity_id,state,last_changed\nsensor.axpert_load,1200,2026-06-01T10:00:00.123Z\nsensor.axpert_battery,unavailable,2026-06-01T10:00:00.123Z\n" +
    "sensor.axpert_battery,87,2026-06-01T10:00:05.456Z\n";
  expect((await take(homeAssistant, download)).rows.map(({ at, values }) => [at, values])).toEqual([
    [Date.parse("2026-06-01T10:00:00.123Z"), { loadActivePower: 1_200 }],
    [Date.parse("2026-06-01T10:00:05.456Z"), { batterySoc: 87 }],
  ]);
});
