import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Database, influxdb, isInstalled } from "../support/database.ts";
import { eventually } from "../support/readings.ts";
import { startProgram, temporaryFolder } from "../support/service.ts";

test.skipIf(!isInstalled(influxdb))(
  "the running program writes where its configuration says, and tells at /metrics how it goes",
  async () => {
    await using folder = await temporaryFolder();
    await using database = await Database.start(influxdb);
    const file = join(folder.path, "sonkrag.yaml");
    const influx = { url: database.url, database: "house", interval: "1s", measurement: "axpert" };
    await writeFile(file, JSON.stringify({ influx, mqtt: { enabled: false }, history: { enabled: false }, poll: { fast: "1s" } }));
    await using program = await startProgram(folder.path, "--config", file, "--device", "sim");
    expect(program.announced("database")).toBe(database.url);

    const metrics = async (): Promise<string> => await (await fetch(new URL("/metrics", program.announced("page")))).text();
    const figure = (text: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
    // The database is there and knows of no `house` yet.
    await eventually("points wait", async () => figure(await metrics(), "sonkrag_export_points_waiting") > 5, 20_000);
    expect(figure(await metrics(), "sonkrag_export_up")).toBe(0);

    await database.ask("/query", { q: "CREATE DATABASE house" });
    await eventually("points are written", async () => figure(await metrics(), "sonkrag_export_points_written_total") > 5, 20_000);
    const text = await metrics();
    expect(figure(text, "sonkrag_export_up")).toBe(1);
    expect(text).toMatch(/^sonkrag_battery_voltage_volts\{inverter="[a-z0-9-]+",command="QPIGS"\} \d/m);
    const { results } = JSON.parse(await database.ask("/query", { db: "house", q: 'SELECT count("batteryVoltage") FROM axpert' })) as {
      results: readonly { readonly series?: readonly { readonly values: readonly (readonly [string, number])[] }[] }[];
    };
    expect(results[0]?.series?.[0]?.values[0]?.[1]).toBeGreaterThan(0);
  },
  60_000,
);
