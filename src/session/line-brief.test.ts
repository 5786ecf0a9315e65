import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { recordingLogger } from "../../test/support/readings.ts";
import { scriptedLine } from "../../test/support/scripted-line.ts";
import { knows, type Script } from "../../test/support/scripted-port.ts";
import { DeadlineError } from "../model/errors.ts";
import { encodePayload } from "../protocol/encode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { Simulation } from "../sim/transport.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { Line } from "./line.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function lineTo(script: Script, latencyMs = 20, wire = { byteMs: 0.5, certain: true, chunkBytes: 1 }) {
  const { clock, port, line, signal } = await scriptedLine(() => script, stops, { latencyMs, wire });
  const brief = async (command: string): Promise<unknown> => line.ask(findRequest(command), { signal, effort: "brief" });
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const began = clock.monotonic();
    await work;
    return clock.monotonic() - began;
  };
  return { clock, port, line, brief, timed };
}

describe("a brief question", () => {
  test("takes silence for an answer after 300 ms and one attempt", async () => {
    const { brief, timed, port } = await lineTo(knows({ QPIGS2: undefined }));
    const failed = failureOf(brief("QPIGS2"));
    const tookMs = await timed(failed);
    expect(await failed).toBeInstanceOf(DeadlineError);
    expect(tookMs).toBeGreaterThan(300);
    expect(tookMs).toBeLessThan(450);
    expect(port.commands().filter((command) => command === "QPIGS2")).toHaveLength(1);
  });

  test("waits longer where the unit takes its time for every answer", async () => {
    const { brief, timed } = await lineTo(knows({ QPIGS2: undefined }), 450);
    // The answer to the first fence is only counted once it is proven.
    await brief("QMOD");
    const tookMs = await timed(failureOf(brief("QPIGS2")));
    expect(tookMs).toBeGreaterThanOrEqual(1.5 * 450);
  });

  test("waits for a long answer where a bridge may hand it over in one piece", async () => {
    const script = knows({
      QPGS1: `1 92931905106458 B 00 232.0 50.00 229.3 50.02 0412 0323 008 52.2 000 030 299.6 000 00895 00713 007 10100010 1 1 060 080 60 00 000`,
    });
    const bridge = { byteMs: 10_000 / 2400, certain: false, chunkBytes: 1 };
    const { brief, line } = await lineTo((command) => script(command), 650, bridge);
    expect(await brief("QPGS1")).toMatchObject({ kind: "data" });
    expect(line.counters.rejected).toMatchObject({ timeout: 0, late: 0 });
  });

  test("that every unit is expected to know is given its time", async () => {
    const { brief, timed } = await lineTo(knows({ QPIGS: undefined }));
    expect(await timed(failureOf(brief("QPIGS")))).toBeGreaterThanOrEqual(1500);
  });

  test("makes room for the next as soon as its answer is in, and the next leaves sooner than an idle line proves it", async () => {
    const { line, port } = await lineTo(knows());
    const events: string[] = [];
    const ask = async (command: string, onHeard?: () => void): Promise<void> => {
      await line.ask(findRequest(command), { signal: new AbortController().signal, effort: "brief", onHeard });
      events.push(`${command} proven`);
    };
    let next: Promise<void> | undefined;
    await ask("QMOD", () => {
      events.push("QMOD heard");
      next = ask("QFLAG");
    });
    await next;
    expect(events).toEqual(["QMOD heard", "QMOD proven", "QFLAG proven"]);
    const at = (command: string): number => port.asked.findLast((each) => each.command === command)!.at;
    // 5 bytes and 7 bytes at 0.5 ms, 20 ms of thought, and the 15 ms of silence that a brief question waits for.
    expect(at("QFLAG") - at("QMOD")).toBeLessThan(60);
  });

  test("does not while a late answer to another may be under way; an answer of another shape then takes the place of a fence", async () => {
    const { line, port } = await lineTo(knows({ QPIGS2: undefined }));
    const heard: string[] = [];
    const ask = async (command: string): Promise<unknown> =>
      line.ask(findRequest(command), { signal: new AbortController().signal, effort: "brief", onHeard: () => heard.push(command) });
    const before = port.asked.length;
    await Promise.all([failureOf(ask("QPIGS2")), ask("QBEQI"), ask("QFLAG"), ask("QLED")]);
    // A refusal has no shape of its own, so it pays nothing.
    expect(heard).toEqual(["QFLAG", "QLED"]);
    expect(port.commands().slice(before)).toEqual(["QPIGS2", "QBEQI", "QFLAG", "QLED"]);
  });

  test("does not wait for a long answer once one has come piece by piece", async () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const simulation = new Simulation({ clock, model: "mystery", certain: false });
    const stop = new AbortController();
    const line = new Line({
      open: simulation.lines[0]!.open,
      clock,
      logger: recordingLogger(),
      random: () => 0.5,
      onStatus: () => undefined,
    });
    const running = line.run({ signal: stop.signal });
    stops.push(async () => {
      stop.abort(new Error("the test is over"));
      await running;
    });
    await line.online({ signal: stop.signal });
    const silentMs = async (command: string): Promise<number> => {
      const began = clock.monotonic();
      await failureOf(line.ask(findRequest(command), { signal: stop.signal, effort: "brief" }));
      return clock.monotonic() - began;
    };
    expect(await silentMs("QPGS0")).toBeGreaterThan(900);
    await line.ask(findRequest("QPIGS"), { signal: stop.signal });
    expect(await silentMs("QDOP")).toBeLessThan(500);
  });

  test("is asked again like any other when its answer comes spoilt", async () => {
    let spoilt = true;
    const good = encodePayload("B");
    const { brief, port } = await lineTo((command) => {
      if (command !== "QMOD" || !spoilt) return knows()(command);
      spoilt = false;
      return good.map((byte, index) => (index === 1 ? byte ^ 1 : byte));
    });
    expect(await brief("QMOD")).toMatchObject({ kind: "data" });
    expect(port.commands().filter((command) => command === "QMOD")).toHaveLength(2);
  });
});

describe("an answer whose checksum has a zero byte", () => {
  const plain = encodePayload("MKS2-1121");
  test.each([
    ["plain", plain],
    ["zeroBumped", plain.map((byte, index) => (index >= plain.length - 3 && byte === 0 ? 1 : byte))],
  ] as const)("tells how the unit sends it: %s", async (habit, bytes) => {
    const { brief } = await lineTo(knows({ QMN: bytes }));
    expect(await brief("QMN")).toMatchObject({ kind: "data", zeroChecksum: habit });
  });

  test("is the only one that tells it", async () => {
    const { brief } = await lineTo(knows());
    expect(await brief("QMN")).not.toHaveProperty("zeroChecksum");
  });
});
