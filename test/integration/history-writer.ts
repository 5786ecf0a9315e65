import { EnergyKeeper } from "../../src/app/history/energy-keeper.ts";
import { energyPaceOf } from "../../src/app/history/energy-recount.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { HistoryWriter } from "../../src/store/writer.ts";
import { importedRow, liveRow, stepMs } from "../support/history-rows.ts";

// Lives through hours in milliseconds until it is killed, and reports the time of the last reading that was appended, and
// the number of the last one that was imported.
const [folder = "", startAt = "0", firstAt = "0"] = process.argv.slice(2);
let now = Number(startAt);
await using writer = await HistoryWriter.open({
  folder,
  logger: silentLogger,
  now: () => now,
  beside: (tables) => new EnergyKeeper(tables, energyPaceOf(stepMs)),
});
for (let batch = 0; ; batch++) {
  const rows = Array.from({ length: 120 }, (_, index) => liveRow(now + index * stepMs));
  now += rows.length * stepMs;
  await writer.append(rows);
  process.stdout.write(`${now - stepMs}\n`);
  await writer.tick();
  // Days pass too slowly to be over in between: what is older is packed.
  if (batch % 7 === 3) writer.pack();
  if (batch % 11 === 5) {
    writer.ingest(Array.from({ length: 50 }, (_, index) => importedRow(Number(firstAt), batch * 50 + index)));
    process.stdout.write(`imported ${batch * 50 + 49}\n`);
  }
  // Lets the report out before the next batch.
  await new Promise((resolve) => setImmediate(resolve));
}
