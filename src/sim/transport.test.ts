import { beforeEach, describe, expect, it } from "vitest";
import { TransportError } from "../model/errors.ts";
import { encodeCommand } from "../protocol/encode.ts";
import { FrameDecoder, latin1 } from "../protocol/frame.ts";
import type { Transport } from "../session/transport.ts";
import { SimTransport, Simulation, type SimulationOptions } from "./transport.ts";
import { VirtualClock } from "./virtual-clock.ts";

const epoch = Date.UTC(2026, 0, 1, 9);
let signal: AbortSignal;
beforeEach(() => {
  ({ signal } = new AbortController());
});
const byteMs = 10_000 / 2400;

async function open(
  options: Partial<SimulationOptions> = {},
): Promise<{ clock: VirtualClock; simulation: Simulation; transport: Transport }> {
  const clock = new VirtualClock(epoch);
  const simulation = new Simulation({ clock, ...options });
  const transport = await simulation.lines[0]!.open({ signal });
  return { clock, simulation, transport };
}

/** Takes what comes for `ms`, looking every quarter of a millisecond; each byte with the time at which it was first there. */
async function listen(transport: Transport, clock: VirtualClock, ms: number): Promise<{ bytes: Uint8Array; times: number[] }> {
  const bytes: number[] = [];
  const times: number[] = [];
  const end = clock.monotonic() + ms;
  while (clock.monotonic() < end) {
    for (const byte of transport.take()) {
      bytes.push(byte);
      times.push(clock.monotonic());
    }
    await clock.sleep(0.25, { signal });
  }
  return { bytes: Uint8Array.from(bytes), times };
}

const framesIn = (bytes: Uint8Array): string[] =>
  new FrameDecoder().push(bytes).map((part) => (part.kind === "frame" ? part.body : part.reason));

describe("the wire at 2400 baud", () => {
  it("carries a QPIGS exchange of 118 bytes in 491.7 ms, no byte early, none more than one look late", async () => {
    const { clock, transport } = await open();
    await clock.sleep(1000, { signal });
    const begin = clock.monotonic();
    await transport.write(encodeCommand("QPIGS"), { signal });
    const { bytes, times } = await listen(transport, clock, 700);
    expect(bytes).toHaveLength(110);
    expect(framesIn(bytes)).toHaveLength(1);
    times.forEach((time, index) => {
      const due = begin + (8 + index + 1) * byteMs;
      expect(time).toBeGreaterThanOrEqual(due - 1e-6);
      expect(time).toBeLessThan(due + 0.2501);
    });
    expect((times.at(-1) ?? 0) - begin).toBeCloseTo(491.7, 0);
  });

  it.each([
    ["QPIGS", 491.7],
    ["QPIRI", 458.3],
    ["QPGS0", 587.5],
    ["QMOD", 50],
    ["QPIWS", 183.3],
    ["QFLAG", 95.8],
  ])("carries %s of a KING in %d ms", async (command, ms) => {
    const { clock, transport } = await open({ model: "king" });
    await transport.write(encodeCommand(command), { signal });
    const { times } = await listen(transport, clock, 700);
    expect(Math.abs((times.at(-1) ?? 0) - ms)).toBeLessThan(0.3);
  });

  it("lets the unit think for as long as told", async () => {
    const { clock, transport } = await open({ latencyMs: 150 });
    await transport.write(encodeCommand("QMOD"), { signal });
    const { times } = await listen(transport, clock, 400);
    expect(times[0]).toBeCloseTo((7 + 1) * byteMs + 150, 0);
  });

  it("answers requests in their order, back to back", async () => {
    const { clock, transport } = await open();
    await transport.write(Uint8Array.of(...encodeCommand("QID"), ...encodeCommand("QMOD"), ...encodeCommand("QPI")), { signal });
    const { bytes, times } = await listen(transport, clock, 400);
    expect(framesIn(bytes).map((body) => body.length)).toEqual([14, 1, 4]);
    expect(times.at(-1)).toBeCloseTo((6 + 18 + 5 + 8) * byteMs, 0);
  });

  it("unpaced, the answer is there at once", async () => {
    const { clock, transport } = await open({ baud: 0 });
    await transport.write(encodeCommand("QPIGS"), { signal });
    expect(framesIn(transport.take())).toHaveLength(1);
    expect(clock.monotonic()).toBe(0);
    expect(transport.wire.certain).toBe(false);
  });

  it("takes a request in pieces", async () => {
    const { clock, transport } = await open();
    const request = encodeCommand("QPIGS");
    await transport.write(request.subarray(0, 3), { signal });
    await clock.sleep(500, { signal });
    await transport.write(request.subarray(3), { signal });
    expect(framesIn((await listen(transport, clock, 700)).bytes)).toHaveLength(1);
  });
});

describe("USB reports", () => {
  it("come whole, eight bytes each, the last one padded with zeros", async () => {
    const { clock, transport } = await open({ hid: true });
    await transport.write(encodeCommand("QPI"), { signal });
    const { bytes, times } = await listen(transport, clock, 200);
    expect(latin1(bytes)).toMatch(/^\(PI30..\r$/);
    expect(new Set(times).size).toBe(1);
    await transport.write(encodeCommand("QMOD"), { signal });
    const second = await listen(transport, clock, 200);
    expect([second.bytes.length, ...second.bytes.slice(5)]).toEqual([8, 0, 0, 0]);
    expect(transport.wire.chunkBytes).toBe(8);
  });

  it("queue up to 63 while nobody reads; the newest are lost and two replies merge", async () => {
    const { clock, transport } = await open({ hid: true, secondReader: { everyMs: 1000 } });
    await clock.sleep(10_000, { signal });
    const queued = transport.take();
    expect(queued).toHaveLength(63 * 8);
    await transport.write(encodeCommand("QPIGS"), { signal });
    const { bytes } = await listen(transport, clock, 900);
    const bodies = framesIn(Uint8Array.of(...queued, ...bytes));
    expect(bodies.slice(0, 4).map((body) => body.length)).toEqual([106, 106, 106, 106]);
    expect(bodies[4]).toBe("restarted");
  });
});

describe("a USB bridge that loses what comes too fast", () => {
  it("gets a long command in reports with a pause between them", async () => {
    const { clock, simulation, transport } = await open({ hid: true, reportGapMs: 40 });
    await transport.write(encodeCommand("PCVV55.0"), { signal });
    expect(framesIn((await listen(transport, clock, 300)).bytes)).toEqual(["ACK"]);
    await transport.write(encodeCommand("QED20260101"), { signal });
    expect(framesIn((await listen(transport, clock, 500)).bytes)).toEqual([expect.stringMatching(/^\d{8}$/)]);
    expect(simulation.lines[0]?.wire.lostReports).toBe(0);
  });

  it("loses the second half without the pause, and is itself again with the next command", async () => {
    const { clock, simulation, transport } = await open({ hid: true, reportGapMs: 40, reportPauseMs: 10 });
    await transport.write(encodeCommand("QPIGS2"), { signal });
    expect((await listen(transport, clock, 700)).bytes).toHaveLength(0);
    await transport.write(encodeCommand("QMOD"), { signal });
    expect(framesIn((await listen(transport, clock, 500)).bytes)).toEqual(["B"]);
    expect([simulation.lines[0]?.wire.lostReports, simulation.journal.setters]).toEqual([1, 0]);
  });

  it("may bring the reply before 800 ms late", async () => {
    const { clock, transport } = await open({ hid: true, faults: { late: 1 }, lateMs: 800 });
    await transport.write(encodeCommand("QID"), { signal });
    const { times } = await listen(transport, clock, 1200);
    expect(times[0]).toBeCloseTo((6 + 8) * byteMs + 800, 0);
  });
});

describe("a second reader of the port", () => {
  it("asks at its own times, and its replies appear here undisturbed and uncounted", async () => {
    const { clock, simulation, transport } = await open({ secondReader: { everyMs: 2000, firstMs: 500 }, faults: { corrupt: 1 } });
    const { bytes, times } = await listen(transport, clock, 5000);
    expect(framesIn(bytes).map((body) => body.length)).toEqual([106, 106, 106]);
    expect(times[0]).toBeCloseTo(500 + 9 * byteMs, 0);
    expect(simulation.injected.corrupt).toBe(0);
    expect(simulation.lines[0]?.requests).toBe(3);
  });
});

describe("faults on the line", () => {
  it("late: nothing until the asker has given up, then the reply, behind a newer one's", async () => {
    const { clock, transport } = await open({ faults: { late: 1 } });
    await transport.write(encodeCommand("QID"), { signal });
    const { bytes, times } = await listen(transport, clock, 3000);
    expect(framesIn(bytes)).toEqual(["99999999000001"]);
    expect(times[0]).toBeCloseTo(7 * byteMs + 2500, 0);
  });

  it("disconnect: the transport is lost at once, and the line can be opened again after a while", async () => {
    const { clock, simulation, transport } = await open({ faults: { disconnect: 1 }, unpluggedMs: 3000 });
    await transport.write(encodeCommand("QID"), { signal });
    await clock.sleep(100, { signal });
    expect(() => transport.take()).toThrow(TransportError);
    await expect(transport.write(encodeCommand("QID"), { signal })).rejects.toMatchObject({ code: "transport-lost" });
    const line = simulation.lines[0]!;
    await expect(line.open({ signal })).rejects.toMatchObject({ code: "transport-open" });
    await clock.sleep(3000, { signal });
    const again = await line.open({ signal });
    expect(again.take()).toHaveLength(0);
    expect(simulation.injected.disconnect).toBe(1);
  });
});

describe("SimTransport", () => {
  it("forgets what was under way when it is opened anew", async () => {
    const { clock, simulation, transport } = await open();
    await transport.write(encodeCommand("QPIGS"), { signal });
    await clock.sleep(200, { signal });
    await transport[Symbol.asyncDispose]();
    expect(() => transport.take()).toThrow(/closed/);
    const again = await simulation.lines[0]!.open({ signal });
    expect((await listen(again, clock, 1000)).bytes).toHaveLength(0);
  });

  it("checks the signal first", async () => {
    const { simulation, transport } = await open();
    const reason = new Error("no more");
    const aborted = { signal: AbortSignal.abort(reason) };
    await expect(transport.write(encodeCommand("QPI"), aborted)).rejects.toBe(reason);
    await expect(simulation.lines[0]!.open(aborted)).rejects.toBe(reason);
  });

  it("makes one inverter of its own from options", async () => {
    const clock = new VirtualClock(epoch);
    await using transport = await SimTransport.open({ clock, baud: 0 }, { signal });
    await transport.write(encodeCommand("QID"), { signal });
    expect(framesIn(transport.take())).toEqual(["99999999000001"]);
    expect(transport.address).toBe("sim:");
  });

  it("several units answer on their own lines, each with its own serial number, and know each other", async () => {
    const clock = new VirtualClock(epoch);
    const simulation = new Simulation({ clock, units: 3, baud: 0 });
    const ask = async (unit: number, command: string): Promise<string> => {
      const transport = await simulation.lines[unit]!.open({ signal });
      await transport.write(encodeCommand(command), { signal });
      return framesIn(transport.take())[0] ?? "";
    };
    expect(await Promise.all([0, 1, 2].map((unit) => ask(unit, "QID")))).toEqual(["99999999000001", "99999999000002", "99999999000003"]);
    expect((await ask(0, "QPGS2")).slice(0, 16)).toBe("1 99999999000003");
    expect((await ask(2, "QPGS3")).slice(0, 16)).toBe("0 00000000000000");
    expect(() => new Simulation({ clock, units: 10 })).toThrow(/1 to 9/);
  });

  it("runs its life faster at a higher speed, with the bytes at their own pace", async () => {
    const { clock, simulation, transport } = await open({ speed: 3600 });
    await clock.sleep(10_000, { signal });
    await transport.write(encodeCommand("QPIGS"), { signal });
    const { times } = await listen(transport, clock, 700);
    expect((times.at(-1) ?? 0) - 10_000).toBeCloseTo(491.7, 0);
    // Ten hours from 11:00 local time: night.
    expect(simulation.inverter.warnings).toContain("pvLoss");
  });

  it("replays a log: payloads byte for byte", async () => {
    const payload = "233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110";
    const { transport } = await open({ baud: 0, replayLines: ["header", `2020-08-23 17:14:33.243004,${payload}`] });
    await transport.write(encodeCommand("QPIGS"), { signal });
    expect(framesIn(transport.take())).toEqual([payload]);
  });

  it("does the same in every run with the same seed", async () => {
    const run = async (seed: number): Promise<string> => {
      const { clock, transport } = await open({ seed, faults: { corrupt: 0.2, truncated: 0.2, stale: 0.2 } });
      let all = "";
      for (let n = 0; n < 40; n += 1) {
        await transport.write(encodeCommand("QPIGS"), { signal });
        await clock.sleep(1500, { signal });
        all += latin1(transport.take());
      }
      return all;
    };
    const first = await run(11);
    expect(await run(11)).toBe(first);
    expect(await run(12)).not.toBe(first);
  });
});

describe("the journal", () => {
  it("keeps every command that is no inquiry, with what was made of it, and nothing else", async () => {
    const { clock, simulation, transport } = await open({ baud: 0 });
    for (const command of ["QPIGS", "QFOO", "VERFW:"]) await transport.write(encodeCommand(command), { signal });
    transport.take();
    expect([simulation.journal.setters, simulation.journal.unreadable, simulation.journal.entries]).toEqual([0, 0, []]);
    await clock.sleep(1500, { signal });
    await transport.write(encodeCommand("POP00"), { signal });
    await transport.write(encodeCommand("XYZ"), { signal });
    await transport.write(Uint8Array.of(0x50, 0x4f, 0x50, 0x30, 0x32, 0, 0, 0x0d), { signal });
    transport.take();
    expect([simulation.journal.setters, simulation.journal.unreadable]).toEqual([2, 1]);
    expect(simulation.journal.entries).toEqual([
      {
        at: epoch + 1500,
        unit: 0,
        bytes: "50 4F 50 30 30 C2 48 0D",
        command: "POP00",
        kind: "setter",
        answer: "ack",
        outcome: "unit 0: outputSourcePriority = utilityFirst",
      },
      expect.objectContaining({ command: "XYZ", answer: "nak", outcome: "unknown command" }),
      expect.objectContaining({ command: "", kind: "unreadable", answer: "nak" }),
    ]);
  });

  it("counts for ever and keeps the latest", async () => {
    const { simulation, transport } = await open({ baud: 0 });
    for (let n = 0; n < 1100; n += 1) await transport.write(encodeCommand("PEa"), { signal });
    transport.take();
    expect([simulation.journal.setters, simulation.journal.entries.length]).toEqual([1100, 1000]);
  });
});

describe("a lost verdict", () => {
  it("leaves the unit changed; inquiries are answered all the same", async () => {
    const { simulation, transport } = await open({ baud: 0, verdictFaults: { dropped: 1 } });
    await transport.write(encodeCommand("POP00"), { signal });
    expect(transport.take()).toHaveLength(0);
    await transport.write(encodeCommand("QPIRI"), { signal });
    expect(framesIn(transport.take())[0]?.split(" ")[16]).toBe("0");
    expect([simulation.injected.dropped, simulation.journal.entries[0]?.answer]).toEqual([1, "ack"]);
  });

  it("is never a NAK for what was done", async () => {
    const { simulation, transport } = await open({ baud: 0, faults: { nak: 1 } });
    await transport.write(encodeCommand("POP00"), { signal });
    expect(framesIn(transport.take())).toEqual(["ACK"]);
    expect(simulation.injected.nak).toBe(0);
  });
});

describe("a system of several units", () => {
  const records = async (simulation: Simulation, unit: number): Promise<string[][]> => {
    const transport = await simulation.lines[unit]!.open({ signal });
    const found: string[][] = [];
    for (let n = 0; n < 4; n += 1) {
      await transport.write(encodeCommand(`QPGS${n}`), { signal });
      found.push((framesIn(transport.take())[0] ?? "").split(" "));
    }
    return found;
  };

  it("spreads over three phases, with loads of their own that add up", async () => {
    const simulation = new Simulation({ clock: new VirtualClock(epoch), units: 3, phases: 3, baud: 0 });
    const [first, second, third, none] = await records(simulation, 0);
    expect([first?.[20], second?.[20], third?.[20], none?.[0]]).toEqual(["2", "3", "4", "0"]);
    const watts = [first, second, third].map((record) => Number(record?.[9]));
    expect(Math.max(...watts)).toBeGreaterThan(1.2 * Math.min(...watts));
    expect(watts.reduce((sum, each) => sum + each, 0)).toBe(Number(first?.[17]));
  });

  it("may all have one serial number, and one may not know the parallel query", async () => {
    const simulation = new Simulation({ clock: new VirtualClock(epoch), units: 3, sameSerial: true, withoutParallelQuery: [1], baud: 0 });
    expect(simulation.lines.map(({ serialNumber }) => serialNumber)).toEqual(Array.from({ length: 3 }, () => "55355535553555"));
    expect((await records(simulation, 0)).map(([exists, serial]) => [exists, serial])).toEqual([
      ["1", "55355535553555"],
      ["1", "55355535553555"],
      ["1", "55355535553555"],
      ["0", "00000000000000"],
    ]);
    expect(await records(simulation, 1)).toEqual(Array.from({ length: 4 }, () => ["NAK"]));
  });

  it("goes on with the others when one is switched off, which then is not there and says nothing", async () => {
    const simulation = new Simulation({ clock: new VirtualClock(epoch), units: 3, baud: 0 });
    const [before] = await records(simulation, 0);
    simulation.lines[1]?.setPowered(false);
    const [first, second, third] = await records(simulation, 0);
    expect([first?.[0], second?.slice(0, 3), third?.[0]]).toEqual(["1", ["0", "00000000000000", "P"], "1"]);
    expect(first?.[17]).toBe(before?.[17]);
    expect(Number(first?.[9]) + Number(third?.[9])).toBe(Number(first?.[17]));
    expect(await records(simulation, 1)).toEqual([[""], [""], [""], [""]]);
    simulation.lines[1]?.setPowered(true);
    expect((await records(simulation, 0))[1]?.[0]).toBe("1");
  });
});
