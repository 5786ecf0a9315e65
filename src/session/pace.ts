import type { Wire } from "./transport.ts";

/** `(`, one character, checksum, CR: what arrives first from USB-HID may be a whole reply in a report of its own. */
const SHORTEST_REPLY = 5;
/** Now and then an answer is looked for sooner than it ever was complete, to find out whether it can be. */
const EARLY_MS = 2;
const EARLY_EVERY = 16;
/** How far from the soonest an answer may be to count as being on time. */
const PUNCTUAL_MS = 8;
/** Below this a wire that must be measured counts as unpaced: 9600 baud. */
const PACED_BYTE_MS = 1;
/** So many exchanges of so many bytes must have been slow before such a wire counts as paced: a busy computer makes any short one slow. */
const EVIDENCE = 2;
const TELLING_BYTES = 64;

/**
 * How fast the wire is. A real serial line and a USB-HID bridge cannot be faster than their baud rate, and that is
 * physics to reason with. A pty or a TCP bridge can be anything: it counts as unpaced until proven exchanges show how
 * long they take, and again as soon as bytes come sooner than that.
 */
export class Pace {
  readonly #wire: Wire;
  /** The least time a byte has taken in any proven exchange, and how many of them were long enough to tell. */
  #measured = Number.POSITIVE_INFINITY;
  #exchanges = 0;
  #looks = 0;
  /** By shape: how long the reply was last, and how soon one of that length was ever there. */
  readonly #soonest = new Map<string, { bytes: number; tookMs: number }>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Milliseconds a byte takes; 0 while nothing is known. */
  get byteMs(): number {
    if (this.#wire.certain) return this.#wire.byteMs;
    return this.#measured < PACED_BYTE_MS || this.#exchanges < EVIDENCE ? 0 : Math.min(this.#wire.byteMs, this.#measured);
  }

  /** Until when nothing of an answer can be here, in ms after the request began to leave; earlier bytes belong to something else. */
  leavingMs(requestBytes: number): number {
    return this.byteMs * (requestBytes + Math.min(SHORTEST_REPLY, this.#wire.chunkBytes) - 1);
  }

  /** How many bytes of an answer (padding included) can be here so long after `leavingMs`. */
  possibleBytes(afterMs: number): number {
    const { chunkBytes } = this.#wire;
    if (chunkBytes > 1 && afterMs < this.byteMs) return 0;
    return Math.ceil(Math.ceil(afterMs / this.byteMs) / chunkBytes) * chunkBytes;
  }

  /** How long so many bytes have been coming at least. */
  leastMs(bytes: number): number {
    return Math.max(0, bytes - (this.#wire.chunkBytes - 1)) * this.byteMs;
  }

  /** How long a line must be silent to have nothing more to say. */
  quietMs(atLeastMs: number): number {
    return atLeastMs + (this.#wire.chunkBytes > 1 ? this.#wire.chunkBytes * this.byteMs : 0);
  }

  /**
   * When to look for the answer to a command first, in ms after its request began to leave: when it was complete at the
   * soonest so far. Each look costs processor time, and a late one costs line time. Absent until the answer was seen once
   * and while the wire is unpaced.
   */
  firstLookMs(shape: string): number | undefined {
    const seen = this.#soonest.get(shape);
    if (!seen || this.byteMs === 0) return undefined;
    const early = this.#looks++ < EARLY_EVERY || this.#looks % EARLY_EVERY === 0 ? EARLY_MS : 0;
    return seen.tookMs - early;
  }

  /** Between two looks at the line: nothing at first on an unpaced one, then 1 ms, then longer while nothing comes. */
  pauseMs(looks: number): number {
    if (this.byteMs === 0 && looks < 30) return 0;
    return looks < 60 ? 1 : 5;
  }

  /** True if an answer came when it always does, within what a busy computer and the unit's mood may add. */
  isPunctual(shape: string, replyBytes: number, tookMs: number): boolean {
    const seen = this.#soonest.get(shape);
    if (seen?.bytes !== replyBytes) return false;
    return Math.abs(tookMs - seen.tookMs) <= PUNCTUAL_MS + (this.#wire.chunkBytes - 1) * this.byteMs;
  }

  /** Learns from a proven exchange. */
  learn(shape: string, requestBytes: number, replyBytes: number, tookMs: number): void {
    const bytes = requestBytes + replyBytes;
    this.#measured = Math.min(this.#measured, tookMs / bytes);
    if (bytes >= TELLING_BYTES) this.#exchanges += 1;
    const seen = this.#soonest.get(shape);
    this.#soonest.set(shape, { bytes: replyBytes, tookMs: seen?.bytes === replyBytes ? Math.min(seen.tookMs, tookMs) : tookMs });
  }

  /** Bytes came sooner than this wire was thought to carry them. */
  tooFast(): void {
    this.#measured = Number.POSITIVE_INFINITY;
    this.#exchanges = 0;
  }
}
