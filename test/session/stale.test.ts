import { describe, expect, test } from "vitest";
import { silentLogger } from "../../src/model/logger.ts";
import type { LinkCounters } from "../../src/model/reading.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import type { Clock } from "../../src/session/clock.ts";
import { Line } from "../../src/session/line.ts";
import { Poller } from "../../src/session/poller.ts";
import type { Transport } from "../../src/session/transport.ts";
import { Simulation, type SimulationOptions } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

const START = Date.UTC(2026, 0, 1);
/** Every QPIGS reply carries its own number, so that a reply can be told from an older one. */
const numbered = Array.from({ length: 9000 }, (_, index) => {
  const [va, w] = [String(index).padStart(4, "0"), String(9999 - index).padStart(4, "0")];
  return `2020-08-23 17:14:33.243004,233.8 49.9 233.8 49.9 ${va} ${w} 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110`;
});

interface Outcome {
  readonly polls: number;
  readonly answered: number;
  /** Answers that were not made for the request just before them. */
  readonly stale: number;
  readonly wrong: number;
  readonly counters: LinkCounters;
  readonly injected: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

/** Polls flat out on the virtual clock and compares every released value with what the unit said, and when. */
async function pollFlatOut(options: Omit<SimulationOptions, "clock">, commands: readonly string[], exchanges: number): Promise<Outcome> {
  const virtual = new VirtualClock(START);
  let lastStamp = 0;
  // No two events share a stamp, so that "the request before this answer" is always one request.
  const clock: Clock = {
    now: () => (lastStamp = Math.max(virtual.now(), lastStamp + 1e-3)),
    monotonic: () => virtual.monotonic(),
    sleep: (ms, how) => virtual.sleep(ms, how),
  };
  const simulation = new Simulation({ clock: virtual, replayLines: numbered, ...options });
  const { secondReader } = options;
  const began = virtual.monotonic();
  const [simLine] = simulation.lines;
  const stop = new AbortController();
  const asked: { stamp: number; at: number }[] = [];
  let writes = 0;
  const line = new Line({
    clock,
    logger: silentLogger,
    random: () => 0.5,
    onStatus: () => undefined,
    open: async (how) => {
      const transport = await simLine!.open(how);
      return {
        address: transport.address,
        wire: transport.wire,
        take: () => transport.take(),
        async write(bytes, how2) {
          writes += 1;
          if (new TextDecoder("latin1").decode(bytes).startsWith("QPIGS") && bytes.length === 8)
            asked.push({ stamp: clock.now(), at: virtual.monotonic() });
          if (writes >= exchanges) stop.abort(new Error("enough"));
          await transport.write(bytes, how2);
        },
        [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
      } satisfies Transport;
    },
  });
  let [answered, stale, wrong, polls] = [0, 0, 0, 0];
  const poller = new Poller({
    clock,
    logger: silentLogger,
    plan: commands.map((command) => ({ request: findRequest(command), everyMs: 0 })),
    ask: (request, how) => {
      polls += 1;
      return line.ask(request, how);
    },
    online: (how) => line.online(how),
    ready: (how) => line.ready(how),
    onData: (answer) => {
      answered += 1;
      if (answer.command !== "QPIGS") return;
      const values = answer.values as Record<string, number>;
      const index = values["loadApparentPower"]!;
      const known = numbered[index]!.endsWith(answer.payload);
      if (!known || values["loadActivePower"] !== 9999 - index) wrong += 1;
      // The next request may be out already, at the very moment at which this answer was complete.
      const latest = asked.findLastIndex(({ stamp }) => stamp < answer.at);
      // A second program's questions are numbered too; one of its answers, made within the same exchange, is as fresh as ours.
      const others = secondReader ? Math.floor((asked[latest]!.at - began) / secondReader.everyMs) + 1 : 0;
      const expected = latest + others;
      if (secondReader ? index < expected - 1 || index > expected + 1 : index !== expected % numbered.length) stale += 1;
    },
  });
  await Promise.all([line.run({ signal: stop.signal }), poller.run({ signal: stop.signal })]);
  return { polls, answered, stale, wrong, counters: line.counters, injected: simulation.injected, tookMs: clock.monotonic() - began };
}

const four = { corrupt: 0.05, truncated: 0.05, dropped: 0.05, stale: 0.05 };
const six = ["QPIGS", "QMOD", "QPIWS", "QPIRI", "QFLAG", "QPGS0"];

describe("a reply to an earlier request is never taken for the answer", () => {
  test.each([
    ["serial, QPIGS alone", {}, ["QPIGS"]],
    ["serial, six commands", {}, six],
    ["a paced line of unknown speed", { certain: false }, ["QPIGS"]],
    ["an unpaced line", { baud: 0 }, ["QPIGS"]],
    ["an unpaced line, six commands", { baud: 0 }, six],
    ["a unit that thinks for 150 ms", { latencyMs: 150 }, ["QPIGS"]],
  ] as const)("%s: corrupt, truncated, dropped and stale replies at once, 10,000 exchanges", async (_, options, commands) => {
    const outcome = await pollFlatOut({ faults: four, ...options }, commands, 10_000);
    const { injected, counters } = outcome;
    expect({ wrong: outcome.wrong, stale: outcome.stale }).toEqual({ wrong: 0, stale: 0 });
    const undisturbed = counters.requests - (injected["corrupt"]! + injected["truncated"]! + injected["dropped"]! + injected["stale"]!);
    const { timeout, truncated, checksum, stale, ...others } = counters.rejected;
    expect({ checksum, truncated, timeout, stale }).toEqual({
      checksum: injected["corrupt"],
      truncated: injected["truncated"],
      timeout: injected["dropped"],
      stale: injected["stale"],
    });
    expect(others).toEqual({ noise: 0, echo: 0, foreign: 0, late: 0, nak: 0, malformed: 0 });
    expect(counters.accepted).toBeGreaterThan(undisturbed * 0.99);
  });

  test.each([
    ["QPIGS alone", ["QPIGS"]],
    ["six commands", six],
  ] as const)("USB-HID, %s", async (_, commands) => {
    const { wrong, stale, counters, injected } = await pollFlatOut({ faults: four, hid: true }, commands, 10_000);
    expect({ wrong, stale }).toEqual({ wrong: 0, stale: 0 });
    // A cut reply shorter than any whole one can look like the beginning of an older frame: counted as stale, then.
    const sum = (of: Readonly<Record<string, number>>): number => Object.values(of).reduce((total, count) => total + count, 0);
    expect(counters.rejected.checksum).toBe(injected["corrupt"]);
    expect(sum(counters.rejected)).toBeGreaterThanOrEqual(sum(injected));
    expect(counters.accepted).toBeGreaterThan((counters.requests - sum(injected)) * 0.985);
  });

  test("a second program that asks on the same port", async () => {
    for (const [everyMs, hid] of [
      [3000, false],
      [1733, true],
      [30_000, true],
    ] as const) {
      const outcome = await pollFlatOut({ secondReader: { everyMs }, hid }, ["QPIGS"], 3000);
      expect({ wrong: outcome.wrong, stale: outcome.stale }).toEqual({ wrong: 0, stale: 0 });
    }
  });

  test("every other kind of fault", async () => {
    const outcome = await pollFlatOut(
      { faults: { late: 0.05, nak: 0.05, zeros: 0.05, echo: 0.05, hang: 0.0005, disconnect: 0.002 } },
      ["QPIGS"],
      5000,
    );
    console.log(JSON.stringify(outcome.counters), JSON.stringify(outcome.injected));
    expect({ wrong: outcome.wrong, stale: outcome.stale }).toEqual({ wrong: 0, stale: 0 });
  });
});
