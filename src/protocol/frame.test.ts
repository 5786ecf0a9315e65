import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameError } from "../model/errors.ts";
import { decodeFrame } from "./decode.ts";
import { encodePayload } from "./encode.ts";
import { FrameDecoder, hex, latin1, latin1Bytes, type Discarded, type Frame } from "./frame.ts";

type Part = Frame | Discarded;
const text = (part: Part): string => (part.kind === "frame" ? `frame ${part.body}` : `${part.reason} ${hex(part.raw)}`);

function receive(chunks: Iterable<Uint8Array>): Part[] {
  const decoder = new FrameDecoder();
  return [...Array.from(chunks, (chunk) => decoder.push(chunk)).flat(), ...decoder.flush()];
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** Cuts at the given places, in order; places beyond the end cut nothing. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** Eight bytes a report, the last one filled up with zero bytes, as a USB bridge sends a reply. */
function reports(frame: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(frame.length / 8) }, (_, index) => {
    const report = new Uint8Array(8);
    report.set(frame.subarray(index * 8, index * 8 + 8));
    return report;
  });
}

const payloads = fc.string({ unit: fc.constantFrom(...Array.from("0123456789. ABDEKNS:-abz")), minLength: 1, maxLength: 60 });
const frames = payloads.map((payload) => encodePayload(payload));
const garbage = fc.uint8Array({ maxLength: 40 });
/** Bytes that matter to the decoder come up far more often than by chance. */
const trickyBytes = fc.array(fc.oneof(fc.constantFrom(0x28, 0x0d, 0x0a, 0x00, 0x4e, 0x41, 0x4b), fc.integer({ min: 0, max: 255 })), {
  maxLength: 1500,
});
const streams = fc.array(fc.oneof(frames, garbage, fc.constant(latin1Bytes("(NAK\r"))), { maxLength: 12 }).map(join);

describe("FrameDecoder", () => {
  test("any chunking gives the same as one chunk", () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat(), { maxLength: 30 }), (stream, places) => {
        expect(receive(cut(stream, places)).map(text)).toEqual(receive([stream]).map(text));
      }),
    );
  });

  test("byte by byte gives the same as one chunk", () => {
    fc.assert(
      fc.property(trickyBytes, (bytes) => {
        expect(receive(bytes.map((byte) => Uint8Array.of(byte))).map(text)).toEqual(receive([Uint8Array.from(bytes)]).map(text));
      }),
    );
  });

  test("frames in zero-padded reports of 8 bytes come out whole", () => {
    fc.assert(
      fc.property(fc.array(payloads, { maxLength: 8 }), (sent) => {
        const parts = receive(sent.flatMap((payload) => reports(encodePayload(payload))));
        expect(parts.map(text)).toEqual(sent.map((payload) => `frame ${payload}`));
      }),
    );
  });

  test("the next good frame is found after any garbage", () => {
    fc.assert(
      fc.property(trickyBytes, payloads, (bytes, payload) => {
        expect(text(receive([Uint8Array.from(bytes), encodePayload(payload)]).at(-1)!)).toBe(`frame ${payload}`);
      }),
    );
  });

  test("a frame with a flipped payload bit is not accepted", () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(7), (payload, place, bit) => {
        const bytes = encodePayload(payload);
        bytes[1 + (place % payload.length)]! ^= 1 << bit;
        // A flip may make `(`, CR or a refusal without a checksum of its own; the frame as a whole stays refused.
        const accepted = receive([bytes]).filter(
          (part) => part.kind === "frame" && part.checksum !== "none" && part.raw.length === bytes.length,
        );
        expect(accepted.map(text)).toEqual([]);
      }),
    );
  });

  test("every byte comes out exactly once and in order, but for padding outside frames", () => {
    fc.assert(
      fc.property(trickyBytes, (bytes) => {
        const given = receive([Uint8Array.from(bytes)]).flatMap((part) => [...part.raw]);
        const lost: number[] = [];
        let next = 0;
        for (const byte of bytes) {
          if (given[next] === byte) next++;
          else lost.push(byte);
        }
        expect(next).toBe(given.length);
        expect(lost.filter((byte) => byte !== 0 && byte !== 0x0a)).toEqual([]);
      }),
    );
  });

  test("the parts do not change when the caller reuses its buffer", () => {
    const buffer = encodePayload("B");
    const [frame] = new FrameDecoder().push(buffer);
    buffer.fill(0xff);
    expect(hex(frame!.raw)).toBe("28 42 E7 C9 0D");
  });

  test.each([
    ["an echo of the command before the reply", "QMOD\x49\xc1\r(B\xe7\xc9\r", ["noise 51 4D 4F 44 49 C1 0D", "frame B"]],
    ["two replies in one read", "(B\xe7\xc9\r(L\x06\x07\r", ["frame B", "frame L"]],
    ["a reply cut by the next one", "(230.0 4(B\xe7\xc9\r", ["restarted 28 32 33 30 2E 30 20 34", "frame B"]],
    ["a line feed after CR", "(B\xe7\xc9\r\n(L\x06\x07\r\n", ["frame B", "frame L"]],
    ["a zero report before the reply", "\0\0\0\0\0\0\0\0(B\xe7\xc9\r\0\0\0", ["frame B"]],
    ["a zero byte in the reply", "(B\0\xe7\xc9\r", ["checksum 28 42 00 E7 C9 0D"]],
    ["a wrong checksum", "(B\xe7\xc8\r", ["checksum 28 42 E7 C8 0D"]],
    ["a zero byte after the checksum", "(B\xe7\xc9\0\r", ["checksum 28 42 E7 C9 00 0D"]],
    ["two zero bytes after a checksum that reads as digits", "(024423\0\0\r", ["checksum 28 30 32 34 34 32 33 00 00 0D"]],
    ["an empty payload", "(\x8b\x4a\r", ["checksum 28 8B 4A 0D"]],
    ["a reply without an end", "(230.0", ["unfinished 28 32 33 30 2E 30"]],
  ])("%s", (_, stream, parts) => {
    expect(receive([latin1Bytes(stream)]).map(text)).toEqual(parts);
  });

  test("a frame longer than any reply is given up at 512 bytes", () => {
    const bytes = latin1Bytes(`(${"0".repeat(600)}(B\xe7\xc9\r`);
    expect(receive([bytes]).map((part) => (part.kind === "frame" ? part.body : `${part.reason} ${part.raw.length}`))).toEqual([
      "oversize 512",
      "noise 89",
      "B",
    ]);
  });

  test("open says whether a reply has begun", () => {
    const decoder = new FrameDecoder();
    expect(decoder.open).toBe(false);
    decoder.push(latin1Bytes("noise"));
    expect(decoder.open).toBe(false);
    decoder.push(latin1Bytes("(23"));
    expect(decoder.open).toBe(true);
    decoder.flush();
    expect(decoder.open).toBe(false);
  });
});

/** The class of what is thrown, if anything is. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.constructor : error;
  }
}

describe("decodeFrame", () => {
  test("random bytes throw nothing but FrameError", () => {
    fc.assert(
      fc.property(trickyBytes, (bytes) => {
        expect([undefined, FrameError]).toContain(thrownBy(() => decodeFrame(Uint8Array.from(bytes))));
      }),
    );
  });

  test("says what stands there in place of one frame", () => {
    expect(() => decodeFrame(latin1Bytes("(B\xe7\xc8\r"))).toThrow(
      'expected one frame "(" … checksum CR, got 5 bytes (checksum): 28 42 E7 C8 0D',
    );
    expect(() => decodeFrame(latin1Bytes("(B\xe7\xc9\r(B\xe7\xc9\r"))).toThrow("got a frame, a frame");
    expect(() => decodeFrame(new Uint8Array())).toThrow("got nothing: no bytes");
  });
});

test("Latin-1 keeps every byte", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(latin1Bytes(latin1(bytes))).toEqual(bytes);
});
