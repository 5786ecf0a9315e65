import { describe, expect, it } from "vitest";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { captureLineOf, parseCapture, toCapture, trafficOf } from "./capture.ts";
import { tapped, type TrafficEvent } from "./traffic.ts";
import { wireOf, type Transport } from "./transport.ts";

const never = new AbortController().signal;
const header = {
  format: "sonkrag-capture",
  version: 1,
  program: "1.2.3",
  startedAt: "2026-01-01T00:00:00.000Z",
  device: "serial",
  wire: wireOf(2400, true),
} as const;

describe("tapped", () => {
  it("tells of every byte with its time, and changes nothing", async () => {
    const clock = new VirtualClock(0);
    const reply = encodePayload("PI30");
    const buffer = new Uint8Array(reply);
    const written: Uint8Array[] = [];
    let pending = [buffer];
    const inner: Transport = {
      address: "serial:/dev/x",
      wire: wireOf(2400, true),
      take: () => pending.shift() ?? new Uint8Array(0),
      write: async (bytes) => void written.push(bytes),
      [Symbol.asyncDispose]: async () => void (pending = []),
    };
    const events: TrafficEvent[] = [];
    {
      await using transport = await tapped(
        async () => inner,
        clock,
        (event) => events.push(event),
      )({ signal: never });
      expect([transport.address, transport.wire]).toEqual([inner.address, inner.wire]);
      await transport.write(encodeCommand("QPI"), { signal: never });
      await clock.sleep(50, { signal: never });
      expect(transport.take()).toEqual(reply);
      // The medium uses its buffer for the next bytes.
      buffer.fill(0);
      expect(transport.take()).toHaveLength(0);
    }
    expect(written).toEqual([encodeCommand("QPI")]);
    expect(events).toEqual([
      { kind: "opened", at: 0, wire: wireOf(2400, true) },
      { kind: "sent", at: 0, bytes: encodeCommand("QPI") },
      { kind: "received", at: 50, bytes: reply },
      { kind: "closed", at: 50 },
    ]);
  });
});

describe("a capture", () => {
  const events: TrafficEvent[] = [
    { kind: "opened", at: 1000, wire: wireOf(2400, true, 8) },
    { kind: "sent", at: 1001.236, bytes: encodeCommand("QMOD") },
    { kind: "received", at: 1050, bytes: Uint8Array.of(0x28, 0x42, 0xe7, 0xc9, 0x0d) },
    { kind: "closed", at: 2000 },
  ];
  const lines = events.map((event) => captureLineOf(event, 1000));
  const text = [header, ...lines].map((each) => `${JSON.stringify(each)}\n`).join("");

  it("is read as it was written", () => {
    expect(text.split("\n")[3]).toBe('{"t":50,"dir":"<","hex":"2842e7c90d"}');
    const capture = parseCapture(text, "x.jsonl");
    expect(capture).toEqual({ header, lines });
    expect(trafficOf(capture)).toEqual(events.map((event) => ({ ...event, at: Math.round((event.at - 1000) * 100) / 100 })));
    expect(toCapture(structuredClone(capture), "bundle")).toEqual(capture);
  });

  it("may end in the middle of a line", () => {
    const cut = text.slice(0, -8);
    expect(parseCapture(cut, "x.jsonl").lines).toEqual(lines.slice(0, -1));
  });

  it.each([
    ["", "got nothing"],
    ["2020-08-23 17:14:33,233.8\n", "got 2020-08-23"],
    [`${JSON.stringify({ ...header, version: 2 })}\n`, "version 1"],
    [`${JSON.stringify(header)}\n\n{"t":1,"dir":">","hex":"5"}\n`, "x.jsonl, line 3: expected"],
    [`${JSON.stringify(header)}\n{"t":-1,"dir":">","hex":"51"}\n`, "line 2"],
    [`${JSON.stringify(header)}\n{"t":1,"event":"opened"}\n`, "line 2"],
    [`${JSON.stringify(header)}\nnonsense\n{"t":1,"event":"closed"}\n`, "line 2"],
  ])("is refused with its place: %j", (given, says) => {
    expect(() => parseCapture(given, "x.jsonl")).toThrow(says);
  });

  it("in another document is refused with its place", () => {
    expect(() => toCapture({ header, lines: [lines[0], { t: 1 }] }, "bundle")).toThrow("bundle, entry 2");
    expect(() => toCapture({ lines }, "bundle")).toThrow("expected a capture");
  });
});
