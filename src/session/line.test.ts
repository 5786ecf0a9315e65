import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { recordingLogger } from "../../test/support/readings.ts";
import { knows, nothing, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { DeadlineError, FrameError, TransportError } from "../model/errors.ts";
import type { LinkStatus } from "../model/reading.ts";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { Line } from "./line.ts";

const start = Date.UTC(2026, 0, 1);
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function lineWith(script: Script, { latencyMs = 20 } = {}) {
  const clock = new VirtualClock(start);
  const port = new ScriptedPort(clock, script, { latencyMs });
  const statuses: (LinkStatus & { readonly ms: number })[] = [];
  const stop = new AbortController();
  const line = new Line({
    open: port.open,
    clock,
    logger: recordingLogger(),
    random: () => 0.5,
    onStatus: (status) => statuses.push({ ...status, ms: clock.monotonic() }),
  });
  const running = line.run({ signal: stop.signal });
  const end = async (reason: unknown = new Error("the test is over")): Promise<void> => {
    stop.abort(reason);
    await running;
  };
  stops.push(end);
  const never = new AbortController().signal;
  return {
    clock,
    port,
    line,
    statuses,
    end,
    online: () => line.online({ signal: never }),
    wait: (ms: number) => clock.sleep(ms, { signal: never }),
  };
}

const ask = (line: Line, command: string, signal = new AbortController().signal) => line.ask(findRequest(command), { signal });
const states = (statuses: readonly LinkStatus[]): string[] => statuses.map(({ state }) => state);

describe("a unit that answers", () => {
  test("is online after the first fence, and each question gets its own answer, stamped and counted", async () => {
    const { online, line, port, statuses, clock } = lineWith(knows());
    expect(line.status).toEqual({ state: "starting", since: start, message: "Connecting." });
    await online();
    expect(statuses).toMatchObject([{ state: "online", message: "", since: start + 20 }]);
    const before = clock.now();
    const answers = await Promise.all(["QPIGS", "QMOD", "QID"].map((command) => ask(line, command)));
    expect(answers.map((answer) => [answer.kind, "command" in answer && answer.command])).toEqual([
      ["data", "QPIGS"],
      ["data", "QMOD"],
      ["data", "QID"],
    ]);
    for (const { at } of answers) expect(at).toBeGreaterThan(before);
    expect(port.commands()).toEqual(["QPI", "QPIGS", "QMOD", "QID"]);
    expect(line.counters).toMatchObject({ requests: 4, accepted: 4, reconnects: 0 });
    expect(Object.values(line.counters.rejected).every((count) => count === 0)).toBe(true);
  });

  test("that refuses a command says so: a NAK is an answer and is not asked for twice", async () => {
    const { line, port } = lineWith(knows());
    expect(await ask(line, "QPIGS2")).toMatchObject({ kind: "nak" });
    expect(port.commands()).toEqual(["QPI", "QPIGS2"]);
    expect(line.counters).toMatchObject({ accepted: 1, rejected: { nak: 1 } });
  });

  test("that refuses even the fence is online: it talks", async () => {
    const { line, statuses } = lineWith(() => "NAK");
    expect(await ask(line, "QPIGS")).toMatchObject({ kind: "nak" });
    expect(states(statuses)).toEqual(["online"]);
  });
});

describe("an exchange that fails", () => {
  test("is tried once more, behind a fence of another shape", async () => {
    let spoilt = 1;
    const good = knows();
    const bad = encodePayload("B").map((byte, index) => (index === 1 ? byte ^ 1 : byte));
    const { line, port } = lineWith((command) => (command === "QMOD" && spoilt-- > 0 ? bad : good(command)));
    expect(await ask(line, "QMOD")).toMatchObject({ kind: "data", values: { operatingMode: "battery" } });
    expect(port.commands()).toEqual(["QPI", "QMOD", "QVFW", "QMOD"]);
    expect(line.counters).toMatchObject({ requests: 4, accepted: 3, rejected: { checksum: 1 }, reconnects: 0 });
  });

  test("twice is given up with its reason; the link stays", async () => {
    const bad = encodePayload("B").map((byte, index) => (index === 1 ? byte ^ 1 : byte));
    const { line, port, statuses } = lineWith(knows({ QMOD: bad }));
    await expect(ask(line, "QMOD")).rejects.toThrow(FrameError);
    expect(port.commands().filter((command) => command === "QMOD")).toHaveLength(2);
    expect(await ask(line, "QPIGS")).toMatchObject({ kind: "data" });
    expect(states(statuses)).toEqual(["online"]);
  });

  test("for silence waits for a late reply before it asks the same again, and lets others through meanwhile", async () => {
    const { online, line, port, clock } = lineWith(knows({ QPIWS: undefined }));
    await online();
    const began = clock.monotonic();
    const silent = ask(line, "QPIWS");
    const failed = failureOf(silent);
    const answered = await ask(line, "QPIGS");
    expect(answered.kind).toBe("data");
    // Its own time-out, a fence, itself.
    expect(clock.monotonic() - began).toBeLessThan(1500 + 200);
    expect(await failed).toBeInstanceOf(DeadlineError);
    const times = port.asked.filter(({ command }) => command === "QPIWS").map(({ at }) => at);
    expect(times).toHaveLength(2);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1500 + 3000);
    expect(clock.monotonic() - began).toBeLessThan(2 * 1500 + 3000 + 500);
    expect(line.counters.rejected.timeout).toBe(2);
  });
});

describe("the ladder", () => {
  test("silence: ask, fence with other shapes, close, look again with growing pauses, never give up", async () => {
    const { line, port, statuses, wait } = lineWith(nothing);
    await wait(150_000);
    expect(port.commands().slice(0, 5)).toEqual(["QPI", "QMOD", "QVFW", "QGMN", "QPI"]);
    expect(states(statuses)).toEqual(["silent"]);
    expect(line.status.message).toMatch(/port is open but the inverter does not answer.*switched on.*switch the inverter off and on/);
    expect(port.closes).toBeGreaterThan(3);
    expect(port.opens.length - port.closes).toBeLessThanOrEqual(1);
    const gaps = port.opens.slice(1).map((at, index) => at - port.opens[index]!);
    const talkMs = gaps[0]! - 500;
    expect(gaps.slice(0, 6).map((gap) => Math.round(gap - talkMs))).toEqual([500, 1000, 2000, 4000, 8000, 10_000]);
    expect(talkMs).toBeLessThan(15_000);
    expect(line.counters.accepted).toBe(0);
  });

  test("a unit that comes back after a long silence is online within 13 s, whenever that is, and pauses start small again", async () => {
    for (const phase of [0, 3000, 6000, 9000, 12_000, 15_000, 18_000]) {
      const { online, line, port, clock, statuses, wait } = lineWith(knows());
      await online();
      port.script = nothing;
      await expect(ask(line, "QPIGS")).rejects.toThrow(TransportError);
      await wait(120_000 + phase);
      expect(line.status.state).toBe("silent");
      port.script = knows();
      const back = clock.monotonic();
      await online();
      expect(clock.monotonic() - back).toBeLessThan(13_000);
      expect(states(statuses)).toEqual(["online", "silent", "online"]);
      port.script = nothing;
      await expect(ask(line, "QPIGS")).rejects.toThrow(TransportError);
      const opensBefore = port.opens.length;
      const down = clock.monotonic();
      await wait(600);
      expect(port.opens.slice(opensBefore)).toEqual([down + 500]);
    }
  });

  test("a port that goes away is noticed although nobody asks anything", async () => {
    const { online, line, port, statuses, wait } = lineWith(knows());
    await online();
    await wait(10_000);
    port.pull();
    await wait(300);
    expect(states(statuses)).toEqual(["online", "lost"]);
    port.plugIn();
    await wait(800);
    expect(line.status.state).toBe("online");
  });

  test("a device that is absent is looked for every 200 ms, for as long as it takes", async () => {
    const { online, line, port, clock, statuses, wait } = lineWith(knows());
    await online();
    port.pull();
    await expect(ask(line, "QPIGS")).rejects.toThrow("the port went away");
    await wait(3_600_000);
    const looks = port.opens.slice(2);
    expect(looks.length).toBeGreaterThan(17_000);
    for (const [index, at] of looks.slice(1).entries()) expect(at - looks[index]!).toBeCloseTo(200, 6);
    // One change for the person to read, not eighteen thousand.
    expect(states(statuses)).toEqual(["online", "lost", "lost"]);
    expect(line.status.message).toBe("cannot open the port: no such device");
    expect(line.counters.reconnects).toBe(1);
    port.plugIn();
    const back = clock.monotonic();
    expect(await ask(line, "QPIGS").catch((error: unknown) => error)).toBeInstanceOf(TransportError);
    await online();
    expect(clock.monotonic() - back).toBeLessThan(1000);
  });

  test("a port that another program holds is tried again with growing pauses, and the holder is named", async () => {
    const { online, line, port, wait } = lineWith(knows());
    await online();
    port.pull();
    port.absent = new TransportError("transport-busy", "/dev/ttyUSB0 is in use by process 12 (minicom)");
    await expect(ask(line, "QPIGS")).rejects.toThrow(TransportError);
    await wait(60_000);
    expect(line.status).toMatchObject({ state: "lost", message: "/dev/ttyUSB0 is in use by process 12 (minicom)" });
    expect(port.opens.length).toBeLessThan(12);
  });

  test.each<readonly [string, Script, RegExp]>([
    ["an echo", (command) => encodeCommand(command), /Only our own bytes come back: transmit and receive are joined/],
    ["noise", () => Uint8Array.of(0x55, 0x00, 0xfe, 0x81, 0x0d), /Bytes arrive but no whole frame: wrong baud rate, a loose plug/],
    ["cut frames", () => encodePayload("PI30").subarray(0, 4), /Bytes arrive but no whole frame/],
    ["a wrong checksum", () => Uint8Array.from([...encodePayload("PI30").subarray(0, -2), 0x11, 0x0d]), /Bytes arrive but no whole frame/],
    ["silence", nothing, /The port is open but the inverter does not answer/],
  ])("%s is told in plain words", async (_, script, words) => {
    const { line, wait } = lineWith(script);
    await wait(40_000);
    expect(line.status.state).toBe("silent");
    expect(line.status.message).toMatch(words);
  });

  test("what was wrong an hour ago is not blamed for what is wrong now", async () => {
    const { line, port, wait } = lineWith((command) => encodeCommand(command));
    await wait(40_000);
    expect(line.status.message).toMatch(/own bytes/);
    port.script = nothing;
    await wait(60_000);
    expect(line.status.message).toMatch(/does not answer/);
  });
});

describe("whoever waits", () => {
  test("for an answer that is on its way when the link goes down is told so, and so are those behind", async () => {
    const { online, line, port, wait } = lineWith(knows({ QPIGS: undefined }));
    await online();
    const waiting = Promise.allSettled([ask(line, "QPIGS"), ask(line, "QMOD"), ask(line, "QID")]);
    await wait(500);
    port.pull();
    const outcomes = await waiting;
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(TransportError) as unknown });
  });

  test("asking while the link is down is told at once why", async () => {
    const { line, wait } = lineWith(nothing);
    await wait(40_000);
    await expect(ask(line, "QPIGS")).rejects.toMatchObject({ code: "link-down", message: line.status.message });
  });

  test("can give up: the question does not go out any more", async () => {
    const { online, line, port, wait } = lineWith(knows({ QPIGS: undefined }));
    await online();
    const patience = new AbortController();
    const blocked = ask(line, "QPIGS").catch((error: unknown) => error);
    const given = ask(line, "QMN", patience.signal);
    const failed = failureOf(given);
    patience.abort(new Error("enough"));
    expect(await failed).toMatchObject({ message: "enough" });
    await blocked;
    await wait(1000);
    expect(port.commands()).not.toContain("QMN");
  });

  test("a question given up on its way is not asked a second time", async () => {
    const { online, line, port, wait } = lineWith(knows({ QPIGS: undefined }));
    await online();
    const patience = new AbortController();
    const given = failureOf(ask(line, "QPIGS", patience.signal));
    await wait(700);
    patience.abort(new Error("enough"));
    expect(await given).toMatchObject({ message: "enough" });
    await wait(20_000);
    expect(port.commands().filter((command) => command === "QPIGS")).toHaveLength(1);
  });
});

describe("the end", () => {
  // From before the first byte to deep inside retries, quarantine and pauses.
  const moments = [0, 1, 10, 25, 400, 1519, 1600, 1800, 3500, 6200, 9000, 14_000, 20_000];
  const scripts: Readonly<Record<string, Script>> = {
    "good unit": knows(),
    "silent unit": nothing,
    "unit that is silent to one": knows({ QPIGS: undefined }),
    "noisy unit": () => Uint8Array.of(0x28, 0x81),
  };
  test.each(Object.keys(scripts))("comes at once and rejects whoever waits, at any moment: %s", async (name) => {
    for (const moment of moments) {
      const { line, port, clock, end, wait } = lineWith(scripts[name]!);
      const asked = ["QPIGS", "QMOD", "QPIGS", "QPIRI"].map((command) => ask(line, command).then(String, (error: unknown) => error));
      const waiters = [line.online({ signal: AbortSignal.abort(new Error("already")) }).catch((error: unknown) => error), ...asked];
      await wait(moment);
      const at = clock.monotonic();
      await end();
      expect(clock.monotonic()).toBe(at);
      expect(port.opens.length).toBe(port.closes);
      await Promise.all(waiters);
    }
  });

  test.each(["given up", "answered"])(
    "comes at once when it falls together with the line's becoming idle: the last question is %s",
    async (how) => {
      for (let turns = 0; turns < 12; turns++) {
        const { online, line, port, end } = lineWith(knows(how === "answered" ? {} : { QPIGS: undefined }));
        await online();
        await ask(line, "QPIGS").catch(() => undefined);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        await end();
        expect(port.opens.length).toBe(port.closes);
      }
    },
  );

  test("is the end also for questions that come later", async () => {
    const { online, line, end } = lineWith(knows());
    await online();
    await end(new Error("closing time"));
    await expect(ask(line, "QPIGS")).rejects.toThrow("closing time");
  });

  test("by a fault of the program is told to whoever waits, and to the owner", async () => {
    const clock = new VirtualClock(start);
    const line = new Line({
      open: () => Promise.reject(new RangeError("a bug")),
      clock,
      logger: recordingLogger(),
      random: () => 0.5,
      onStatus: () => undefined,
    });
    const asked = failureOf(ask(line, "QPIGS"));
    await expect(line.run({ signal: new AbortController().signal })).rejects.toThrow("a bug");
    expect(await asked).toMatchObject({ message: "a bug" });
  });
});
