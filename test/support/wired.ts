import { silentLogger } from "../../src/model/logger.ts";
import type { LinkCounters, LinkStatus } from "../../src/model/reading.ts";
import { encodePayload } from "../../src/protocol/encode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import type { Clock } from "../../src/session/clock.ts";
import { Line } from "../../src/session/line.ts";
import { Poller } from "../../src/session/poller.ts";
import type { Part } from "../../src/sim/faults.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { SimWire } from "../../src/sim/wire.ts";

/** What the unit does with a request: `reply` is the true frame, numbered by `index` within its command from 0. */
export type Behave = (asked: {
  readonly command: string;
  readonly index: number;
  readonly reply: Uint8Array;
  readonly request: Uint8Array;
  /** Virtual ms. */
  readonly at: number;
}) => Uint8Array | readonly Part[];

export interface WiredOptions {
  /** Bits a second, 2400 by default; 0 is unpaced. */
  readonly baud?: number;
  /** Whether the pace may be relied upon; false by default, as on a pty or a TCP bridge. */
  readonly certain?: boolean;
  /** Asked in turn; `QPIGS` alone by default. */
  readonly commands?: readonly string[];
  /** Between two questions of a command, start to start; 0 by default, flat out. */
  readonly everyMs?: number;
  readonly forMs: number;
}

export interface Published {
  readonly command: string;
  /** Which of the unit's answers to this command it is; QPIGS only, else -1. */
  readonly index: number;
  /** Its stamp, and when it was released, virtual ms. */
  readonly at: number;
  readonly releasedAt: number;
  /** True if the unit had made it before the latest request for it was sent. */
  readonly stale: boolean;
}

export interface Outcome {
  readonly published: readonly Published[];
  readonly asked: Readonly<Record<string, number>>;
  readonly counters: LinkCounters;
  readonly statuses: readonly LinkStatus[];
}

const epoch = Date.UTC(2026, 0, 1);
const answers: Readonly<Record<string, string>> = {
  QPI: "PI30",
  QVFW: "VERFW:00079.70",
  QGMN: "044",
  QMOD: "B",
  QPIWS: "00000000000000000000000000000000",
};

function payload(command: string, index: number): string {
  if (command !== "QPIGS") return answers[command] ?? "NAK";
  return `233.8 49.9 233.8 49.9 0210 ${String(index).padStart(4, "0")} 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110`;
}

/** Polls a unit of any behaviour on the virtual clock and tells of every published value where it came from. */
export async function pollWired(
  behave: Behave,
  { baud = 2400, certain = false, commands = ["QPIGS"], everyMs = 0, forMs }: WiredOptions,
): Promise<Outcome> {
  const virtual = new VirtualClock(epoch, { turnMs: baud === 0 ? 0.02 : 0 });
  // Fractions of a millisecond tell events apart that a whole one does not.
  const clock: Clock = {
    now: () => epoch + virtual.monotonic(),
    monotonic: () => virtual.monotonic(),
    sleep: (ms, how) => virtual.sleep(ms, how),
  };
  const made: Record<string, number[]> = {};
  const sent: number[] = [];
  const wire = new SimWire({
    baud,
    latencyMs: 0,
    hid: false,
    answer: (request, at) => {
      const command = String.fromCharCode(...request.subarray(0, -3));
      const times = (made[command] ??= []);
      const reply = encodePayload(payload(command, times.length));
      const behaviour = behave({ command, index: times.length, reply, request, at });
      times.push(at);
      return { parts: behaviour instanceof Uint8Array ? [{ bytes: behaviour, delayMs: 0 }] : behaviour, disconnect: false };
    },
    answerOther: () => ({ parts: [], disconnect: false }),
  });
  const stop = new AbortController();
  const statuses: LinkStatus[] = [];
  const published: Published[] = [];
  const line = new Line({
    clock,
    logger: silentLogger,
    random: () => 0.5,
    onStatus: (status) => statuses.push(status),
    open: async () => ({
      address: "wired:",
      wire: { byteMs: 10_000 / (baud || 2400), certain, chunkBytes: 1 },
      take: () => wire.take(clock.monotonic()),
      write: async (bytes) => {
        if (String.fromCharCode(...bytes.subarray(0, -3)) === "QPIGS") sent.push(clock.monotonic());
        wire.write(bytes, clock.monotonic());
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  });
  const poller = new Poller({
    clock,
    logger: silentLogger,
    plan: commands.map((command) => ({ request: findRequest(command), everyMs })),
    ask: (request, how) => line.ask(request, how),
    online: (how) => line.online(how),
    ready: (how) => line.ready(how),
    onData: ({ command, values, at: stamp }) => {
      const at = stamp - epoch;
      const index = command === "QPIGS" ? ((values as Record<string, number>)["loadActivePower"] ?? -1) : -1;
      const madeAt = made[command]?.[index] ?? Number.POSITIVE_INFINITY;
      // A stamp of today has no more than four digits behind the millisecond.
      const askedAt = sent.findLast((time) => time < at - 0.001) ?? 0;
      published.push({ command, index, at, releasedAt: clock.monotonic(), stale: madeAt < askedAt });
    },
  });
  void clock.sleep(forMs, { signal: stop.signal }).then(
    () => stop.abort(new Error("enough")),
    () => undefined,
  );
  await Promise.all([line.run({ signal: stop.signal }), poller.run({ signal: stop.signal })]);
  const asked = Object.fromEntries(Object.entries(made).map(([command, times]) => [command, times.length]));
  return { published, asked, counters: line.counters, statuses };
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
