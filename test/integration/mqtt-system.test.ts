import { expect, test } from "vitest";
import { silentLogger } from "../../src/model/logger.ts";
import { MqttSink } from "../../src/sinks/mqtt.ts";
import { Listener } from "../support/listener.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { eventually } from "../support/readings.ts";
import { oneUnit, twoUnits } from "../support/system-state.ts";

test("several units are one retained document with times, units and what is missing; it goes when one unit is left", async () => {
  await using broker = await Mosquitto.start();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  await using listener = await Listener.open(url);
  await using sink = await MqttSink.open({ url, logger: silentLogger, reconnectMs: 20 });
  await eventually("connected", () => sink.health.connected);
  sink.system(oneUnit);
  sink.system(twoUnits);
  await eventually("the system", () => listener.count("sonkrag/v1/system") === 1);
  expect(listener.json("sonkrag/v1/system")).toMatchObject({
    units: { expected: 2, answering: 1 },
    totals: { loadActivePower: { value: 320, unit: "W", at: "2026-01-01T12:00:00.000Z", units: 1, expected: 2, complete: false } },
    inverters: [
      { id: "axpert-1", state: "live", values: { loadActivePower: { value: 320, unit: "W", command: "QPIGS", live: true } } },
      { id: "axpert-2", state: "stale", seenAt: "2026-01-01T12:00:00.000Z", values: { loadActivePower: { live: false } } },
    ],
    alarms: [{ code: "unit-missing", message: "axpert-2 is missing.", inverters: ["axpert-2"], since: "2026-01-01T12:00:00.000Z" }],
  });
  await using late = await Listener.open(url);
  await eventually("the retained one", () => late.last("sonkrag/v1/system")?.retained === true);
  sink.system(oneUnit);
  await eventually("its end", () => listener.last("sonkrag/v1/system")?.text === "");
});
