import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { DeadlineError, FrameError, ReplyError } from "../../src/model/errors.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { layout, query, request, exampleOf, type Query, type Request } from "../../src/protocol/command.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { encodeCommand, encodePayload } from "../../src/protocol/encode.ts";
import { unexplained } from "../../src/protocol/field.ts";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import { pi30 } from "../../src/protocol/pi30/dialect.ts";
import type { Write } from "../../src/protocol/setting.ts";
import { Line } from "../../src/session/line.ts";
import { wireOf } from "../../src/session/transport.ts";
import type { Part } from "../../src/sim/faults.ts";
import { profiles } from "../../src/sim/profiles.ts";
import { Random } from "../../src/sim/random.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { SimWire } from "../../src/sim/wire.ts";
import { hidrawMedium } from "../contract/media.ts";
import { until } from "../contract/transport.contract.ts";

/** The reply comes while the next question is open. */
const lateMs = 800;
const patienceMs = 1500;

interface Unit {
  /** The true payload of the `index`-th answer to this command. */
  payload(command: string, index: number): string | undefined;
}

interface Tally {
  asked: number;
  right: number;
  /** Clean ends without an answer, by error code. */
  readonly failures: Record<string, number>;
  /** Answers that are another command's, or older than their question. */
  readonly wrong: string[];
  /** Requests that reached the unit, by command. */
  readonly reached: Map<string, number>;
  readonly told: Record<string, number>;
}

/** Shares of the replies that come 800 ms late, a second time 800 ms late, or 800 ms after they were given up. */
type Lateness = Readonly<Partial<Record<"slow" | "again" | "givenUp", number>>>;

/** A unit behind the USB bridge, with its 8-byte reports. */
class LateUsb {
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 1));
  readonly reached = new Map<string, number>();
  readonly disturbed: Record<"slow" | "again" | "givenUp", number> = { slow: 0, again: 0, givenUp: 0 };
  readonly line: Line;
  readonly #lateness: Lateness;

  constructor(unit: Unit, lateness: Lateness, seed: number) {
    this.#lateness = lateness;
    const random = new Random(seed, "late");
    const wire = new SimWire({
      baud: 2400,
      latencyMs: 20,
      hid: true,
      answer: (sent) => {
        const bytes = sent.subarray(sent.findIndex((byte) => byte !== 0));
        const command = String.fromCharCode(...bytes.subarray(0, -3));
        const index = this.reached.get(command) ?? 0;
        this.reached.set(command, index + 1);
        const payload = unit.payload(command, index);
        return { parts: this.#parts(encodePayload(payload ?? "NAK"), random.next()), disconnect: false };
      },
      answerOther: () => ({ parts: [], disconnect: false }),
    });
    this.line = new Line({
      clock: this.clock,
      logger: silentLogger,
      random: () => 0.5,
      onStatus: () => undefined,
      open: async () => ({
        address: "hidraw:",
        wire: wireOf(2400, true, 8),
        take: () => wire.take(this.clock.monotonic()),
        write: async (bytes) => {
          // What fills up the last report reaches the unit too.
          const reports = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
          reports.set(bytes);
          wire.write(reports, this.clock.monotonic());
        },
        [Symbol.asyncDispose]: async () => undefined,
      }),
    });
  }

  #parts(reply: Uint8Array, chance: number): readonly Part[] {
    const { slow = 0, givenUp = 0, again = 0 } = this.#lateness;
    const kind = chance < slow ? "slow" : chance < slow + givenUp ? "givenUp" : chance < slow + givenUp + again ? "again" : undefined;
    if (kind === undefined) return [{ bytes: reply, delayMs: 0 }];
    this.disturbed[kind] += 1;
    if (kind === "slow") return [{ bytes: reply, delayMs: lateMs }];
    if (kind === "givenUp") return [{ bytes: reply, delayMs: patienceMs + lateMs }];
    return [
      { bytes: reply, delayMs: 0 },
      { bytes: reply, delayMs: lateMs },
    ];
  }
}

const setter: Write = { kind: "write", setting: "batteryBulkVoltage", value: 54, command: "PCVV54.0" };
const setterEvery = 50;

/** Asks each request in turn until all have been asked as often, some at a time so that the line is busy. */
async function askAll(
  unit: Unit,
  requests: readonly Request[],
  total: number,
  isRight: (asked: Request, values: unknown, payload: string, reached: number) => boolean,
  seed: number,
  lateness: Lateness = { slow: 0.02, givenUp: 0.005 },
): Promise<Tally & { readonly disturbed: LateUsb["disturbed"] }> {
  const usb = new LateUsb(
    { payload: (command, index) => (command === setter.command ? "ACK" : (unit.payload(command, index) ?? fences[command])) },
    lateness,
    seed,
  );
  const tally: Tally = { asked: 0, right: 0, failures: {}, wrong: [], reached: usb.reached, told: {} };
  const stop = new AbortController();
  const { signal } = stop;
  const running = usb.line.run({ signal });
  const ask = async (): Promise<void> => {
    while (tally.asked < total) {
      const asked = requests[tally.asked % requests.length]!;
      tally.asked += 1;
      if (tally.asked % setterEvery === 0) {
        const { answer } = await usb.line.tell(setter, { signal });
        tally.told[answer] = (tally.told[answer] ?? 0) + 1;
      }
      const before = usb.reached.get(asked.command) ?? 0;
      try {
        const answer = await usb.line.ask(asked, { signal });
        if (answer.kind === "data" && isRight(asked, answer.values, answer.payload, before)) tally.right += 1;
        else tally.wrong.push(`${asked.command}: ${answer.kind === "data" ? answer.payload : answer.kind}`);
      } catch (error) {
        if (!(error instanceof DeadlineError || error instanceof ReplyError || error instanceof FrameError)) throw error;
        tally.failures[error.code] = (tally.failures[error.code] ?? 0) + 1;
      }
    }
  };
  await Promise.all([ask(), ask(), ask()]);
  stop.abort(new Error("enough"));
  await running;
  return { ...tally, disturbed: usb.disturbed };
}

const fences: Readonly<Record<string, string>> = { QPI: "PI30", QMOD: "B", QVFW: "VERFW:00079.70", QGMN: "044" };

function expectClean(tally: Tally & { readonly disturbed: LateUsb["disturbed"] }, commands: readonly string[]): void {
  expect(tally.wrong).toEqual([]);
  expect(tally.right / tally.asked).toBeGreaterThanOrEqual(0.999);
  expect(tally.right + Object.values(tally.failures).reduce((sum, count) => sum + count, 0)).toBe(tally.asked);
  // One retry at most: no question reached the unit more than twice, and few needed it.
  const own = commands.filter((command) => !(command in fences));
  const reached = own.reduce((sum, command) => sum + (tally.reached.get(command) ?? 0), 0);
  expect(reached).toBeLessThan(tally.asked * 1.1);
  expect(tally.disturbed.slow + tally.disturbed.again).toBeGreaterThan(0);
  // A setter is sent once, whatever comes back, and nobody's NAK is taken for its own.
  const sent = Object.values(tally.told).reduce((sum, count) => sum + count, 0);
  expect(tally.reached.get(setter.command)).toBe(sent);
  expect(tally.told["nak"]).toBeUndefined();
  expect(tally.told["ack"] ?? 0).toBeGreaterThanOrEqual(sent * 0.9);
}

/** An inquiry of this many bytes that is in no paper; all of them are answered in one and the same form. */
function inventedQuery(length: number): Query<{ field0?: string; field1?: string }> {
  return query(`Q${"X".repeat(length - 1)}`, {
    title: `${length} bytes`,
    source: "invented",
    cadence: "fast",
    shape: "invented",
    layouts: [layout([2, 2], [unexplained(0), unexplained(1)])],
  });
}

describe("a long command over USB, while the previous reply comes 800 ms late", () => {
  const lengths = Array.from({ length: 22 }, (_, index) => 3 + index);

  test.each(lengths)("%i bytes: 1,000 questions, each answered by its own reply", async (length) => {
    const asked = inventedQuery(length);
    const code = String(length).padStart(2, "0");
    const tally = await askAll(
      { payload: (command, index) => (command === asked.code ? `${code} ${String(index).padStart(5, "0")}` : undefined) },
      [request(asked)],
      1000,
      (_, values, __, before) => {
        const { field0: of, field1: count } = values as { readonly field0: string; readonly field1: string };
        // Made for this question or a later one that is still open, never for an earlier one.
        return of === code && Number(count) >= before;
      },
      length,
    );
    expectClean(tally, [asked.code]);
  });

  test.each([
    ["800 ms late", { slow: 0.02, givenUp: 0.005 }],
    ["a second time, 800 ms late", { again: 0.02 }],
  ])(
    "commands of all lengths by turns, all answered in one form, replies come %s: none is matched to the wrong one",
    async (_, lateness) => {
      const queries = lengths.map(inventedQuery);
      const tally = await askAll(
        {
          payload: (command, index) =>
            command.startsWith("QX") ? `${String(command.length).padStart(2, "0")} ${String(index).padStart(5, "0")}` : undefined,
        },
        queries.map((each) => request(each)),
        4400,
        (asked, values) => Number((values as { readonly field0: string }).field0) === asked.command.length,
        7,
        lateness,
      );
      expectClean(
        tally,
        queries.map(({ code }) => code),
      );
    },
  );

  const known = pi30.flatMap((each) => {
    const asked = exampleOf(each);
    const payloads = profiles.map(({ replies }) => replies[each.code]).filter((payload) => payload !== undefined);
    const payload = payloads.find((given) => isReadable(asked, given));
    return payload === undefined ? [] : [{ asked, payload }];
  });
  const knownLengths = [...new Set(known.map(({ asked }) => asked.command.length))].toSorted((one, other) => one - other);

  test.each(knownLengths)("every inquiry of %i bytes that units are known to answer, 1,000 times", async (length) => {
    const these = known.filter(({ asked }) => asked.command.length === length);
    const payloads = new Map(these.map(({ asked, payload }) => [asked.command, payload]));
    const tally = await askAll(
      { payload: (command) => payloads.get(command) },
      these.map(({ asked }) => asked),
      1000,
      (asked, _, payload) => payload === payloads.get(asked.command),
      100 + length,
      { slow: 0.01, givenUp: 0.002 },
    );
    expectClean(tally, [...payloads.keys()]);
  });

  test("they are long enough to matter", () => {
    expect(known.map(({ asked }) => asked.command)).toContain("QPIGS2");
    expect(known.length).toBeGreaterThan(25);
    expect(Math.max(...knownLengths) + 3).toBeGreaterThan(8);
  });
});

describe("on a stand-in for the device node", () => {
  test.skipIf(hidrawMedium.unavailable !== undefined)("commands of 3 to 24 bytes arrive whole, in reports of eight", async () => {
    await using far = await hidrawMedium.plugIn();
    const { signal } = new AbortController();
    await using transport = await far.open({ signal });
    const decoder = new FrameDecoder();
    let expected = "";
    for (let length = 3; length <= 24; length++) {
      const bytes = encodeCommand(`Q${"X".repeat(length - 1)}`);
      await transport.write(bytes, { signal });
      expected += hexOf(bytes).padEnd(16 * Math.ceil(bytes.length / 8), "0");
      await until(() => hexOf(far.received()).length >= expected.length, `the ${length} bytes`);
      const reply = encodePayload(String(length).padStart(length, "0"));
      far.send(reply);
      const parts: string[] = [];
      await until(() => {
        for (const part of decoder.push(transport.take())) parts.push(part.kind === "frame" ? part.body : part.reason);
        return parts.length > 0;
      }, "the reply");
      expect(parts).toEqual([String(length).padStart(length, "0")]);
      await pause(0);
    }
    expect(hexOf(far.received())).toBe(expected);
  });
});

function isReadable(asked: Request, payload: string): boolean {
  const [frame] = new FrameDecoder().push(encodePayload(payload));
  if (frame?.kind !== "frame") return false;
  try {
    return decodeReply(asked, frame).kind === "data";
  } catch (error) {
    if (error instanceof ReplyError) return false;
    throw error;
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
