import { setTimeout as delay } from "node:timers/promises";
import { silentLogger } from "../../src/model/logger.ts";
import { InfluxSink } from "../../src/sinks/influx.ts";
import { simulatedInverter } from "../support/readings.ts";
import { simulatedDay } from "../support/simulated-day.ts";

// Writes a simulated day to a database, far faster than it would come, and reports how many readings are safe: in the queue on the
// disk, or beyond. Goes on with the reading of the given number; says `done` when the database has everything.
const [folder = "", url = "", words = "", startAt = "0", from = "0"] = process.argv.slice(2);
const sink = await InfluxSink.open({
  url,
  database: "sonkrag",
  compress: true,
  measurement: "sonkrag",
  inverterTag: "inverter",
  commandTag: "command",
  words: words === "tags" ? "tags" : "fields",
  folder,
  maxQueueBytes: 100_000_000,
  intervalMs: 50,
  retryMs: 20,
  logger: silentLogger,
});
const stop = new AbortController();
const running = sink.run({ signal: stop.signal });
let count = 0;
for (const reading of simulatedDay(Number(startAt), simulatedInverter.id)) {
  count += 1;
  if (count <= Number(from)) continue;
  sink.reading(reading, simulatedInverter);
  if (count % 50 !== 0) continue;
  await sink.queued();
  process.stdout.write(`${count}\n`);
  await delay(1);
}
await sink.queued();
while (sink.health.pointsWaiting > 0) await delay(5);
stop.abort();
await running;
await sink[Symbol.asyncDispose]();
process.stdout.write("done\n");
