import { describe, expect, it } from "vitest";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";
import { FrameDecoder } from "../protocol/frame.ts";
import { FaultInjector, faultKinds, type FaultKind, type FaultRates } from "./faults.ts";

const timing = { lateMs: 2500, hangMs: 60_000 };
const request = encodeCommand("QPIGS");
const reply = encodePayload("233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110");

const always = (kind: FaultKind): FaultInjector => new FaultInjector({ [kind]: 1 }, timing, 1);
const disturb = (injector: FaultInjector, at = 0, bytes = reply): ReturnType<FaultInjector["disturb"]> =>
  injector.disturb("QPIGS", request, bytes, at);
const bytesOf = (injector: FaultInjector): Uint8Array => disturb(injector).parts[0]?.bytes ?? new Uint8Array(0);

describe("FaultInjector", () => {
  it("leaves replies alone without rates", () => {
    const injector = new FaultInjector({}, timing, 1);
    expect(disturb(injector)).toEqual({ parts: [{ bytes: reply, delayMs: 0 }], disconnect: false });
    expect(Object.values(injector.injected)).toEqual(faultKinds.map(() => 0));
  });

  it("corrupt: one bit of one payload byte, never a delimiter, always a wrong checksum", () => {
    const injector = always("corrupt");
    for (let n = 0; n < 2000; n += 1) {
      const bytes = bytesOf(injector);
      const changed = [...bytes.keys()].filter((index) => bytes[index] !== reply[index]);
      expect(changed).toHaveLength(1);
      const [index] = changed as [number];
      const bits = (bytes[index] ?? 0) ^ (reply[index] ?? 0);
      expect([index > 0 && index < reply.length - 3, bits & (bits - 1)]).toEqual([true, 0]);
      const parts = new FrameDecoder().push(bytes);
      expect(parts.map((part) => (part.kind === "discarded" ? part.reason : part.kind))).toEqual(["checksum"]);
    }
    expect(injector.injected.corrupt).toBe(2000);
  });

  it("corrupts even the shortest reply", () => {
    const shortest = encodePayload("B");
    const bytes = disturb(always("corrupt"), 0, shortest).parts[0]?.bytes;
    expect(bytes).toHaveLength(5);
    expect(bytes).not.toEqual(shortest);
  });

  it("truncated: keeps a beginning of at least one byte and never the CR", () => {
    const injector = always("truncated");
    const lengths = new Set<number>();
    for (let n = 0; n < 2000; n += 1) {
      const bytes = bytesOf(injector);
      lengths.add(bytes.length);
      expect(bytes).toEqual(reply.slice(0, bytes.length));
    }
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([1, reply.length - 1]);
  });

  it("stale: an older reply to the same command and the true one behind it, and nothing while there is no older one", () => {
    const injector = always("stale");
    const replies = ["1", "2", "3"].map((payload) => encodePayload(payload));
    const sent = replies.map((bytes) => disturb(injector, 0, bytes).parts[0]?.bytes);
    expect(sent).toEqual([replies[0], Uint8Array.of(...replies[0]!, ...replies[1]!), Uint8Array.of(...replies[0]!, ...replies[2]!)]);
    expect(injector.injected.stale).toBe(2);
    expect(injector.disturb("QMOD", request, reply, 0).parts).toEqual([{ bytes: reply, delayMs: 0 }]);
  });

  it("late, dropped, disconnect, echo, nak", () => {
    expect(disturb(always("late")).parts).toEqual([{ bytes: reply, delayMs: 2500 }]);
    expect(disturb(always("dropped"))).toEqual({ parts: [], disconnect: false });
    expect(disturb(always("disconnect"))).toEqual({ parts: [], disconnect: true });
    expect(bytesOf(always("echo"))).toEqual(Uint8Array.of(...request, ...reply));
    const refusing = always("nak");
    expect(bytesOf(refusing)).toEqual(encodePayload("NAK"));
    disturb(refusing, 0, encodePayload("NAK"));
    expect(refusing.injected.nak).toBe(1);
  });

  it("zeros: all of it or a run of eight inside, which no decoder takes for a frame", () => {
    const injector = always("zeros");
    const shapes = new Set<string>();
    for (let n = 0; n < 200; n += 1) {
      const bytes = bytesOf(injector);
      expect(bytes).toHaveLength(reply.length);
      shapes.add(bytes.every((byte) => byte === 0) ? "all" : "run");
      expect(new FrameDecoder().push(bytes).filter((part) => part.kind === "frame")).toEqual([]);
    }
    expect(shapes).toEqual(new Set(["all", "run"]));
  });

  it("hang: silence for its whole length, counted once", () => {
    const injector = always("hang");
    expect([0, 1000, 59_999].map((at) => disturb(injector, at).parts.length)).toEqual([0, 0, 0]);
    expect(injector.injected.hang).toBe(1);
    disturb(injector, 60_000);
    expect(injector.injected.hang).toBe(2);
  });

  it("keeps to the rates, one fault a reply at most, the same for the same seed", () => {
    const rates: FaultRates = { corrupt: 0.05, truncated: 0.05, dropped: 0.05, stale: 0.05 };
    const run = (seed: number): readonly number[] => {
      const injector = new FaultInjector(rates, timing, seed);
      for (let n = 0; n < 10_000; n += 1) disturb(injector);
      return faultKinds.map((kind) => injector.injected[kind]);
    };
    const counts = run(4);
    expect(counts.filter((count) => count > 0)).toHaveLength(4);
    for (const count of counts.filter((one) => one > 0)) expect(Math.abs(count - 500)).toBeLessThan(90);
    expect(run(4)).toEqual(counts);
    expect(run(5)).not.toEqual(counts);
  });

  it.each([{ corrupt: -0.1 }, { corrupt: 0.7, stale: 0.7 }, { late: Number.NaN }])("refuses rates that are no shares: %o", (rates) => {
    expect(() => new FaultInjector(rates, timing, 1)).toThrow(/add up to at most 1/);
  });
});
