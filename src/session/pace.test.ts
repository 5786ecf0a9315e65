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
    expect(line.firstLookMs("QPIGS", 8)).toBeUndefined();
    line.learn("QPIGS", 8, 110, 118 * byteMs + 120);
    line.learn("QPIGS", 8, 110, 118 * byteMs + 80);
    line.learn("QPIGS", 8, 110, 118 * byteMs + 200);
    expect(line.firstLookMs("QPIGS", 8)).toBeCloseTo(118 * byteMs + 80 - 2);
    expect(line.firstLookMs("QMOD", 7)).toBeUndefined();
    line.learn("QPIGS", 8, 135, 143 * byteMs + 90);
    expect(line.firstLookMs("QPIGS", 8)).toBeCloseTo(143 * byteMs + 90 - 2);
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
  test("counts as unpaced until exchanges show otherwise, and never as slower than its baud rate", () => {
    const bridge = new Pace(wireOf(2400, false));
    expect([bridge.byteMs, bridge.leavingMs(8), bridge.firstLookMs("QMOD", 7)]).toEqual([0, 0, undefined]);
    bridge.learn("QMOD", 7, 5, 12 * byteMs + 300);
    expect(bridge.byteMs).toBe(byteMs);
    bridge.learn("QMOD", 7, 5, 12 * 2);
    expect(bridge.byteMs).toBe(2);
  });

  test("counts as unpaced when it is faster than any serial line, or when bytes come sooner than they should", () => {
    const bridge = new Pace(wireOf(2400, false));
    bridge.learn("QMOD", 7, 5, 1);
    expect(bridge.byteMs).toBe(0);
    const other = new Pace(wireOf(2400, false));
    other.learn("QMOD", 7, 5, 12 * byteMs);
    other.tooFast();
    expect(other.byteMs).toBe(0);
  });
});
