import { describe, expect, test } from "vitest";
import { checksum, rawCrc } from "../../src/protocol/crc.ts";
import { decodeFrame, decodeReply, type Reply } from "../../src/protocol/decode.ts";
import { exampleOf } from "../../src/protocol/command.ts";
import { encodeCommand, encodePayload, encodeReply } from "../../src/protocol/encode.ts";
import { FrameDecoder, hex, latin1Bytes } from "../../src/protocol/frame.ts";
import { findRequest, pi30 } from "../../src/protocol/pi30/dialect.ts";
import {
  bytesOf,
  commandVectors,
  dataVectors,
  frameOf,
  rejectedVectors,
  replyVectors,
  vendorChecksum,
  wholeFrameVectors,
  type ReplyVector,
} from "./vectors.ts";

test("the fixtures hold every known-answer vector", () => {
  expect([commandVectors.length, replyVectors.length, wholeFrameVectors.length]).toEqual([192, 137, 14]);
  const captured = replyVectors.filter(({ provenance }) => provenance === "captured");
  expect(captured.length).toBeGreaterThan(65);
});

describe("requests", () => {
  test.each(commandVectors)("$command", ({ command, raw, sent, frame, zeroBumped }) => {
    expect(rawCrc(latin1Bytes(command)).toString(16).toUpperCase().padStart(4, "0")).toBe(raw);
    expect(hex(Uint8Array.from(checksum(latin1Bytes(command)))).replace(" ", "")).toBe(sent);
    expect(hex(encodeCommand(command))).toBe(frame);
    // The second habit differs where a checksum byte is 00, and nowhere else.
    expect(hex(encodeCommand(command, "zeroBumped"))).toBe(zeroBumped ?? frame);
  });

  test("every command of the catalogue has its vector", () => {
    const known = new Set(commandVectors.map(({ command }) => command));
    // Of those the notes have no frame: QGR to QWS repeat or explain nothing, QLITH0 is of another dialect.
    const unknown = ["QBT", "QGR", "QBV", "QMD", "QFS", "QWS", "Q2", "QLITH0"];
    const asked = pi30.map((query) => exampleOf(query).command);
    expect(asked.filter((command) => !known.has(command))).toEqual(unknown);
  });
});

describe("replies", () => {
  test.each(replyVectors)("$command $provenance $model $note: $payload", (vector) => {
    const bytes = frameOf(vector);
    expect(bytes.length).toBe(vector.length);
    expect(Array.from(bytes.slice(-3, -1))).toEqual(vendorChecksum(bytes.slice(0, -3)));
    const frame = decodeFrame(bytes);
    expect(frame.body).toBe(vector.payload);
    expect(frame.checksum).toBe("plain");
    expect(hex(encodePayload(vector.payload))).toBe(hex(bytes));
  });

  test.each(wholeFrameVectors)("whole frame $payload ($note)", ({ payload, frame }) => {
    expect(decodeFrame(bytesOf(frame)).body).toBe(payload);
    expect(hex(encodePayload(payload))).toBe(frame);
  });

  // Payloads that a unit writes in a form of its own, so that writing them again cannot give the same bytes.
  const ownForm: readonly RegExp[] = [
    /^1492932105105335005535$/, // QSID filler of any digits
    / 010 \d{3} \d \d \d [\d-] \d\d /, // QPIRI with a charging current of three digits where the papers have two
    / 01012 00969 009 /, // QPIGS of a unit that writes its powers with five digits
    / 30 50 0 2 1 - 01 /, // QPIRI with a charging current of two digits where the papers have three
    / 060 120 030 00 000 000\.0 00$/, // QPGSn with an AC charging current of three digits
    / 100 120 030 02 000 275\.3 02$/,
    /^\d\d\.\d \d{3}\.\d \d{5} $/, // QPIGS2 with a space at its end
    /^25\.6 095 $/, // QBV, the same
    /^11 92911906100045 /, // QP2GSn of a unit that says 11 where the papers have 1
    / 54\.0 0 1 60$/, // QPIRI with a C.V. time of two digits
  ];
  const isOwnForm = (vector: ReplyVector): boolean => ownForm.some((form) => form.test(vector.payload));
  const writeAgain = ({ command, payload }: ReplyVector): { reply: Reply; again: string } => {
    const request = findRequest(command);
    const reply = decodeReply(request, { body: payload });
    if (reply.kind !== "data") throw new Error(`expected data, got ${reply.kind}`);
    return { reply, again: encodeReply(request.query, reply.values, reply.tail) };
  };
  test.each(dataVectors.filter((vector) => !isOwnForm(vector)))(
    "written again byte for byte: $command $model $note: $payload",
    (vector) => {
      expect(writeAgain(vector).again).toBe(vector.payload);
    },
  );
  test.each(dataVectors.filter(isOwnForm))(
    "written again in the form of the papers, with the same values: $command: $payload",
    (vector) => {
      const { reply, again } = writeAgain(vector);
      expect(again).not.toBe(vector.payload);
      expect(decodeReply(findRequest(vector.command), { body: again })).toEqual({ ...reply, payload: again });
    },
  );
});

describe("bytes that are no frame", () => {
  test.each(rejectedVectors)("$why", ({ frame, discarded }) => {
    const bytes = bytesOf(frame);
    const decoder = new FrameDecoder();
    const parts = [...decoder.push(bytes), ...decoder.flush()];
    expect(parts.map((part) => (part.kind === "discarded" ? part.reason : "frame"))).toEqual(discarded);
    expect(parts.flatMap((part) => [...part.raw])).toEqual([...bytes]);
    expect(() => decodeFrame(bytes)).toThrow(expect.objectContaining({ code: "frame-invalid" }));
  });

  test("the bit-damaged and the cut frame are good once mended", () => {
    expect(
      decodeFrame(
        frameOf({
          payload: "247.1 49.9 229.6 49.9 01012 00969 009 420 53.40 011 052 0052 03.2 268.1 00.00 00000 00010110 00 00 00879 010 0 00 0000",
          checksum: "1E 94",
        }),
      ).checksum,
    ).toBe("plain");
    expect(
      decodeFrame(
        frameOf({
          payload: "239.2 50.0 229.8 50.0 0321 0197 005 422 53.20 000 050 0056 01.7 229.2 00.00 00000 00010110 00 00 00407 010",
          checksum: "43 46",
        }),
      ).checksum,
    ).toBe("plain");
    expect(decodeFrame(bytesOf("28 4E 41 4F 33 F7 0D")).body).toBe("NAO");
  });
});

describe("refusals without a good checksum", () => {
  const nak = { kind: "nak" };
  test.each(["28 4E 41 4B 0D", "28 4E 41 4B 00 00 0D", "28 4E 41 4B 73 0D", "28 4E 41 4B 73 73 0D", "28 4E 41 4B 73 73 20 20 20 20 0D"])(
    "%s",
    (frame) => {
      expect(decodeReply(findRequest("QPIGS"), decodeFrame(bytesOf(frame)))).toEqual(nak);
    },
  );
  test("12 bytes are no refusal", () => {
    expect(() => decodeFrame(bytesOf("28 4E 41 4B 73 73 20 20 20 20 20 0D"))).toThrow(expect.objectContaining({ code: "frame-invalid" }));
  });
});

/** Commands that are asked; one of each family stands for it. Q2 is left out: anything passes for its reply. */
const requests = pi30.filter(({ shape }) => shape !== "anything").map((query) => exampleOf(query));
function accepts(command: string, payload: string): boolean {
  try {
    return decodeReply(findRequest(command), { body: payload }).kind === "data";
  } catch {
    return false;
  }
}

describe("a reply is taken for no other command's", () => {
  test.each(dataVectors)("$command: $payload", ({ command, payload }) => {
    const { shape } = findRequest(command).query;
    const takenBy = requests.filter(({ command }) => accepts(command, payload)).map(({ query }) => query);
    expect(takenBy.map((query) => query.shape)).toEqual(takenBy.map(() => shape));
    expect(takenBy).toContain(findRequest(command).query);
  });

  test("anything passes for the reply of Q2; it is never polled", () => {
    expect(pi30.filter(({ shape }) => shape === "anything").map(({ code, cadence }) => [code, cadence])).toEqual([["Q2", "onDemand"]]);
  });

  test("what proves that nothing older is under way can be told from all the rest", () => {
    const others = requests.filter(({ query }) => !["QPI", "QMOD", "QVFW", "QGMN"].includes(query.code));
    const shapes = ["QPI", "QMOD", "QVFW", "QGMN"].map((command) => findRequest(command).query.shape);
    expect(new Set(shapes).size).toBe(4);
    expect(others.filter(({ query }) => ["QPI", "QMOD"].includes(query.shape))).toEqual([]);
  });
});
