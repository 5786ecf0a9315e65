import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EmbeddedBroker } from "../../src/app/broker.ts";
import { FanOut } from "../../src/app/fan-out.ts";
import { silentLogger } from "../../src/model/logger.ts";
import type { Reading, Sink } from "../../src/model/reading.ts";
import { InfluxSink } from "../../src/sinks/influx.ts";
import { MqttSink } from "../../src/sinks/mqtt.ts";
import { TextLog } from "../../src/sinks/text-log.ts";
import { freePort } from "../support/mosquitto.ts";
import { online, payloads, readingOf, realInverter, silent, simulatedInverter } from "../support/readings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-sinks-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const textLog = (format: "classic" | "csv") => (): Promise<TextLog> =>
  TextLog.open({ folder, format, intervalMs: 0, columnsOf: () => [], logger: silentLogger });

const sinks: readonly (readonly [string, () => Promise<Sink & AsyncDisposable>])[] = [
  ["text log, classic", textLog("classic")],
  ["text log, csv", textLog("csv")],
  [
    "text log on a disk that does not answer",
    () =>
      TextLog.open({ folder, intervalMs: 0, columnsOf: () => [], logger: silentLogger, openForAppend: () => new Promise(() => undefined) }),
  ],
  [
    "text log in a place that cannot be",
    () => TextLog.open({ folder: "/dev/null/logs", intervalMs: 0, columnsOf: () => [], logger: silentLogger }),
  ],
  [
    "MQTT with a broker",
    async () => {
      const broker = await EmbeddedBroker.open({ port: 0, logger: silentLogger });
      const sink = await MqttSink.open({ url: broker.url, logger: silentLogger });
      const close = sink[Symbol.asyncDispose].bind(sink);
      return Object.assign(sink, {
        [Symbol.asyncDispose]: async () => {
          await close();
          await broker[Symbol.asyncDispose]();
        },
      });
    },
  ],
  ["MQTT without a broker", async () => MqttSink.open({ url: `mqtt://127.0.0.1:${await freePort()}`, logger: silentLogger })],
  [
    "InfluxDB without a database",
    async () =>
      InfluxSink.open({
        url: `http://127.0.0.1:${await freePort()}`,
        compress: true,
        measurement: "sonkrag",
        inverterTag: "inverter",
        commandTag: "command",
        words: "fields",
        folder: join(folder, "influx-queue"),
        maxQueueBytes: 1_000_000,
        intervalMs: 10_000,
        logger: silentLogger,
      }),
  ],
  [
    "fan-out",
    async () => {
      const sink = await textLog("csv")();
      return Object.assign(new FanOut({ sinks: [sink], logger: silentLogger }), {
        [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
      });
    },
  ],
];

const at = Date.UTC(2026, 0, 1);
const oddReadings: readonly Reading[] = [
  readingOf(at, { values: {}, derived: {}, payload: "" }),
  readingOf(at + 1, { values: { unheardOf: 'a,"b"\n', list: [], flags: ["x", "y"], yes: true, negative: -1.5e-7 } }),
  readingOf(at + 2, { command: "NEW9", payload: "#-1" }),
  readingOf(at + 3, { payload: "9".repeat(100_000) }),
  readingOf(at + 4, { command: "QPGS0", payload: "0 ÿ \u0000" }),
  readingOf(at + 5, {
    command: "QPIRI",
    payload: payloads.QPIRI,
    values: { __proto__: null, constructor: 1 } as unknown as Reading["values"],
  }),
  readingOf(0),
  readingOf(at),
];

describe.each(sinks)("%s", (_name, open) => {
  test("takes anything at any time, in no time, without throwing", async () => {
    const sink = await open();
    const before = performance.now();
    for (const inverter of [realInverter, simulatedInverter]) {
      for (const reading of oddReadings) sink.reading({ ...reading, inverter: inverter.id }, inverter);
      for (const status of [online, silent, { ...silent, state: "lost" }, { ...online, state: "starting" }] as const)
        sink.status(status, inverter);
    }
    expect(performance.now() - before).toBeLessThan(200);
    await sink[Symbol.asyncDispose]();
  });

  test("ends within a second and a half, twice if need be, and takes calls after that", async () => {
    const sink = await open();
    for (let index = 0; index < 1_000; index++) sink.reading(readingOf(at + index), realInverter);
    const before = performance.now();
    await sink[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(() => {
      sink.reading(readingOf(at + 5_000), realInverter);
      sink.status(silent, realInverter);
    }).not.toThrow();
  });
});
