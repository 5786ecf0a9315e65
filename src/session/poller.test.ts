import { describe, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { knows, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { DeadlineError, TransportError } from "../model/errors.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { Simulation } from "../sim/transport.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import type { Answer } from "./job.ts";
import { Line } from "./line.ts";
import { Poller, type PollerOptions } from "./poller.ts";

const plan = (...items: readonly (readonly [command: string, everyMs: number])[]) =>
  items.map(([command, everyMs]) => ({ request: findRequest(command), everyMs }));

type Data = Extract<Answer, { kind: "data" }>;
const dataOf = (command: string): Data => ({ kind: "data", command, payload: "", values: {}, tail: [], at: 0 });

/** A poller whose questions are answered by a function, without a line. */
function polling(items: PollerOptions["plan"], answer: (command: string, clock: VirtualClock) => Promise<Answer>) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const logger = recordingLogger();
  const asked: { readonly command: string; readonly at: number }[] = [];
  const data: string[] = [];
  const stop = new AbortController();
  const poller = new Poller({
    clock,
    logger,
    plan: items,
    ask: (request) => {
      asked.push({ command: request.command, at: clock.monotonic() });
      return answer(request.command, clock);
    },
    online: () => Promise.resolve(),
    ready: () => Promise.resolve(),
    onData: ({ command }) => data.push(command),
  });
  const runFor = async (ms: number): Promise<void> => {
    const running = poller.run({ signal: stop.signal });
    await clock.sleep(ms, stop);
    stop.abort(new Error("the test is over"));
    await running;
  };
  const times = (command: string): number[] => asked.filter((each) => each.command === command).map(({ at }) => at);
  return { clock, poller, logger, asked, data, runFor, times };
}

/** A poller on a line with a scripted unit at its end. */
function pollingUnit(items: PollerOptions["plan"], script: Script) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const port = new ScriptedPort(clock, script);
  const logger = recordingLogger();
  const line = new Line({ open: port.open, clock, logger, random: () => 0.5, onStatus: () => undefined });
  const data: { readonly command: string; readonly at: number }[] = [];
  const stop = new AbortController();
  const poller = new Poller({
    clock,
    logger,
    plan: items,
    ask: (request, how) => line.ask(request, how),
    online: (how) => line.online(how),
    ready: (how) => line.ready(how),
    onData: ({ command }) => data.push({ command, at: clock.monotonic() }),
  });
  const runFor = async (ms: number): Promise<void> => {
    const running = Promise.all([line.run({ signal: stop.signal }), poller.run({ signal: stop.signal })]);
    await clock.sleep(ms, stop);
    stop.abort(new Error("the test is over"));
    await running;
  };
  return { clock, port, line, poller, logger, data, runFor };
}

describe("the grid of start times", () => {
  test("has no drift in two days, however long answers take", async () => {
    let count = 0;
    const { runFor, times } = polling(plan(["QPIGS", 5000]), async (command, clock) => {
      await clock.sleep(100 + ((count++ * 37) % 900), { signal: new AbortController().signal });
      return dataOf(command);
    });
    await runFor(2 * 86_400_000);
    const at = times("QPIGS");
    expect(at).toHaveLength((2 * 86_400) / 5);
    expect(at.every((time, index) => time === index * 5000)).toBe(true);
  });

  test("skips the slots it has missed and stays on the grid", async () => {
    let first = true;
    const { runFor, times } = polling(plan(["QPIGS", 5000]), async (command, clock) => {
      if (!first) return dataOf(command);
      first = false;
      await clock.sleep(17_300, { signal: new AbortController().signal });
      return dataOf(command);
    });
    await runFor(31_000);
    expect(times("QPIGS")).toEqual([0, 20_000, 25_000, 30_000]);
  });

  test("begins with the fast commands, in the plan's order", async () => {
    const { runFor, asked } = polling(
      plan(["QPIGS", 5000], ["QMOD", 5000], ["QPIWS", 15_000], ["QPIRI", 60_000]),
      async (command, clock) => {
        await clock.sleep(500, { signal: new AbortController().signal });
        return dataOf(command);
      },
    );
    await runFor(5001);
    expect(asked.map(({ command }) => command)).toEqual(["QPIGS", "QMOD", "QPIWS", "QPIRI", "QPIGS", "QMOD"]);
  });

  test("is kept for each command on a real line at 2400 baud", async () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const [simLine] = new Simulation({ clock, latencyMs: 100 }).lines;
    const stop = new AbortController();
    const line = new Line({ open: simLine!.open, clock, logger: recordingLogger(), random: () => 0.5, onStatus: () => undefined });
    const counts = new Map<string, number>();
    const poller = new Poller({
      clock,
      logger: recordingLogger(),
      plan: plan(["QPIGS", 5000], ["QMOD", 5000], ["QPIWS", 15_000], ["QPIRI", 60_000]),
      ask: (request, how) => line.ask(request, how),
      online: (how) => line.online(how),
      ready: (how) => line.ready(how),
      onData: ({ command }) => counts.set(command, (counts.get(command) ?? 0) + 1),
    });
    const running = Promise.all([line.run({ signal: stop.signal }), poller.run({ signal: stop.signal })]);
    await clock.sleep(3_600_000, stop);
    stop.abort();
    await running;
    expect(Object.fromEntries(counts)).toEqual({ QPIGS: 720, QMOD: 720, QPIWS: 240, QPIRI: 60 });
  });
});

describe("flat out", () => {
  test.each([
    ["QPIGS alone", plan(["QPIGS", 0])],
    ["three in turn", plan(["QPIGS", 0], ["QMOD", 0], ["QPIRI", 0])],
  ])("%s fills a paced line", async (_, items) => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const simulation = new Simulation({ clock });
    const [simLine] = simulation.lines;
    const stop = new AbortController();
    let bytes = 0;
    const line = new Line({
      clock,
      logger: recordingLogger(),
      random: () => 0.5,
      onStatus: () => undefined,
      open: async (how) => {
        const transport = await simLine!.open(how);
        return {
          address: transport.address,
          wire: transport.wire,
          take: () => {
            const taken = transport.take();
            bytes += taken.length;
            return taken;
          },
          write: async (out, writing) => {
            bytes += out.length;
            await transport.write(out, writing);
          },
          [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
        };
      },
    });
    const counts = new Map<string, number>();
    const poller = new Poller({
      clock,
      logger: recordingLogger(),
      plan: items,
      ask: (request, how) => line.ask(request, how),
      online: (how) => line.online(how),
      ready: (how) => line.ready(how),
      onData: ({ command }) => counts.set(command, (counts.get(command) ?? 0) + 1),
    });
    const running = Promise.all([line.run({ signal: stop.signal }), poller.run({ signal: stop.signal })]);
    await clock.sleep(600_000, stop);
    stop.abort();
    await running;
    expect((bytes * 10_000) / 2400 / 600_000).toBeGreaterThan(0.99);
    const each = [...counts.values()];
    expect(each).toHaveLength(items.length);
    expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(2);
  });
});

describe("a command that the unit does not know", () => {
  test("is left alone after two refusals and asked again after an hour", async () => {
    const { runFor, times, poller, logger, data } = polling(plan(["QPIGS", 5000], ["QPIGS2", 5000]), (command) =>
      Promise.resolve(command === "QPIGS" ? dataOf(command) : { kind: "nak", at: 0 }),
    );
    await runFor(3 * 3_600_000);
    expect(times("QPIGS2")).toEqual([0, 15_000, 3_615_000, 7_215_000]);
    expect(times("QPIGS")).toHaveLength(2160);
    expect(new Set(data)).toEqual(new Set(["QPIGS"]));
    expect(poller.unsupported).toEqual(["QPIGS2"]);
    expect(logger.texts("info")).toEqual(["QPIGS2 is not supported: the unit answers NAK"]);
  });

  test("is polled as planned from the moment at which it is answered after all", async () => {
    let count = 0;
    const { runFor, times, poller } = polling(plan(["QPIGS2", 5000]), (command) =>
      Promise.resolve(++count > 2 ? dataOf(command) : { kind: "nak", at: 0 }),
    );
    await runFor(3_605_000 + 10_001);
    expect(times("QPIGS2")).toEqual([0, 5000, 3_605_000, 3_610_000, 3_615_000]);
    expect(poller.unsupported).toEqual([]);
  });

  test("because it meets it with silence, is left alone likewise; the line stays and others keep their pace", async () => {
    const { runFor, port, poller, data, line } = pollingUnit(
      plan(["QPIGS", 1000], ["QPIGS2", 1000], ["QFLAG", 5000], ["QPIWS", 5000]),
      knows({ QPIGS2: undefined, QPIWS: undefined }),
    );
    await runFor(3_600_000);
    expect(poller.unsupported.toSorted()).toEqual(["QPIGS2", "QPIWS"]);
    // Two short looks and a patient one.
    expect(port.commands().filter((command) => command === "QPIGS2")).toHaveLength(3);
    expect(line.status.state).toBe("online");
    const at = data.filter(({ command }) => command === "QPIGS").map((each) => each.at);
    const gaps = at.slice(1).map((time, index) => time - at[index]!);
    // A time-out of each of the two and the fences after them.
    expect(Math.max(...gaps)).toBeLessThan(1000 + 2 * 1500 + 500);
    expect(at.length).toBeGreaterThan(3600 - 20);
  });

  test("that was answered before is believed to be lost only after five failures in a row", async () => {
    let count = 0;
    const { runFor, times, poller } = polling(plan(["QPIGS", 5000]), (command) =>
      ++count === 1 ? Promise.resolve(dataOf(command)) : Promise.reject(new DeadlineError("no answer")),
    );
    await runFor(3_600_000);
    expect(times("QPIGS")).toHaveLength(6);
    expect(poller.unsupported).toEqual(["QPIGS"]);
  });

  test("is not taken for unknown because the link was down", async () => {
    const { runFor, times, poller } = polling(plan(["QPIGS", 5000]), () => Promise.reject(new TransportError("link-down", "away")));
    await runFor(60_000);
    expect(times("QPIGS")).toHaveLength(12);
    expect(poller.unsupported).toEqual([]);
  });
});

describe("a slow or failing command", () => {
  test.each([0, 5000])("never keeps the live values waiting behind others of its kind (asked every %i ms)", async (everyMs) => {
    const silent = ["QPIRI", "QFLAG", "QDI", "QMCHGCR", "QMUCHGCR", "QSID"];
    const { runFor, data } = pollingUnit(
      plan(["QPIGS", everyMs], ...silent.map((command) => [command, 60_000] as const)),
      knows(Object.fromEntries(silent.map((command) => [command, undefined]))),
    );
    await runFor(120_000);
    const at = data.map((each) => each.at);
    const gaps = at.slice(1).map((time, index) => time - at[index]!);
    // One time-out and the fence behind it; the second attempt of the one before may come in between.
    expect(Math.max(...gaps)).toBeLessThan(everyMs + 2 * 1500 + 500);
  });

  test("is not asked again while its answer is out", async () => {
    let open = 0;
    let most = 0;
    const { runFor, times } = polling(plan(["QPIGS", 1000], ["QMOD", 1000]), async (command, clock) => {
      if (command !== "QPIGS") return dataOf(command);
      most = Math.max(most, ++open);
      await clock.sleep(3500, { signal: new AbortController().signal });
      open -= 1;
      return dataOf(command);
    });
    await runFor(20_500);
    expect(most).toBe(1);
    expect(times("QPIGS")).toEqual([0, 4000, 8000, 12_000, 16_000, 20_000]);
    expect(times("QMOD")).toHaveLength(21);
  });

  test("that makes the program fail ends the run with that failure", async () => {
    const { poller } = polling(plan(["QPIGS", 1000]), () => Promise.reject(new RangeError("a bug")));
    await expect(poller.run({ signal: new AbortController().signal })).rejects.toThrow("a bug");
  });
});

test("starts afresh each time it is run: everything is asked at once", async () => {
  const { poller, clock, times } = polling(plan(["QPIGS", 5000], ["QPIRI", 60_000]), (command) => Promise.resolve(dataOf(command)));
  for (const ms of [3000, 2000]) {
    const stop = new AbortController();
    const running = poller.run({ signal: stop.signal });
    await clock.sleep(ms, stop);
    stop.abort();
    await running;
  }
  expect([times("QPIGS"), times("QPIRI")]).toEqual([
    [0, 3000],
    [0, 3000],
  ]);
});

test("a command added later has the pace of its model, and one that rests is asked again after an hour", async () => {
  const { poller, runFor, times } = polling(plan(["QPGS0", 15_000]), (command) => {
    if (command === "QPGS0") poller.add(findRequest("QPGS1"), "QPGS0");
    if (command === "QPGS1") poller.rest("QPGS1");
    return Promise.resolve(dataOf(command));
  });
  await runFor(3_700_000);
  expect(times("QPGS0")).toHaveLength(247);
  expect(times("QPGS1")).toEqual([0, 3_600_000]);
});
