import { describe, expect, it } from "vitest";
import { lineOf, Recorder } from "../../test/support/capture.ts";
import type { SonkragError } from "../model/errors.ts";
import { silentLogger } from "../model/logger.ts";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";
import { findRequest, pi30 } from "../protocol/pi30/dialect.ts";
import { exampleOf } from "../protocol/command.ts";
import type { Capture } from "../session/capture.ts";
import { Line } from "../session/line.ts";
import { wireOf, type OpenTransport } from "../session/transport.ts";
import { nakFrame } from "./firmware.ts";
import { modelNames } from "./profiles.ts";
import { Recorded } from "./recorded.ts";
import { Simulation, type SimulationOptions } from "./transport.ts";
import { VirtualClock } from "./virtual-clock.ts";

const header = {
  format: "sonkrag-capture",
  version: 1,
  program: "1.2.3",
  startedAt: "2026-01-01T00:00:00.000Z",
  device: "serial",
  wire: wireOf(2400, true),
} as const;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** `replies` to the same command, a second apart, each 100 ms after the request has left. */
function captureOf(command: string, ...replies: readonly (Uint8Array | undefined)[]): Capture {
  const request = encodeCommand(command);
  const lines = replies.flatMap((reply, index) => [
    { t: 5000 * index, dir: ">", hex: hex(request) } as const,
    ...(reply === undefined
      ? []
      : [{ t: 5000 * index + (request.length + reply.length) * header.wire.byteMs + 100, dir: "<", hex: hex(reply) } as const]),
  ]);
  return { header, lines };
}

/** Every value of every command asked once in two rounds; what failed as its error's code. */
async function valuesThrough(open: OpenTransport, clock: VirtualClock): Promise<unknown[]> {
  const stop = new AbortController();
  const line = new Line({ open, clock, logger: silentLogger, random: () => 0.5, onStatus: () => undefined });
  const running = line.run({ signal: stop.signal });
  const said: unknown[] = [];
  for (const query of [...pi30, ...pi30]) {
    const asked = exampleOf(query);
    const answer = await line.ask(asked, { signal: stop.signal }).catch((error: unknown) => (error as SonkragError).code);
    said.push([
      asked.command,
      typeof answer === "string" ? answer : answer.kind === "data" ? [answer.payload, answer.values] : answer.kind,
    ]);
  }
  stop.abort(new Error("enough"));
  await running;
  return said;
}

describe("Recorded", () => {
  it("answers in order with the recorded delays, then with the last good reply", () => {
    const first = encodePayload("B");
    const second = encodePayload("L");
    const damaged = second.slice(0, 3);
    const unit = new Recorded(captureOf("QMOD", first, second, damaged, undefined, damaged));
    const ask = (): unknown => unit.answer(encodeCommand("QMOD")).map(({ bytes, delayMs }) => [hex(bytes), Math.round(delayMs)]);
    expect(ask()).toEqual([[hex(first), 100]]);
    expect(ask()).toEqual([[hex(second), 100]]);
    expect(ask()).toEqual([[hex(damaged), 100]]);
    expect(ask()).toEqual([]);
    // The last exchange of a capture may have been cut short by its end.
    expect(ask()).toEqual([[hex(second), 100]]);
    expect(ask()).toEqual([[hex(second), 100]]);
  });

  it("stays silent, or refuses, where the unit always did so; refuses what was never asked", () => {
    const silent = new Recorded(captureOf("QMOD", undefined, undefined));
    const once = new Recorded(captureOf("QMOD", undefined));
    const refusing = new Recorded(captureOf("QMOD", nakFrame, nakFrame));
    for (let count = 0; count < 4; count++) {
      expect(silent.answer(encodeCommand("QMOD"))).toEqual([]);
      expect(once.answer(encodeCommand("QMOD"))).toEqual([]);
      expect(refusing.answer(encodeCommand("QMOD")).map(({ bytes }) => bytes)).toEqual([nakFrame]);
    }
    expect(silent.answer(encodeCommand("QPI")).map(({ bytes }) => bytes)).toEqual([nakFrame]);
    expect(silent.commands).toEqual(["QMOD"]);
  });

  it("knows a request by its command, whatever form its checksum has and however it was written", () => {
    const capture = captureOf("QMOD", encodePayload("B"));
    const [sent] = capture.lines;
    const halves = [
      { t: 0, dir: ">", hex: sent && "hex" in sent ? sent.hex.slice(0, 6) : "" } as const,
      { t: 1, dir: ">", hex: sent && "hex" in sent ? sent.hex.slice(6) : "" } as const,
    ];
    const unit = new Recorded({ header, lines: [...halves, ...capture.lines.slice(1)] });
    expect(unit.answer(encodeCommand("QMOD"))).toHaveLength(1);
    expect(unit.commands).toEqual([findRequest("QMOD").command]);
  });

  const wires: readonly (readonly [string, Partial<SimulationOptions>])[] = [
    ["a serial line", {}],
    ["USB", { hid: true }],
    ["a slow unit", { latencyMs: 180 }],
    ["an unpaced line of unknown speed", { baud: 0, certain: false, latencyMs: 20 }],
    ["a line with faults", { faults: { corrupt: 0.05, truncated: 0.05, nak: 0.05, dropped: 0.02 } }],
  ];
  it.each(wires)("says the same values once more: %s", async (_, options) => {
    const clock = new VirtualClock(Date.UTC(2026, 5, 1, 10), { turnMs: 0.02 });
    const [line] = new Simulation({ clock, seed: 3, ...options }).lines;
    const recorder = new Recorder(line!.open, clock);
    const live = await valuesThrough(recorder.open, clock);
    const again = new VirtualClock(0, { turnMs: 0.02 });
    const replayed = await valuesThrough(lineOf(recorder.capture(), again).open, again);
    expect(replayed).toEqual(live);
    expect(new Set(live.map((each) => JSON.stringify(each))).size).toBeGreaterThan(12);
  });

  it.each(modelNames)("a capture of %s says the same values once more", async (model) => {
    const clock = new VirtualClock(Date.UTC(2026, 5, 1, 10));
    const [line] = new Simulation({ clock, model }).lines;
    const recorder = new Recorder(line!.open, clock);
    const live = await valuesThrough(recorder.open, clock);
    const again = new VirtualClock(0);
    expect(await valuesThrough(lineOf(recorder.capture(), again).open, again)).toEqual(live);
  });
});
