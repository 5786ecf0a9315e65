import type { Logger } from "../model/logger.ts";
import { RequestDecoder } from "../protocol/request-decoder.ts";
import type { Clock } from "../session/clock.ts";

/** A program that asks something else so much later has given up what it asked before, and would take its answer for the new one's. */
const GIVEN_UP_MS = 1000;
/** Half a request that is not continued for so long is forgotten. */
const HALF_MS = 1000;
/** Between two answers to one program: as fast as the fastest of them ask, and slow enough for any number of them. */
const PAUSE_MS = 20;
/** Requests that may wait; a unit would lose them much sooner. */
const MOST_WAITING = 16;
/** With a baud rate: bytes that leave together. */
const SLICE_BYTES = 8;

export interface SharedClientOptions {
  /** Who it is, for the log and the journal, e.g. `tcp 127.0.0.1:40112`. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds a byte; 0 sends an answer at once. */
  readonly byteMs: number;
  readonly send: (bytes: Uint8Array) => void;
  /** How long an answer is worth giving, ms: what comes too late would be taken for the answer to the next question. */
  readonly patienceMs: (command: string | undefined) => number;
  /**
   * The reply to a command, absent for silence; or to a request that could not be read, which has no command. `isOdd`: what
   * came before it was no request at all.
   */
  readonly answer: (
    command: string | undefined,
    options: { readonly isOdd: boolean; readonly signal: AbortSignal },
  ) => Promise<Uint8Array | undefined>;
}

interface Asked {
  readonly command: string | undefined;
  readonly isOdd: boolean;
  /** Monotonic ms. */
  readonly at: number;
}

/** One program on the shared port: its bytes in, its answers out, one after the other and each in one piece. */
export class SharedClient {
  readonly #options: SharedClientOptions;
  readonly #decoder = new RequestDecoder();
  readonly #asked: Asked[] = [];
  /** True once something came that was no request. */
  #isOdd = false;
  #lastByteAt = 0;
  #wake: (() => void) | undefined;
  #lost = 0;

  constructor(options: SharedClientOptions) {
    this.#options = options;
  }

  /** Requests that came faster than they could be answered. */
  get lost(): number {
    return this.#lost;
  }

  /** Bytes from the program, in any pieces. */
  feed(bytes: Uint8Array): void {
    const now = this.#options.clock.monotonic();
    if (this.#decoder.open && now - this.#lastByteAt > HALF_MS) this.#decoder.reset();
    this.#lastByteAt = now;
    for (const received of this.#decoder.push(bytes)) {
      if (received.kind === "garbage") this.#isOdd = true;
      if (this.#asked.length >= MOST_WAITING) this.#lost += 1;
      else this.#asked.push({ command: received.kind === "command" ? received.command : undefined, isOdd: this.#isOdd, at: now });
    }
    this.#wake?.();
  }

  /** Answers until the signal fires. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, logger, name } = this.#options;
    try {
      for (;;) {
        const asked = this.#asked.shift();
        if (asked === undefined) {
          await this.#filled({ signal });
          continue;
        }
        try {
          await this.#serve(asked, { signal });
        } catch (error) {
          if (signal.aborted) return;
          // One odd request must not end the door for all the others.
          logger.error(`Shared port, ${name}: ${asked.command ?? "a spoilt request"} failed: ${String(error)}`);
        }
        await clock.sleep(PAUSE_MS, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #serve({ command, isOdd, at }: Asked, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, answer, patienceMs } = this.#options;
    const leftMs = at + patienceMs(command) - clock.monotonic();
    if (leftMs <= 0) return;
    const over = new AbortController();
    const onAbort = (): void => over.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const reply = await Promise.race([
        answer(command, { isOdd, signal: over.signal }),
        clock.sleep(leftMs, { signal: over.signal }).then(() => undefined),
      ]);
      const next = this.#asked[0];
      const isGivenUp = next !== undefined && next.at - at > GIVEN_UP_MS;
      if (reply !== undefined && !isGivenUp) await this.#send(reply, { signal });
    } finally {
      signal.removeEventListener("abort", onAbort);
      over.abort(new Error("nobody waits for this answer any more"));
    }
  }

  async #send(reply: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, byteMs, send } = this.#options;
    if (byteMs === 0) {
      send(reply);
      return;
    }
    for (let at = 0; at < reply.length; at += SLICE_BYTES) {
      const slice = reply.subarray(at, at + SLICE_BYTES);
      await clock.sleep(slice.length * byteMs, { signal });
      send(slice);
    }
  }

  async #filled({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#wake = () => {
        this.#wake = undefined;
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
    });
  }
}
