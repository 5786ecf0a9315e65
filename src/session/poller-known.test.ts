import { describe, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { knows, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { DeadlineError, ReplyError } from "../model/errors.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import type { Answer } from "./job.ts";
import { Line } from "./line.ts";
import { Poller, type Failure, type PlanItem } from "./poller.ts";

const HOUR = 3_600_000;
const item = (command: string, everyMs: number, probe = false): PlanItem => ({
  request: findRequest(command),
  everyMs,
  ...(probe && { probe }),
});

/** A poller whose questions are answered at once by a function. */
function polling(plan: readonly PlanItem[], answer: (command: string) => Answer | Error) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const asked: { readonly command: string; readonly effort: string; readonly at: number }[] = [];
  const failures: Failure[] = [];
  const logger = recordingLogger();
  const poller = new Poller({
    clock,
    logger,
    plan,
    ask: async ({ command }, { effort }) => {
      asked.push({ command, effort, at: clock.monotonic() });
      const result = answer(command);
      if (result instanceof Error) throw result;
      return result;
    },
    online: () => Promise.resolve(),
    ready: () => Promise.resolve(),
    onData: () => undefined,
    onFailure: (failure) => failures.push(failure),
  });
  const runFor = async (ms: number): Promise<void> => {
    const stop = new AbortController();
    const running = poller.run({ signal: stop.signal });
    await clock.sleep(ms, stop);
    stop.abort(new Error("the test is over"));
    await running;
  };
  const times = (command: string): number[] => asked.filter((each) => each.command === command).map(({ at }) => at);
  return { poller, logger, asked, failures, runFor, times };
}

const data = (command: string): Answer => ({ kind: "data", command, payload: "", values: {}, tail: [], at: 0 });
const nak: Answer = { kind: "nak", at: 0 };
const unreadable = (body: string): ReplyError =>
  new ReplyError(body === "ACK" ? "reply-nak" : "reply-foreign", "expected data", { context: { body } });

describe("what is known of a unit", () => {
  test("spares it the questions that it does not know, for an hour, over any number of reconnects", async () => {
    const { poller, runFor, times } = polling([item("QPIGS", 5000), item("QPIGS2", 5000), item("QDI", 600_000)], (command) =>
      command === "QPIGS" ? data(command) : nak,
    );
    poller.know({ QPIGS: { support: "answers", failures: 0 }, QPIGS2: { support: "refuses", failures: 2 } });
    expect(poller.unsupported).toEqual(["QPIGS2"]);
    expect(poller.complete).toBe(false);
    for (let round = 0; round < 10; round++) await runFor(60_000);
    expect(times("QPIGS").length).toBeGreaterThan(100);
    expect(times("QPIGS2")).toEqual([]);
    // Nothing was known of this one: a look and a second one, then no more either.
    expect(times("QDI")).toEqual([0, 60_000]);
    expect(poller.complete).toBe(true);
    await runFor(HOUR);
    expect(times("QPIGS2")).toEqual([HOUR]);
  });

  test("does not spare it a question that it met with silence only twice, nor one that it answers", async () => {
    const { poller, runFor, asked } = polling([item("QPIGS2", 5000), item("QMOD", 5000)], data);
    poller.know({ QPIGS2: { support: "silent", failures: 2 }, QMOD: { support: "answers", failures: 0 } });
    await runFor(1000);
    expect(asked.map(({ command, effort }) => [command, effort])).toEqual([
      ["QPIGS2", "once"],
      ["QMOD", "full"],
    ]);
  });

  test("is forgotten when another unit is met", async () => {
    const { poller, runFor, times } = polling([item("QPIGS2", 5000)], () => nak);
    await runFor(20_000);
    expect(poller.unsupported).toEqual(["QPIGS2"]);
    poller.know({});
    expect([poller.unsupported, poller.complete]).toEqual([[], false]);
    await runFor(20_000);
    expect(times("QPIGS2")).toEqual([0, 5000, 20_000, 25_000]);
  });
});

describe("a command that brings no data", () => {
  test("because the unit has nothing to tell is asked again after a minute and is no fault", async () => {
    const { runFor, times, failures, poller, logger } = polling([item("QBMS", 15_000)], () => unreadable("ACK"));
    await runFor(130_000);
    expect(times("QBMS")).toEqual([0, 60_000, 120_000]);
    expect(failures[0]).toEqual({ command: "QBMS", support: "hasNothing", body: "ACK" });
    expect([poller.unsupported, poller.complete, logger.texts("info")]).toEqual([[], true, []]);
  });

  test("because it is answered in an unknown form rests for a minute, is told once, and what came is passed on", async () => {
    const { runFor, times, failures, logger, poller } = polling([item("QPIGS2", 5000)], () => unreadable("1 2 3 4"));
    await runFor(130_000);
    expect(times("QPIGS2")).toEqual([0, 60_000, 120_000]);
    expect(failures[0]).toEqual({ command: "QPIGS2", support: "unreadable", body: "1 2 3 4" });
    expect(logger.texts("info")).toEqual(["QPIGS2 is answered in an unknown form: expected data"]);
    expect(poller.complete).toBe(true);
  });

  test("but did before is asked on: one odd answer is no reason to leave it alone", async () => {
    let count = 0;
    const { runFor, times, failures } = polling([item("QPIGS", 5000)], (command) => (count++ === 1 ? unreadable("1 2") : data(command)));
    await runFor(20_001);
    expect(times("QPIGS")).toEqual([0, 5000, 10_000, 15_000, 20_000]);
    expect(failures).toEqual([]);
  });
});

test("a live value that meets with silence where another is answered is looked for twice more, 15 s apart", async () => {
  const { runFor, times, poller } = polling([item("QPIGS", 5000), item("QPIGS2", 5000)], (command) =>
    command === "QPIGS" ? data(command) : new DeadlineError("no answer"),
  );
  await runFor(60_000);
  expect(times("QPIGS2")).toEqual([0, 15_000, 30_000]);
  expect(times("QPIGS")).toHaveLength(12);
  expect(poller.unsupported).toEqual(["QPIGS2"]);
});

test("where none is answered it is looked for at its next turn", async () => {
  const { runFor, times } = polling([item("QPIGS", 5000), item("QMOD", 5000)], () => new DeadlineError("no answer"));
  await runFor(14_000);
  expect(times("QPIGS")).toEqual([0, 5000]);
});

test("probing begins when everything else was asked, and what was found out is not asked again at the next connect", async () => {
  const { runFor, times, poller } = polling(
    [item("QPIGS", 5000), item("QBOOT", 86_400_000, true), item("QOPM", 86_400_000, true)],
    (command) => (command === "QOPM" ? nak : data(command)),
  );
  await runFor(10_000);
  expect([times("QBOOT"), poller.complete]).toEqual([[], true]);
  await runFor(120_000);
  expect(times("QBOOT")).toEqual([40_000]);
  expect(times("QOPM")).toEqual([40_000, 100_000]);
  await runFor(60_000);
  expect([times("QBOOT").length, times("QOPM").length]).toEqual([1, 2]);
});

describe("a unit that meets most commands with silence", () => {
  const known = ["QPIGS", "QMOD", "QPIWS", "QPIRI", "QFLAG", "QDI", "QMCHGCR", "QMUCHGCR"];
  const answers = knows({
    QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 4000 48.0 46.0 42.0 56.4 54.0 0 10 010 1 0 0 6 01 0 0 54.0 0 1",
    QMCHGCR: "010 020 030",
    QMUCHGCR: "002 010 020",
    QDI: "230.0 50.0 0030 42.0 54.0 56.4 46.0 60 0 0 2 0 0 0 0 0 1 1 0 0 1 0 54.0 0 1",
  });
  const script: Script = (command) => (known.includes(command) || command === "QPI" ? answers(command) : undefined);
  const rest = ["QPIGS2", "QPGS0", "QP2GS0", "QBMS", "QDOP", "Q1", "QBEQI", "QBATCD", "QCST", "QCVT", "QT", "QET", "QLT", "QOPPT"];

  test("is known within 20 s, with live values all the while", async () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const port = new ScriptedPort(clock, script, { latencyMs: 150 });
    const logger = recordingLogger();
    const line = new Line({ open: port.open, clock, logger, random: () => 0.5, onStatus: () => undefined });
    const live: number[] = [];
    const stop = new AbortController();
    const poller = new Poller({
      clock,
      logger,
      plan: [...known, ...rest, "QCHPT", "QLED", "QSID", "QVFW2", "QVFW3", "QMN", "QGMN", "QMSCHGCR"].map((command) =>
        item(command, command === "QPIGS" || command === "QMOD" || command === "QPIGS2" ? 5000 : 60_000),
      ),
      ask: (request, how) => line.ask(request, how),
      online: (how) => line.online(how),
      ready: (how) => line.ready(how),
      onData: ({ command }) => command === "QPIGS" && live.push(clock.monotonic()),
    });
    const running = Promise.all([line.run({ signal: stop.signal }), poller.run({ signal: stop.signal })]);
    await clock.sleep(20_000, stop);
    const { complete } = poller;
    stop.abort(new Error("the test is over"));
    await running;
    expect(complete).toBe(true);
    expect(live[0]).toBeLessThan(1500);
    expect(live.length).toBeGreaterThanOrEqual(4);
    expect(line.status.state).toBe("online");
  });
});
