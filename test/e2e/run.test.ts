import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { logLines, numberedLog, servePty, Service, startProgram, temporaryFolder } from "../support/service.ts";
import { Listener } from "../support/listener.ts";
import { eventually } from "../support/readings.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const hasSocat = spawnSync("socat", ["-V"]).status === 0;
/** A real day of the older script, where the machine has it. */
const realLog = fileURLToPath(new URL("../../../shared/data/Axpert2020-08-23.log", import.meta.url));

/** The older add-on's documents: every key with its JSON type; `decimal` is written with a decimal point. */
const parallelKeys = {
  SerialNumber: "integer",
  TotalAcOutputActivePower: "integer",
  TotalAcOutputApparentPower: "integer",
  TotalAcOutputPercentage: "integer",
  BatteryChargingCurrent: "integer",
  BatteryDischargeCurrent: "integer",
  TotalChargingCurrent: "integer",
  GridVoltage: "decimal",
  GridFrequency: "decimal",
  OutputVoltage: "decimal",
  OutputFrequency: "decimal",
  OutputAparentPower: "integer",
  OutputActivePower: "integer",
  LoadPercentage: "integer",
  BatteryVoltage: "decimal",
  BatteryCapacity: "decimal",
  PvInputVoltage: "decimal",
  OutputMode: "integer",
  ChargerSourcePriority: "integer",
  MaxChargeCurrent: "integer",
  MaxChargerRange: "integer",
  MaxAcChargerCurrent: "integer",
  PvInputCurrentForBattery: "integer",
  Gridmode: "integer",
  Solarmode: "integer",
} as const;
const unitKeys = {
  BusVoltage: "decimal",
  InverterHeatsinkTemperature: "decimal",
  BatteryVoltageFromScc: "decimal",
  PvInputCurrent: "decimal",
  PvInputVoltage: "decimal",
  PvInputPower: "integer",
  BatteryChargingCurrent: "integer",
  BatteryDischargeCurrent: "integer",
  DeviceStatus: "string",
} as const;
const settingsKeys = {
  AcInputVoltage: "decimal",
  AcInputCurrent: "decimal",
  AcOutputVoltage: "decimal",
  AcOutputFrequency: "decimal",
  AcOutputCurrent: "decimal",
  AcOutputApparentPower: "integer",
  AcOutputActivePower: "integer",
  BatteryVoltage: "decimal",
  BatteryRechargeVoltage: "decimal",
  BatteryUnderVoltage: "decimal",
  BatteryBulkVoltage: "decimal",
  BatteryFloatVoltage: "decimal",
  BatteryType: "string",
  MaxAcChargingCurrent: "integer",
  MaxChargingCurrent: "integer",
  InputVoltageRange: "string",
  OutputSourcePriority: "string",
  ChargerSourcePriority: "string",
  MaxParallelUnits: "integer",
  MachineType: "string",
  Topology: "string",
  OutputMode: "string",
  BatteryRedischargeVoltage: "decimal",
  PvOkCondition: "string",
  PvPowerBalance: "string",
  MaxBatteryCvChargingTime: "integer",
} as const;

/** The keys of a flat JSON document with the type of each value as it is written. */
function typesOf(json: string): Record<string, string> {
  const members = [...json.matchAll(/"(\w+)":("(?:[^"\\]|\\.)*"|-?[\d.]+)/g)];
  expect(Object.keys(JSON.parse(json) as object)).toHaveLength(members.length);
  return Object.fromEntries(
    members.map(([, key = "", text = ""]) => [key, text.startsWith('"') ? "string" : text.includes(".") ? "decimal" : "integer"]),
  );
}

describe.skipIf(executablePath === undefined)("sonkrag run, with no configuration at all", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", "--disable-gpu"] });
  });
  afterAll(() => browser.close());

  test("says where everything is, shows moving values, publishes, logs, marks all of it as simulated, and stops on Ctrl-C", async () => {
    await using home = await temporaryFolder();
    await using program = await Service.start(["run"], /Ctrl-C/, { env: { HOME: home.path } });
    expect(program.output).toMatch(/No inverter found on USB: running the built-in SIMULATED inverter\. Nothing it shows is real\./);
    expect(program.output).toMatch(/inverter +sim: +SIMULATED, nothing here is real/);
    await using listener = await Listener.open(program.announced("MQTT"));

    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(program.announced("page"))) complaints.push(request.url());
    });
    await page.goto(program.announced("page"));
    await expect.poll(() => page.getByRole("note").first().innerText()).toBe("Simulated inverter: nothing here is real");
    const load = page.locator("tr[data-command=QPIGS][data-name=loadActivePower] td").first();
    await load.waitFor();
    const first = await load.innerText();
    expect(first).toMatch(/^\d+ W$/);

    const id = "simulated-99999999000001";
    const topics = { "power/axpert": parallelKeys, "power/axpert99999999000001": unitKeys, "power/axpert_settings": settingsKeys };
    for (const [topic, keys] of Object.entries(topics)) {
      await eventually(`${topic} arrives`, () => listener.count(topic) > 0, 20_000);
      expect(typesOf(listener.last(topic)!.text), `of ${topic}`).toEqual(keys);
    }
    expect(listener.json("power/axpert")).toMatchObject({ SerialNumber: 99999999000001 });
    expect(listener.last("power/simulated")?.text).toMatch(/simulated inverter; nothing here is real/);
    expect(listener.last("sonkrag/v1/status")?.text).toBe("online");
    expect(listener.last(`sonkrag/v1/${id}/availability`)?.text).toBe("online");
    expect(listener.json(`sonkrag/v1/${id}/state`)).toMatchObject({ inverter: id, simulated: true, status: { state: "online" } });

    const log = join(home.path, ".local/share/sonkrag/log");
    expect(program.announced("text log").startsWith(log)).toBe(true);
    await eventually("the log grows", async () => (await logLines(log)).length > 2);
    const [header, line] = await logLines(log);
    expect(header).toMatch(/^date time\(simulated\),gridVoltage\[V\] gridFrequency\[Hz\] /);
    expect(line).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{6},\d{3}\.\d \d{2}\.\d /);
    expect(line?.split(" ").length).toBe(header?.split(" ").length);

    // Values move: the next poll, five seconds later, is another one.
    await expect.poll(() => load.innerText(), { timeout: 20_000 }).not.toBe(first);
    expect(complaints).toEqual([]);

    const asked = performance.now();
    const { exit, stderr } = await program.stop("SIGINT");
    expect(performance.now() - asked).toBeLessThan(2000);
    expect(exit).toBe(0);
    expect(stderr).not.toMatch(/error|Error/);
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/Connection to sonkrag lost/);
    expect(await readdir(join(home.path, ".local/share/sonkrag/run"))).not.toContain("sonkrag.json");
    const left = await readFile(join(log, (await readdir(log))[0]!), "utf8");
    expect(left.endsWith("\n")).toBe(true);
    await page.close();
  });
});

/** What the add-on's topic must say for a payload of QPIGS. */
function documentOf(payload: string): Record<string, number | string> {
  const field = payload.split(" ");
  const number = (index: number): number => Number(field[index]);
  return {
    BusVoltage: number(7),
    InverterHeatsinkTemperature: number(11),
    BatteryVoltageFromScc: number(14),
    PvInputCurrent: number(12),
    PvInputVoltage: number(13),
    PvInputPower: number(19),
    BatteryChargingCurrent: number(9),
    BatteryDischargeCurrent: number(15),
    DeviceStatus: field[16]!,
  };
}

/** The payload's values as our own tree and the page name them. */
function valuesOf(payload: string): Record<string, number> {
  const [
    gridVoltage,
    gridFrequency,
    outputVoltage,
    outputFrequency,
    loadApparentPower,
    loadActivePower,
    loadPercent,
    busVoltage,
    batteryVoltage,
  ] = payload.split(" ").map(Number);
  return {
    gridVoltage,
    gridFrequency,
    outputVoltage,
    outputFrequency,
    loadApparentPower,
    loadActivePower,
    loadPercent,
    busVoltage,
    batteryVoltage,
  } as Record<string, number>;
}

describe.skipIf(!hasSocat)("a recorded day, replayed over a port at 2400 baud", () => {
  const sources = [
    ["a made-up one", undefined],
    ["a real one", realLog],
  ] as const;
  test.each(sources.filter(([, path]) => path === undefined || existsSync(path)))(
    "%s: everything that is published equals the log",
    async (_, given) => {
      await using folder = await temporaryFolder();
      const replay = given ?? join(folder.path, "replay.log");
      if (given === undefined) await writeFile(replay, numberedLog(400).join("\n"));
      const good =
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6},(\d{3}\.\d \d{2}\.\d \d{3}\.\d \d{2}\.\d \d{4} \d{4} \d{3} \d{3} \d{2}\.\d{2} \d{3} \d{3} \d{4} \d{4} \d{3}\.\d \d{2}\.\d{2} \d{5} [01]{8} \d{2} \d{2} \d{5} [01]{3})\r?$/;
      const payloads = (await readFile(replay, "latin1")).split("\n").flatMap((line) => good.exec(line)?.[1] ?? []);
      expect(payloads.length).toBeGreaterThan(100);

      const config = join(folder.path, "sonkrag.yaml");
      await writeFile(config, "textLog: { interval: 1s }\npoll: { fast: 0s, only: [QPIGS] }\nmqtt: { embeddedPort: 0 }\n");
      const pty = join(folder.path, "inverter");
      await using _simulator = await servePty(pty, "--baud", "2400", "--replay", replay);
      await using program = await startProgram(join(folder.path, "data"), "--config", config, "--device", `serial:${pty}`);
      await using listener = await Listener.open(program.announced("MQTT"));
      const topic = "power/axpert99999999000001";
      await eventually("sixteen values are published", () => listener.count(topic) >= 16, 20_000);
      await program.stop("SIGINT");

      // Each is the next one of the log, none twice, none changed; only the first few may have been missed while connecting.
      const published = listener.heard
        .filter((each) => each.topic === topic)
        .map(({ text }) => JSON.parse(text) as Record<string, unknown>);
      const documents = payloads.map(documentOf);
      let next = 0;
      for (const [index, document] of published.entries()) {
        const found = documents.findIndex((each, at) => at >= next && JSON.stringify(each) === JSON.stringify(sorted(document, each)));
        expect(found, `${JSON.stringify(document)} in the log`).toBeGreaterThanOrEqual(next);
        if (index > 0) expect(found - next).toBeLessThanOrEqual(2);
        next = found + 1;
      }

      const states = listener.heard.filter((each) => each.topic.endsWith("/state")).map(({ text }) => (JSON.parse(text) as State).values);
      const known = new Set(payloads.map((payload) => JSON.stringify(valuesOf(payload))));
      const shown = states.filter(({ gridVoltage }) => gridVoltage !== undefined);
      expect(shown.length).toBeGreaterThan(3);
      for (const state of shown) {
        const values = Object.fromEntries(Object.keys(valuesOf("")).map((key) => [key, state[key]?.value]));
        expect(known, `${JSON.stringify(values)} in the log`).toContain(JSON.stringify(values));
      }

      const lines = (await logLines(join(folder.path, "data", "log"))).slice(1, -1);
      expect(lines.length).toBeGreaterThan(3);
      for (const line of lines) expect(payloads).toContain(line.slice(line.indexOf(",") + 1));
    },
  );
});

interface State {
  readonly values: Readonly<Record<string, { readonly value: number }>>;
}

/** The document with its keys in the order of another one, so that both can be compared as text. */
function sorted(document: Record<string, unknown>, like: Record<string, unknown>): Record<string, unknown> {
  return Object.keys(document).length === Object.keys(like).length
    ? Object.fromEntries(Object.keys(like).map((key) => [key, document[key]]))
    : document;
}
