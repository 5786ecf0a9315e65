import { describe, expect, it } from "vitest";
import { payloads } from "../../test/support/readings.ts";
import { readingAt, rigOf, texts, wait } from "../../test/support/shared-rig.ts";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";

describe("programs", () => {
  it("that ask the same at the same moment share one question", async () => {
    const rig = rigOf();
    const programs = Array.from({ length: 8 }, () => rig.program());
    for (const program of programs) program.ask("QPIGS");
    await wait(rig, 1000);
    expect(rig.asked).toHaveLength(1);
    for (const program of programs) expect(texts(program)).toEqual([payloads.QPIGS]);
    await rig.end();
  });

  it("get their answers in the order of their questions", async () => {
    const rig = rigOf();
    rig.port.learn(readingAt(0));
    const program = rig.program();
    program.ask("QMOD", "QPIGS", "QPI");
    await wait(rig, 2000);
    expect(texts(program)).toEqual(["B", payloads.QPIGS, "NAK"]);
    await rig.end();
  });

  it("are put to the unit one at a time, every other question in turn with polling", async () => {
    const rig = rigOf({ maxAgeMs: 0 });
    const programs = ["QPIGS", "QMOD", "QPI", "QID"].map((command) => ({ command, program: rig.program() }));
    for (const { command, program } of programs) program.ask(command);
    await wait(rig, 2500);
    expect(rig.asked.map(({ urgent, at }) => [urgent, at])).toEqual([
      [true, 0],
      [false, 500],
      [true, 1000],
      [false, 1500],
    ]);
    await rig.end();
  });

  it("hear nothing of what comes too late for them", async () => {
    const rig = rigOf({ maxAgeMs: 0, tookMs: 6000 });
    const [first, second, third] = [rig.program(), rig.program(), rig.program()];
    first.ask("QPIGS");
    second.ask("QMOD");
    third.ask("QPI");
    await wait(rig, 40_000);
    expect(texts(first)).toEqual([payloads.QPIGS]);
    expect([texts(second), texts(third)]).toEqual([[], []]);
    // Nobody waited for the third one any more when its turn came.
    expect(rig.asked.map(({ command }) => command)).toEqual(["QPIGS", "QMOD"]);
    await rig.end();
  });

  it("that ask again after a second have given up the first question", async () => {
    const rig = rigOf({ tookMs: 2000 });
    const program = rig.program();
    program.ask("QPIGS");
    await wait(rig, 1500);
    program.ask("QMOD");
    await wait(rig, 5000);
    expect(texts(program)).toEqual(["B"]);
    await rig.end();
  });

  it("that flood get no more than fifty answers a second, and lose what nobody could answer", async () => {
    const rig = rigOf();
    rig.port.learn(readingAt(0));
    const program = rig.program();
    const end = rig.clock.monotonic() + 1000;
    while (rig.clock.monotonic() < end) {
      for (let count = 0; count < 100; count++) program.ask("QPIGS");
      await wait(rig, 10);
    }
    expect(program.heard.length).toBeGreaterThan(40);
    expect(program.heard.length).toBeLessThanOrEqual(51);
    await rig.end();
  });

  it("that break off within a request and come back are understood", async () => {
    const rig = rigOf();
    const program = rig.program();
    program.feed(encodeCommand("QPIGS").subarray(0, 5));
    await wait(rig, 1001);
    program.ask("QMOD");
    await wait(rig, 1000);
    expect(texts(program)).toEqual(["B"]);
    await rig.end();
  });

  it("can be paced like a serial line", async () => {
    const rig = rigOf();
    const arrived: number[] = [];
    const client = rig.port.client({ name: "pty", byteMs: 10, send: () => arrived.push(rig.clock.monotonic()) });
    const stop = new AbortController();
    const running = client.run({ signal: stop.signal });
    rig.port.learn(readingAt(0));
    client.feed(encodeCommand("QPIGS"));
    await wait(rig, 2000);
    const bytes = encodePayload(payloads.QPIGS).length;
    expect(arrived).toHaveLength(Math.ceil(bytes / 8));
    expect(arrived.at(-1)).toBeCloseTo(bytes * 10, 6);
    stop.abort();
    await running;
  });
});
