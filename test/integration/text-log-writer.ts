import { TextLog } from "../../src/sinks/text-log.ts";
import { payloads, readingOf, realInverter } from "../support/readings.ts";
import { silentLogger } from "../../src/model/logger.ts";

// Writes lines without a pause until it is killed, and reports how many are on the disk.
const [folder = "", startAt = "0"] = process.argv.slice(2);
const log = await TextLog.open({ folder, timeZone: "UTC", intervalMs: 0, columnsOf: () => [], logger: silentLogger });
for (let at = Number(startAt); ; at += 1) {
  log.reading(readingOf(at, { payload: payloads.QPIGS }), realInverter);
  if (log.health.linesWaiting > 100) {
    await new Promise((resolve) => setImmediate(resolve));
    process.stdout.write(`${log.health.linesWritten}\n`);
  }
}
