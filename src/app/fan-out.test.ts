import { expect, test } from "vitest";
import { online, readingOf, realInverter, recordingLogger } from "../../test/support/readings.ts";
import type { Sink } from "../model/reading.ts";
import { FanOut } from "./fan-out.ts";

const counting = (name: string, fails = false): Sink & { calls: number } => ({
  name,
  calls: 0,
  reading() {
    this.calls++;
    if (fails) throw new Error("no");
  },
  status() {
    this.calls++;
    if (fails) throw new Error("no");
  },
});

test("every sink gets everything, whatever the others do; a failing one is told once a minute and counted", () => {
  let now = 0;
  const logger = recordingLogger();
  const [before, bad, after] = [counting("before"), counting("bad", true), counting("after")];
  const fanOut = new FanOut({ sinks: [before, bad, after], logger, monotonic: () => now });
  fanOut.status(online, realInverter);
  for (let index = 0; index < 9; index++) fanOut.reading(readingOf(index), realInverter);
  expect([before.calls, bad.calls, after.calls]).toEqual([10, 10, 10]);
  expect(fanOut.failures).toEqual({ bad: 10 });
  expect(logger.texts()).toEqual(["The output bad failed: Error: no"]);
  now = 60_000;
  fanOut.reading(readingOf(10), realInverter);
  expect(logger.texts()).toHaveLength(2);
  expect(logger.texts()[1]).toBe("The output bad failed (and 9 times since the last report): Error: no");
});
