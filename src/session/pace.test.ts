import { describe, expect, test } from "vitest";
import { Pace } from "./pace.ts";
import { wireOf } from "./transport.ts";

const byteMs = 10_000 / 2400;

describe("a real serial line", () => {
  const pace = () => new Pace(wireOf(2400, true));

  test("is as fast as its baud rate from the first byte on, whatever is measured", () => {
    const line = pace();
    expect(line.byteMs).toBe(byteMs);
    line.learn("QPIGS", 8, 110, 118 * byteMs + 150);
    line.tooFast();
    expect(line.byteMs).toBe(byteMs);
  });

  test("lets nothing of an answer be here before the request has left", () => {
    const line = pace();
    expect(line.leavingMs(8)).toBeCloseTo(8 * byteMs);
    expect([line.possibleBytes(0), line.possibleBytes(byteMs * 0.9), line.possibleBytes(byteMs * 2.5)]).toEqual([0, 1, 3]);
    expect(line.quietMs(15)).toBe(15);
  });

  test("tells when to look for an answer once it was seen: just before the soonest, by its own length", () => {
    const line = pace();
    expect(line.firstLookMs("QPIGS")).toBeUndefined();
    line.learn("QPIGS", 8, 110, 118 * byteMs + 120);
    line.learn("QPIGS", 8, 110, 118 * byteMs + 80);
    line.learn("QPIGS", 8, 110, 118 * byteMs + 200);
    expect(line.firstLookMs("QPIGS")).toBeCloseTo(118 * byteMs + 80 - 2);
    expect(line.firstLookMs("QMOD")).toBeUndefined();
    line.learn("QPIGS", 8, 135, 143 * byteMs + 90);
    expect(line.firstLookMs("QPIGS")).toBeCloseTo(143 * byteMs + 90 - 2);
  });
});

describe("USB-HID", () => {
  const usb = new Pace(wireOf(2400, true, 8));

  test("hands over eight bytes at a time, so silence takes longer to prove and an answer longer to begin", () => {
    expect(usb.leavingMs(8)).toBeCloseTo((8 + 4) * byteMs);
    expect(usb.quietMs(15)).toBeCloseTo(15 + 8 * byteMs);
    expect([usb.possibleBytes(0), usb.possibleBytes(byteMs), usb.possibleBytes(9 * byteMs)]).toEqual([0, 8, 16]);
  });
});

describe("a wire that must be measured", () => {
  const bridge = () => new Pace(wireOf(2400, false));

  test("counts as unpaced until two long exchanges show otherwise, and never as slower than its baud rate", () => {
    const pace = bridge();
    expect([pace.byteMs, pace.leavingMs(8), pace.firstLookMs("QMOD")]).toEqual([0, 0, undefined]);
    pace.learn("QPIGS", 8, 110, 118 * byteMs + 300);
    expect(pace.byteMs).toBe(0);
    pace.learn("QPIGS", 8, 110, 118 * byteMs + 300);
    expect(pace.byteMs).toBe(byteMs);
    pace.learn("QMOD", 7, 5, 12 * 2);
    expect(pace.byteMs).toBe(2);
  });

  test("is looked at in time for an answer that was first seen while nothing was known of the pace", () => {
    const pace = bridge();
    for (let count = 0; count < 3; count++) pace.learn("QPIGS", 8, 110, 118 * byteMs);
    expect(pace.firstLookMs("QPIGS")).toBeCloseTo(118 * byteMs - 2);
    expect(pace.isPunctual("QPIGS", 110, 118 * byteMs + 5)).toBe(true);
    expect(pace.isPunctual("QPIGS", 110, 118 * byteMs + 30)).toBe(false);
  });

  test("is not taken for a paced one because a busy computer was slow with short answers", () => {
    const pace = bridge();
    for (let count = 0; count < 50; count++) pace.learn("QMOD", 7, 5, 90);
    pace.learn("QPIGS", 8, 110, 90);
    pace.learn("QPIGS", 8, 110, 90);
    expect(pace.byteMs).toBe(0);
  });

  test("counts as unpaced again when bytes come sooner than they should", () => {
    const pace = bridge();
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 2; count++) pace.learn("QPIGS", 8, 110, 118 * byteMs);
      expect(pace.byteMs).toBe(byteMs);
      pace.tooFast();
      expect(pace.byteMs).toBe(0);
    }
  });
});
