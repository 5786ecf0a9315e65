import { expect, test } from "vitest";
import { ReplyError } from "../../src/model/errors.ts";
import { findMetric } from "../../src/model/metric.ts";
import type { Value, Values } from "../../src/model/reading.ts";
import type { Request } from "../../src/protocol/command.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { FrameDecoder, hex, latin1, type Frame } from "../../src/protocol/frame.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { bytesOf, frameOf, replyVectors, vendorChecksum, wholeFrameVectors } from "./vectors.ts";

const COUNT = 1_000_000;
const RESEALED = 200_000;
const SEED = 0x5eed;

/** Mulberry32: the same numbers on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
type Random = ReturnType<typeof randomFrom>;

const golden = [...replyVectors.map(frameOf), ...wholeFrameVectors.map(({ frame }) => bytesOf(frame))];
const goldenTexts = new Set(golden.map((frame) => latin1(frame)));
const requests = replyVectors.map(({ command }) => findRequest(command));

const mutations: readonly ((frame: Uint8Array, random: Random) => Uint8Array)[] = [
  function flipBits(frame, random) {
    const out = frame.slice();
    for (let flips = 1 + random(4); flips > 0; flips--) out[random(out.length)]! ^= 1 << random(8);
    return out;
  },
  function overwrite(frame, random) {
    const out = frame.slice();
    for (let bytes = 1 + random(3); bytes > 0; bytes--) out[random(out.length)] = random(256);
    return out;
  },
  function cut(frame, random) {
    const from = random(frame.length);
    const to = from + 1 + random(frame.length - from);
    return join(frame.subarray(0, from), frame.subarray(to));
  },
  function joinWithAnother(frame, random) {
    const other = golden[random(golden.length)]!;
    return join(frame.subarray(0, random(frame.length + 1)), other.subarray(random(other.length)));
  },
  function swapBytes(frame, random) {
    const out = frame.slice();
    const a = random(out.length);
    const b = random(out.length);
    [out[a], out[b]] = [out[b]!, out[a]!];
    return out;
  },
  function swapReports(frame, random) {
    // Whole 8-byte reports that arrive in the wrong order.
    const at = 8 * random(Math.ceil(frame.length / 8));
    return join(frame.subarray(0, at), frame.subarray(at + 8, at + 16), frame.subarray(at, at + 8), frame.subarray(at + 16));
  },
  function insert(frame, random) {
    const at = random(frame.length + 1);
    const extra = Uint8Array.from({ length: 1 + random(10) }, () => (random(4) === 0 ? [0, 0x28, 0x0d, 0x0a][random(4)]! : random(256)));
    return join(frame.subarray(0, at), extra, frame.subarray(at));
  },
];

function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function checksumIsRight({ raw, body, checksum }: Frame): boolean {
  if (checksum === "none") return body === "NAK" && raw.length < 12;
  const got = raw.slice(-3, -1);
  return vendorChecksum(raw.slice(0, -3)).every((byte, index) => byte === got[index] || (byte === 0 && got[index] === 1));
}

function isPossible(name: string, value: Value): boolean {
  if (typeof value === "object")
    return (value as readonly unknown[]).every((item) => typeof item === "string" || isPossible(name, item as number));
  if (typeof value !== "number") return typeof value === "boolean" || /^[ -~]{1,40}$/.test(value);
  const [min, max] = findMetric(name)?.range ?? [0, 999];
  return value >= min && value <= max;
}

/** Decodes; gives the values, or undefined for a refusal or a ReplyError. Any other error is a crash and passes through. */
function valuesIn(request: Request, frame: Pick<Frame, "body">): Values | undefined {
  try {
    const reply = decodeReply(request, frame);
    return reply.kind === "data" ? reply.values : undefined;
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}

const impossibleIn = (values: Values): string[] =>
  Object.entries(values)
    .filter(([name, value]) => !isPossible(name, value))
    .map(([name, value]) => `${name} = ${String(value)}`);

test("a million mutated frames: no crash, no frame with a wrong checksum, no value out of range", { timeout: 60_000 }, () => {
  const random = randomFrom(SEED);
  const counts = { mutated: 0, bytes: 0, frames: 0, unchanged: 0, bareNak: 0, collided: 0, decoded: 0 };
  const discarded: Record<string, number> = {};
  const wrong: string[] = [];
  for (; counts.mutated < COUNT; counts.mutated++) {
    const start = random(golden.length);
    let bytes = golden[start]!;
    for (let times = 1 + random(2); times > 0 && bytes.length > 0; times--) bytes = mutations[random(mutations.length)]!(bytes, random);
    counts.bytes += bytes.length;
    const decoder = new FrameDecoder();
    for (const part of [...decoder.push(bytes), ...decoder.flush()]) {
      if (part.kind === "discarded") {
        discarded[part.reason] = (discarded[part.reason] ?? 0) + 1;
        continue;
      }
      counts.frames++;
      if (!checksumIsRight(part)) wrong.push(`wrong checksum: ${hex(part.raw)}`);
      if (part.checksum === "none") counts.bareNak++;
      else if (goldenTexts.has(latin1(part.raw))) counts.unchanged++;
      else counts.collided++;
      const values = valuesIn(requests[start] ?? requests[random(requests.length)]!, part);
      if (values === undefined) continue;
      counts.decoded++;
      wrong.push(...impossibleIn(values));
    }
  }
  console.log(`mutated frames: ${JSON.stringify({ ...counts, discarded })}`);
  expect(wrong).toEqual([]);
  expect(counts.mutated).toBe(COUNT);
  // The run means something only if frames of each kind came by. A 16-bit checksum lets about 1 in 65,536 damaged frames
  // through: those are accepted with a right checksum, and their values are held in range by the fields.
  expect(
    Math.min(
      counts.unchanged,
      counts.bareNak,
      counts.decoded,
      ...["noise", "restarted", "checksum", "unfinished"].map((reason) => discarded[reason] ?? 0),
    ),
  ).toBeGreaterThan(500);
  expect(counts.collided).toBeLessThan(COUNT / 10_000);
});

test("damaged payloads under a right checksum: every value in range, or an error that names the place", { timeout: 60_000 }, () => {
  const random = randomFrom(SEED + 1);
  const alphabet = Array.from("0123456789 .-ABEDLab");
  const counts = { resealed: 0, decoded: 0, refused: 0 };
  const wrong: string[] = [];
  for (; counts.resealed < RESEALED; counts.resealed++) {
    const { command, payload } = replyVectors[random(replyVectors.length)]!;
    const characters = Array.from(payload);
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const change = [alphabet[random(alphabet.length)]!].slice(random(2));
      characters.splice(random(characters.length + 1), random(2), ...change);
    }
    const values = valuesIn(findRequest(command), { body: characters.join("") });
    if (values === undefined) counts.refused++;
    else {
      counts.decoded++;
      wrong.push(...impossibleIn(values));
    }
  }
  console.log(`resealed payloads: ${JSON.stringify(counts)}`);
  expect(wrong).toEqual([]);
  expect(Math.min(counts.decoded, counts.refused)).toBeGreaterThan(RESEALED / 10);
});
