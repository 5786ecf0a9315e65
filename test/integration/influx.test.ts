import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Database, influxdb, isInstalled, victoriaMetrics } from "../support/database.ts";
import { dashboard } from "../support/grafana.ts";
import { eventually, simulatedInverter } from "../support/readings.ts";
import { dayMs, simulatedDay } from "../support/simulated-day.ts";

/** A whole day that is over: some databases refuse what is far in the future. */
const start = Math.floor(Date.now() / dayMs - 1) * dayMs;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-influx-day-"));
  // Node 20 does not run TypeScript, and the compiled tree may be older than the source.
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: join(dirname(fileURLToPath(import.meta.url)), "influx-writer.ts"),
      outDir: join(folder, "writer"),
      target: "es2022",
      rolldownOptions: { output: { entryFileNames: "writer.mjs" } },
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Panels of the dashboards that a day of these answers fills. */
const filledPanels = ["Power", "Mode", "PV voltage", "Battery voltage", "State of charge", "Load", "Temperature"];

const truth = [...simulatedDay(start, simulatedInverter.id)];
const valuesOf = (command: string, name: string): [at: number, value: number][] =>
  truth.flatMap(({ command: of, at, values }) => (of === command && typeof values[name] === "number" ? [[at, values[name]]] : []));

/** Our program, which writes the day to the database. */
class Writer implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";

  constructor(queue: string, url: string, words: string, from: number) {
    this.#child = spawn(process.execPath, [join(folder, "writer", "writer.mjs"), queue, url, words, String(start), String(from)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout?.on("data", (data: Buffer) => (this.#output += data.toString()));
  }

  /** How many readings of the day are safe. */
  get safe(): number {
    return Number(/(\d+)\n(?:done\n)?$/.exec(this.#output)?.[1] ?? 0);
  }

  get isDone(): boolean {
    return this.#output.endsWith("done\n");
  }

  async reached(share: number): Promise<void> {
    await eventually(`${share} of the day is safe`, () => this.safe >= truth.length * share, 60_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}

/** The database goes away and comes back in the middle of the day, and our program is killed three times: with it there, away, and back. */
async function writeDay(database: Database, words: "fields" | "tags"): Promise<void> {
  const queue = await mkdtemp(join(folder, "queue-"));
  let from = 0;
  const part = async (until: number, during: (writer: Writer) => Promise<void> = () => Promise.resolve()): Promise<void> => {
    await using writer = new Writer(queue, database.url, words, from);
    await during(writer);
    await writer.reached(until);
    from = writer.safe;
  };
  await part(0.2);
  await part(0.45, async (writer) => {
    await writer.reached(0.35);
    await database.stop();
  });
  expect(await readdir(queue)).not.toEqual([]);
  await part(0.7, async (writer) => {
    await writer.reached(0.6);
    await database.restart();
  });
  await part(0.99, (writer) => eventually("everything is written", () => writer.isDone, 60_000));
  expect(await readdir(queue)).toEqual([]);
}

test.skipIf(!isInstalled(influxdb))(
  "InfluxDB has the day complete and once, over an outage and kills of our program",
  async () => {
    await using database = await Database.start(influxdb);
    await database.ask("/query", { q: "CREATE DATABASE sonkrag" });
    await writeDay(database, "fields");

    const query = async (q: string): Promise<unknown[][]> => {
      const { results } = JSON.parse(await database.ask("/query", { db: "sonkrag", epoch: "ms", q })) as {
        results: readonly { readonly series?: readonly { readonly values: unknown[][] }[]; readonly error?: string }[];
      };
      expect(results[0]?.error).toBeUndefined();
      return results[0]?.series?.[0]?.values ?? [];
    };
    for (const [command, name] of [
      ["QPIGS", "batteryVoltage"],
      ["QPIGS", "pv1Power"],
      ["QPIGS2", "pv2Power"],
    ] as const)
      expect(await query(`SELECT "${name}" FROM sonkrag WHERE command = '${command}'`)).toEqual(valuesOf(command, name));
    const modes = truth.flatMap(({ command, at, values }) => (command === "QMOD" ? [[at, values["operatingMode"]]] : []));
    expect(await query(`SELECT "operatingMode" FROM sonkrag WHERE command = 'QMOD' AND inverter = '${simulatedInverter.id}'`)).toEqual(
      modes,
    );
    expect(modes.length).toBe(5_760);

    const { panels } = dashboard("sonkrag-influxdb");
    const shown: Record<string, number> = {};
    for (const { title, targets = [] } of panels)
      for (const { query: text = "" } of targets) {
        const filled = text
          .replaceAll("$inverter", simulatedInverter.id)
          .replaceAll("$timeFilter", `time >= ${start}ms AND time < ${start + dayMs}ms`)
          .replaceAll("$__interval", "5m");
        shown[title] = (shown[title] ?? 0) + (await query(filled)).length;
      }
    for (const title of filledPanels) expect([title, shown[title]! > 200]).toEqual([title, true]);
  },
  120_000,
);

test.skipIf(!isInstalled(victoriaMetrics))(
  "VictoriaMetrics has the day complete and once, over an outage and kills of our program",
  async () => {
    await using database = await Database.start(victoriaMetrics);
    await writeDay(database, "tags");
    await database.ask("/internal/force_flush");

    const series = async (match: string): Promise<[at: number, value: number][]> => {
      const lines = (await database.ask("/api/v1/export", { "match[]": match })).trimEnd().split("\n").filter(Boolean);
      // The database gives a long series in several pieces.
      return lines
        .map((line) => JSON.parse(line) as { readonly values: readonly number[]; readonly timestamps: readonly number[] })
        .flatMap(({ values, timestamps }) => timestamps.map((at, index): [number, number] => [at, values[index]!]))
        .toSorted(([one], [other]) => one - other);
    };
    for (const [command, name] of [
      ["QPIGS", "batteryVoltage"],
      ["QPIGS", "pv1Power"],
      ["QPIGS2", "pv2Power"],
    ] as const)
      expect(await series(`sonkrag_${name}{command="${command}"}`)).toEqual(valuesOf(command, name));
    const onBattery = truth.flatMap(({ command, at, values }) =>
      command === "QMOD" && values["operatingMode"] === "battery" ? [[at, 1]] : [],
    );
    expect(onBattery.length).toBeGreaterThan(0);
    const { panels } = dashboard("sonkrag-victoriametrics");
    const shown: Record<string, number> = {};
    for (const { title, targets = [] } of panels)
      for (const { expr = "" } of targets) {
        const filled = expr.replaceAll("$inverter", simulatedInverter.id).replaceAll("$__rate_interval", "5m");
        const range = { start: String(start / 1000 + 3_600), end: String((start + dayMs) / 1000 - 1), step: "300" };
        const { data } = JSON.parse(await database.ask("/api/v1/query_range", { query: filled, ...range })) as {
          data: { result: readonly { readonly values: readonly unknown[] }[] };
        };
        shown[title] = (shown[title] ?? 0) + data.result.reduce((sum, { values }) => sum + values.length, 0);
      }
    for (const title of filledPanels) expect([title, shown[title]! > 200]).toEqual([title, true]);
    expect(await series('sonkrag_state_active{name="operatingMode",value="battery"}')).toEqual(onBattery);
  },
  120_000,
);
