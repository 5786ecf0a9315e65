import { TransportError } from "../../src/model/errors.ts";
import { encodePayload } from "../../src/protocol/encode.ts";
import type { Clock } from "../../src/session/clock.ts";
import type { OpenTransport, Transport, Wire } from "../../src/session/transport.ts";

/** What a unit does with a command: a payload to answer with, raw bytes, or nothing at all. */
export type Script = (command: string) => string | Uint8Array | undefined;

const names: Readonly<Record<string, string>> = {
  QPI: "PI30",
  QID: "92931905106458",
  QVFW: "VERFW:00079.70",
  QMN: "MKS2-8000",
  QMOD: "B",
  QGMN: "044",
  QPIGS: "233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110",
  QPIWS: "00000000000000000000000000000000",
  QFLAG: "EakxyDbjuvz",
};

/** A unit that knows these commands and refuses all others; `overrides` comes first. */
export function knows(overrides: Readonly<Record<string, string | Uint8Array | undefined>> = {}): Script {
  return (command) => (Object.hasOwn(overrides, command) ? overrides[command] : (names[command] ?? "NAK"));
}

export const nothing: Script = () => undefined;

/** A port on a clock that a test pulls and plugs, with a unit behind it that follows a script. */
export class ScriptedPort {
  script: Script;
  /** Why it cannot be opened; absent while it can. */
  absent: TransportError | undefined;
  /** Commands that were written, with the time (monotonic ms). */
  readonly asked: { readonly command: string; readonly at: number }[] = [];
  /** Times (monotonic ms) of all attempts to open it. */
  readonly opens: number[] = [];
  closes = 0;
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #wire: Wire;
  #pending: { at: number; bytes: Uint8Array }[] = [];
  #generation = 0;

  constructor(clock: Clock, script: Script, { latencyMs = 20, wire }: { readonly latencyMs?: number; readonly wire?: Wire } = {}) {
    this.#clock = clock;
    this.script = script;
    this.#latencyMs = latencyMs;
    this.#wire = wire ?? { byteMs: 10_000 / 2400, certain: false, chunkBytes: 1 };
  }

  commands(): string[] {
    return this.asked.map(({ command }) => command);
  }

  /** Bytes that nobody has asked for. */
  say(bytes: Uint8Array): void {
    this.#pending.push({ at: this.#clock.monotonic(), bytes });
  }

  /** Takes the device away until `plugIn`. */
  pull(): void {
    this.#generation += 1;
    this.absent = new TransportError("transport-open", "cannot open the port: no such device", { context: { errno: "ENOENT" } });
  }

  plugIn(): void {
    this.absent = undefined;
  }

  readonly open: OpenTransport = async ({ signal }) => {
    signal.throwIfAborted();
    this.opens.push(this.#clock.monotonic());
    if (this.absent) throw this.absent;
    this.#pending = [];
    return this.#transport(++this.#generation);
  };

  #transport(generation: number): Transport {
    let closed = false;
    const mustBeThere = (): void => {
      if (closed || generation !== this.#generation) throw new TransportError("transport-lost", "the port went away");
    };
    return {
      address: "scripted:",
      wire: this.#wire,
      take: () => {
        mustBeThere();
        const now = this.#clock.monotonic();
        const due = this.#pending.filter(({ at }) => at <= now);
        this.#pending = this.#pending.filter(({ at }) => at > now);
        return Uint8Array.from(due.flatMap(({ bytes }) => [...bytes]));
      },
      write: async (bytes, { signal }) => {
        signal.throwIfAborted();
        mustBeThere();
        const command = String.fromCharCode(...bytes.subarray(0, -3));
        this.asked.push({ command, at: this.#clock.monotonic() });
        const answer = this.script(command);
        if (answer === undefined) return;
        this.#pending.push({
          at: this.#clock.monotonic() + this.#latencyMs,
          bytes: typeof answer === "string" ? encodePayload(answer) : answer,
        });
      },
      [Symbol.asyncDispose]: async () => {
        closed = true;
        this.closes += 1;
      },
    };
  }
}
