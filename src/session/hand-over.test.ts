import { describe, expect, test } from "vitest";
import { HandOver } from "./hand-over.ts";

const measured = { byteMs: 10_000 / 2400, certain: false, chunkBytes: 1 };

function after(pieces: readonly number[], wire = measured): HandOver {
  const handOver = new HandOver();
  handOver.note({ kind: "opened", at: 0, wire });
  handOver.note({ kind: "sent", at: 0, bytes: new Uint8Array(8) });
  for (const size of pieces) handOver.note({ kind: "received", at: 0, bytes: new Uint8Array(size) });
  return handOver;
}

describe("a reply", () => {
  test("may be held back by what nobody knows, until a long one has come piece by piece", () => {
    expect(after([]).mayHoldBack).toBe(true);
    expect(after(Array<number>(60).fill(1)).mayHoldBack).toBe(true);
    expect(after(Array<number>(70).fill(1)).mayHoldBack).toBe(false);
  });

  test("that comes in one piece, or in large ones, proves nothing, be it behind an echo", () => {
    expect(after([110]).mayHoldBack).toBe(true);
    expect(after([64, 46]).mayHoldBack).toBe(true);
    expect(after([1, 1, 1, 1, 1, 1, 1, 1, 110]).mayHoldBack).toBe(true);
  });

  test("counts for itself, not with those of other questions", () => {
    const handOver = after(Array<number>(40).fill(1));
    handOver.note({ kind: "sent", at: 1, bytes: new Uint8Array(8) });
    for (let count = 0; count < 40; count++) handOver.note({ kind: "received", at: 1, bytes: new Uint8Array(1) });
    expect(handOver.mayHoldBack).toBe(true);
  });

  test("is not held back by a wire that is physically there; another medium is judged anew", () => {
    const handOver = after([], { ...measured, certain: true });
    expect(handOver.mayHoldBack).toBe(false);
    handOver.note({ kind: "opened", at: 2, wire: measured });
    expect(handOver.mayHoldBack).toBe(true);
  });
});
