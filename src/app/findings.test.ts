import { describe, expect, it } from "vitest";
import { linkUnder, type LinkUnder } from "../../test/support/link.ts";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";
import { latin1Bytes } from "../protocol/frame.ts";
import type { OpenTransport } from "../session/transport.ts";
import { findingTexts, type FindingCode } from "./findings.ts";

/** Puts other bytes in the place of what comes back. */
function changed(change: (bytes: Uint8Array) => Uint8Array): NonNullable<LinkUnder["between"]> {
  return (open): OpenTransport =>
    async (options) => {
      const inner = await open(options);
      return {
        address: inner.address,
        wire: inner.wire,
        take: () => change(inner.take()),
        write: (bytes, how) => inner.write(bytes, how),
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      };
    };
}

/** A port at whose far end something else than an inverter answers each request. */
function elsewhere(answer: (request: Uint8Array, count: number) => Uint8Array): NonNullable<LinkUnder["between"]> {
  return (open, clock) => async (options) => {
    const inner = await open(options);
    let due: { readonly at: number; readonly bytes: Uint8Array } | undefined;
    let count = 0;
    return {
      address: inner.address,
      wire: inner.wire,
      take: () => {
        if (due === undefined || clock.monotonic() < due.at) return new Uint8Array(0);
        const { bytes } = due;
        due = undefined;
        return bytes;
      },
      write: async (bytes) => {
        const reply = answer(bytes, count++);
        if (reply.length > 0) due = { at: clock.monotonic() + 60 + (bytes.length + reply.length) * inner.wire.byteMs, bytes: reply };
      },
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  };
}

const nak = encodePayload("NAK");
const minutes = 60_000;

/** Each fault, and the one finding that says so. */
const faults: readonly (readonly [string, FindingCode, LinkUnder])[] = [
  ["transmit and receive are joined", "echo-only", { between: elsewhere((request) => request) }],
  ["a board that echoes and answers", "echo", { faults: { echo: 1 } }],
  ["the inverter is off", "silent", { between: elsewhere(() => new Uint8Array(0)) }],
  ["every reply is swallowed", "silent", { faults: { dropped: 1 } }],
  ["the port hangs after a while", "hung", { faults: { hang: 0.02 }, hangMs: 60 * minutes }],
  [
    "the wrong baud rate",
    "wrong-speed",
    { between: changed((bytes) => bytes.map((byte) => (byte * 7 + 0x93) | (byte & 1 ? 0x80 : 0x40))) },
  ],
  ["an inverted signal", "wrong-speed", { between: changed((bytes) => bytes.map((byte) => ~byte)) }],
  ["every reply is damaged", "unreadable", { faults: { corrupt: 1 } }],
  ["a unit that refuses everything", "refuses-all", { between: elsewhere(() => nak) }],
  ["a unit of another protocol", "other-protocol", { between: elsewhere(() => latin1Bytes("^D00518\x12\x34\r")) }],
  ["a second program that asks the same", "second-master", { secondReader: { everyMs: 7000, firstMs: 3100 } }],
  ["a second program that asks something else", "second-master", { secondReader: { everyMs: 5100, firstMs: 3100, command: "QID" } }],
  ["old replies before the true ones", "old-replies", { faults: { stale: 0.05 } }],
  ["late replies", "late-replies", { faults: { late: 0.03 } }],
  ["flipped bits", "damaged-replies", { faults: { corrupt: 0.08 } }],
  ["cut replies", "damaged-replies", { faults: { truncated: 0.08 } }],
  ["replies of zeros", "damaged-replies", { faults: { zeros: 0.08 } }],
  ["lost replies", "lost-replies", { faults: { dropped: 0.06 } }],
  ["a port that goes away", "port-goes-away", { faults: { disconnect: 0.02 }, unpluggedMs: 3000 }],
];

describe("findings", () => {
  it.each(faults)("%s → %s", async (_, code, conditions) => {
    const { findings } = await linkUnder(conditions);
    expect(findings.map((finding) => finding.code)).toEqual([code]);
    expect(findings[0]?.severity).toBe(findingTexts[code].severity);
  });

  const wires: readonly (readonly [string, LinkUnder])[] = [
    ["a serial line", {}],
    ["USB", { hid: true }],
    ["a slow unit", { latencyMs: 190 }],
    ["an unpaced line", { baud: 0, latencyMs: 15, everyMs: 300, forMs: minutes }],
    ["a line that is asked flat out", { everyMs: 0, forMs: minutes }],
    ["a unit that is silent to what it does not know", { firmware: { refusal: "silence" }, model: "king" }],
  ];
  it.each(wires)("nothing about %s without a fault", async (_, conditions) => {
    const { findings, counters } = await linkUnder(conditions);
    expect(findings).toEqual([]);
    expect(counters.accepted).toBeGreaterThan(100);
  });

  it("noise between replies, and old replies in the port before the first question", async () => {
    const noise = latin1Bytes("~~\r");
    let takes = 0;
    const withNoise = changed((bytes) => (bytes.at(-1) === 0x0d && ++takes % 6 === 0 ? Uint8Array.of(...bytes, ...noise) : bytes));
    expect((await linkUnder({ between: withNoise })).findings.map(({ code }) => code)).toEqual(["noise"]);
    const leftOver = Uint8Array.of(...encodePayload("B"), ...encodePayload("B"));
    let first = true;
    const withQueue = changed((bytes) => {
      const taken = first ? leftOver : bytes;
      first = false;
      return taken;
    });
    expect((await linkUnder({ between: withQueue })).findings.map(({ code }) => code)).toEqual(["queued-replies"]);
  });

  it.each([
    ["a serial line", false],
    ["USB", true],
  ])("late replies among damage and echoes on %s are no stranger's", async (_, hid) => {
    const { findings } = await linkUnder({ hid, seed: 1, faults: { corrupt: 0.05, late: 0.05, echo: 0.05 }, forMs: 10 * minutes });
    expect(findings.map(({ code }) => code)).toEqual(["late-replies", "damaged-replies", "echo"]);
  });

  it("little damage is worth a word, and a trifle is not", async () => {
    const { findings } = await linkUnder({ faults: { corrupt: 0.02 } });
    expect(findings).toMatchObject([{ code: "damaged-replies", severity: "note" }]);
    expect((await linkUnder({ faults: { corrupt: 0.002 } })).findings).toEqual([]);
  });

  it("are about the last minutes: what is mended is no longer told", async () => {
    const mended: NonNullable<LinkUnder["between"]> = (open, clock) => {
      let place = 0;
      const flip = (byte: number): number => {
        place = byte === 0x28 ? 0 : place + 1;
        return place === 1 && clock.monotonic() < 6 * minutes ? byte ^ 0x04 : byte;
      };
      return changed((bytes) => bytes.map(flip))(open, clock);
    };
    const before = await linkUnder({ between: mended, forMs: 5 * minutes });
    expect(before.findings).toMatchObject([{ code: "unreadable" }]);
    const after = await linkUnder({ between: mended, forMs: 13 * minutes });
    expect(after.findings).toEqual([]);
    expect(after.counters.rejected.checksum).toBeGreaterThan(10);
  });

  it("counts every command by itself", async () => {
    const { commands } = await linkUnder({ model: "king", forMs: minutes });
    expect(commands["QPIGS"]).toMatchObject({ rejected: {} });
    expect(commands["QPIGS"]?.latencyMs?.p50).toBeGreaterThan(encodeCommand("QPIGS").length * 4);
  });
});
