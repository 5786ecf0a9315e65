import type { Wire } from "./transport.ts";

/** `(`, one character, checksum, CR: what arrives first from USB-HID may be a whole reply in a report of its own. */
const SHORTEST_REPLY = 5;
/** Exchanges that the measured speed looks back on. */
const MEMORY = 8;
/** Shorter exchanges say more about the unit's latency than about the wire. */
const LONG_EXCHANGE = 60;

/**
 * How fast the wire is. A real serial line and a USB-HID bridge cannot be faster than their baud rate, and that is
 * physics to reason with. A pty or a TCP bridge can be anything: it counts as unpaced until proven exchanges show how
 * long they take, and again as soon as bytes come sooner than that.
 */
export class Pace {
  readonly #wire: Wire;
  #measured: number[] = [];
  #lengths = new Map<string, { bytes: number; latencyMs: number }>();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Milliseconds a byte takes; 0 while nothing is known. */
  get byteMs(): number {
    if (this.#wire.certain) return this.#wire.byteMs;
    return this.#measured.length === 0 ? 0 : Math.min(this.#wire.byteMs, ...this.#measured);
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

  /** How long a line must be silent to have nothing more to say. */
  quietMs(atLeastMs: number): number {
    return atLeastMs + (this.#wire.chunkBytes > 1 ? this.#wire.chunkBytes * this.byteMs : 0);
  }

  /** When the answer to a command should be complete, in ms after its request began to leave; absent until it was seen once or while the wire is unpaced. */
  expectedMs(shape: string, requestBytes: number): number | undefined {
    const seen = this.#lengths.get(shape);
    return seen && this.byteMs > 0 ? (requestBytes + seen.bytes) * this.byteMs + seen.latencyMs : undefined;
  }

  expectedBytes(shape: string): number | undefined {
    return this.#lengths.get(shape)?.bytes;
  }

  /** Learns from a proven exchange. */
  learn(shape: string, requestBytes: number, replyBytes: number, tookMs: number): void {
    const bytes = requestBytes + replyBytes;
    if (bytes >= LONG_EXCHANGE) {
      this.#measured.push(tookMs / bytes);
      if (this.#measured.length > MEMORY) this.#measured.shift();
    }
    const latencyMs = Math.max(0, tookMs - bytes * this.byteMs);
    const seen = this.#lengths.get(shape);
    // The shortest latency seen: sampling a little early costs one look more, sampling late costs line time.
    this.#lengths.set(shape, { bytes: replyBytes, latencyMs: seen?.bytes === replyBytes ? Math.min(seen.latencyMs, latencyMs) : latencyMs });
  }

  /** Bytes came sooner than this wire was thought to carry them. */
  tooFast(): void {
    this.#measured = [];
  }
}
