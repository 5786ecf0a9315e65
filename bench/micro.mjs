/** The decoder alone: whole frames, and frames that were damaged. Imported once the build is there. */
import { decodeReply, encodePayload, findRequest, FrameDecoder, ReplyError } from "sonkrag";

/** One reply to each command of the six-command cycle. */
const samples = [
  ["QPIGS", "230.4 50.0 229.9 50.0 0392 0323 041 390 51.20 012 071 0038 0007 132.4 51.60 00000 00010110 00 00 00924 110"],
  ["QMOD", "B"],
  ["QPIWS", "10000000000000000000000000000000"],
  ["QPIRI", "230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 48.0 55.2 54.0 2 60 080 0 2 1 9 01 0 0 54.0 0 1 480"],
  ["QFLAG", "EakxyzDbjuv"],
  [
    "QPGS0",
    "1 92931701100510 B 00 232.3 49.94 230.0 50.00 0391 0323 008 52.5 000 062 000.0 000 00391 00323 008 00000010 0 1 080 120 60 00 008",
  ],
].map(([command = "", payload = ""]) => ({ request: findRequest(command), frame: encodePayload(payload) }));

/** Mulberry32: the same damage on every machine. */
function randomNumbers() {
  let state = 0x5eed;
  return (/** @type {number} */ below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/**
 * A flipped bit, a missing stretch, or bytes that do not belong there.
 * @param {Uint8Array} frame
 * @param {ReturnType<typeof randomNumbers>} random
 */
function damaged(frame, random) {
  const at = random(frame.length);
  const kind = random(3);
  if (kind === 0) {
    const out = frame.slice();
    out[at] = (out[at] ?? 0) ^ (1 << random(8));
    return out;
  }
  if (kind === 1) return Uint8Array.from([...frame.subarray(0, at), ...frame.subarray(at + 1 + random(8))]);
  return Uint8Array.from([...frame.subarray(0, at), random(256), random(256), ...frame.subarray(at)]);
}

/**
 * Whether the bytes came out as a reply of the command.
 * @param {FrameDecoder} decoder
 * @param {(typeof samples)[number]["request"]} request
 * @param {Uint8Array} bytes
 */
function isReply(decoder, request, bytes) {
  let accepted = false;
  for (const part of decoder.push(bytes)) {
    if (part.kind !== "frame") continue;
    try {
      accepted = decodeReply(request, part).kind === "data";
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
    }
  }
  decoder.flush();
  return accepted;
}

/**
 * Frames a second. Damage is done in batches whose making is not timed.
 * @param {number} count
 * @param {boolean} damage
 */
function rate(count, damage) {
  const random = randomNumbers();
  const decoder = new FrameDecoder();
  let ms = 0;
  let accepted = 0;
  for (let done = 0; done < count; done += 1000) {
    const batch = Array.from({ length: 1000 }, (_, index) => {
      const sample = samples[index % samples.length];
      if (sample === undefined) throw new Error("expected a sample, got none");
      return { request: sample.request, bytes: damage ? damaged(sample.frame, random) : sample.frame };
    });
    const begin = performance.now();
    for (const { request, bytes } of batch) if (isReply(decoder, request, bytes)) accepted += 1;
    ms += performance.now() - begin;
  }
  return { perSecond: (count * 1000) / ms, accepted };
}

/** @param {number} count of frames of each kind */
export function decoderRates(count) {
  rate(50_000, false);
  return { whole: rate(count, false), damaged: rate(count, true) };
}
