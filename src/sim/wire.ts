import { encodeCommand } from "../protocol/encode.ts";
import type { Disturbed } from "./faults.ts";

export interface WireOptions {
  /** Bits a second, ten a byte; 0 is unpaced. */
  readonly baud: number;
  /** Between a request's last byte and the reply's first, ms; real units take 100 to 200. */
  readonly latencyMs: number;
  /** Replies come in 8-byte reports padded with zeros, through the kernel's queue of `hidraw`. */
  readonly hid: boolean;
  /** With `hid`: a report that comes sooner than this behind the one before it is lost, ms; none is where absent. */
  readonly reportGapMs?: number | undefined;
  /** Another program that asks through the same port; its replies appear here too. Absent for none. */
  readonly secondReader?: SecondReader | undefined;
  /** Answers a whole request (CR included) that was complete at this time. */
  readonly answer: (request: Uint8Array, at: number) => Disturbed;
  /** The same for the second reader's requests, whose replies nobody disturbs. */
  readonly answerOther: (request: Uint8Array, at: number) => Disturbed;
}

export interface SecondReader {
  readonly everyMs: number;
  /** Of its first request; 0 by default. */
  readonly firstMs?: number;
  /** `QPIGS` by default. */
  readonly command?: string;
}

interface Arrival {
  readonly at: number;
  readonly request: Uint8Array;
}

interface Waiting {
  readonly readyAt: number;
  readonly bytes: Uint8Array;
}

interface Leaving {
  readonly start: number;
  readonly bytes: Uint8Array;
  taken: number;
}

const CR = 0x0d;
const reportBytes = 8;
/** The kernel keeps 63 reports of an open `hidraw` node and drops the newest when there are more. */
const queueReports = 63;
/** A request that stops in the middle is forgotten after this time. */
const forgottenMs = 500;
const nothing = new Uint8Array(0);

/**
 * The serial line with the unit at its far end, as arithmetic on times in ms: a request's bytes leave one after the
 * other, the unit answers when the last one is there, and the reply's bytes are due at absolute times, back to back,
 * never early. It works out what has happened only when it is asked.
 */
export class SimWire {
  readonly byteMs: number;
  readonly #options: WireOptions;
  readonly #secondRequest: Uint8Array;
  #nextSecond: number;
  /** When the line towards the unit, and the one back, are free again. */
  #outFree = Number.NEGATIVE_INFINITY;
  #inFree = Number.NEGATIVE_INFINITY;
  #partial: number[] = [];
  #arrivals: Arrival[] = [];
  #waiting: Waiting[] = [];
  #leaving: Leaving[] = [];
  #lost = false;
  #lastReport = Number.NEGATIVE_INFINITY;
  /** Reports that came too fast for the bridge. */
  lostReports = 0;

  constructor(options: WireOptions) {
    this.#options = options;
    this.byteMs = options.baud === 0 ? 0 : 10_000 / options.baud;
    this.#secondRequest = encodeCommand(options.secondReader?.command ?? "QPIGS");
    this.#nextSecond = options.secondReader === undefined ? Number.POSITIVE_INFINITY : (options.secondReader.firstMs ?? 0);
  }

  /** True once a fault has taken the medium away. */
  isLost(now: number): boolean {
    this.#advance(now);
    return this.#lost;
  }

  /** Plugs the medium in anew: whatever was under way is gone. */
  reconnect(now: number): void {
    this.#advance(now);
    this.#lost = false;
    this.#forget();
  }

  /** Bytes handed to the medium at this time. */
  write(bytes: Uint8Array, now: number): void {
    this.#advance(now);
    if (this.#lost || this.#isTooFast(now)) return;
    for (const byte of bytes) {
      // The bridge passes on no padding.
      if (byte === 0 && this.#partial.length === 0 && this.#options.hid) continue;
      this.#outFree = Math.max(this.#outFree, now) + this.byteMs;
      this.#partial.push(byte);
      if (byte !== CR) continue;
      this.#arrivals.push({ at: this.#outFree, request: Uint8Array.from(this.#partial) });
      this.#partial = [];
    }
  }

  /** Whether the bridge still passes on the report before this one. */
  #isTooFast(now: number): boolean {
    const { reportGapMs } = this.#options;
    if (reportGapMs === undefined) return false;
    const since = now - this.#lastReport;
    this.#lastReport = now;
    if (since > forgottenMs) this.#partial = [];
    if (since >= reportGapMs) return false;
    this.lostReports += 1;
    return true;
  }

  /** Every byte that is due by now and was not taken before. */
  take(now: number): Uint8Array {
    this.#advance(now);
    const { hid } = this.#options;
    const chunks: Uint8Array[] = [];
    for (const one of this.#leaving) {
      const due = this.#dueBytes(one, now);
      if (due === one.taken) continue;
      const chunk = one.bytes.subarray(one.taken, due);
      chunks.push(hid ? padded(chunk) : chunk);
      one.taken = due;
    }
    if (chunks.length > 0) this.#leaving = this.#leaving.filter(({ taken, bytes }) => taken < bytes.length);
    const [only] = chunks;
    const all = chunks.length === 0 ? nothing : chunks.length === 1 && only !== undefined ? only : concatenated(chunks);
    return hid ? all.subarray(0, queueReports * reportBytes) : all;
  }

  /** The time of the next thing that can bring a byte or end the connection; absent when nothing is under way. */
  nextEvent(now: number): number | undefined {
    this.#advance(now);
    const one = this.#leaving[0];
    const candidates = [this.#nextInternal()];
    if (one !== undefined) candidates.push(this.#dueAt(one, one.taken));
    const next = Math.min(...candidates);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** When the last byte of the reply that is leaving will be there; absent when none is. */
  lastByteDue(): number | undefined {
    const one = this.#leaving[0];
    return one && this.#arrivalOf(one, one.bytes.length - 1);
  }

  #advance(now: number): void {
    for (;;) {
      const at = this.#nextInternal();
      if (at > now) return;
      if (this.#arrivals[0]?.at === at) this.#receive();
      else if (this.#nextSecond === at) this.#askSecond(at);
      else this.#startReply();
    }
  }

  /** When the next request arrives, the second reader asks, or a reply begins. */
  #nextInternal(): number {
    const reply = this.#waiting[0];
    const replyAt = reply === undefined ? Number.POSITIVE_INFINITY : Math.max(reply.readyAt, this.#inFree);
    return Math.min(this.#arrivals[0]?.at ?? Number.POSITIVE_INFINITY, this.#nextSecond, replyAt);
  }

  #receive(): void {
    const arrival = this.#arrivals.shift();
    if (arrival === undefined) return;
    const second = arrival.request === this.#secondRequest;
    const { parts, disconnect } = (second ? this.#options.answerOther : this.#options.answer)(arrival.request, arrival.at);
    if (disconnect) {
      this.#lost = true;
      this.#forget();
    }
    for (const { bytes, delayMs } of parts) {
      if (bytes.length > 0) this.#waiting.push({ readyAt: arrival.at + this.#options.latencyMs + delayMs, bytes });
    }
    // Sorting is stable: replies that are ready together keep their order.
    if (this.#waiting.length > 1) this.#waiting.sort((one, other) => one.readyAt - other.readyAt);
  }

  #askSecond(at: number): void {
    this.#nextSecond = at + (this.#options.secondReader?.everyMs ?? Number.POSITIVE_INFINITY);
    if (this.#lost) return;
    this.#outFree = Math.max(this.#outFree, at) + this.#secondRequest.length * this.byteMs;
    this.#arrivals.push({ at: this.#outFree, request: this.#secondRequest });
  }

  #startReply(): void {
    const reply = this.#waiting.shift();
    if (reply === undefined) return;
    const start = Math.max(reply.readyAt, this.#inFree);
    this.#leaving.push({ start, bytes: reply.bytes, taken: 0 });
    this.#inFree = start + reply.bytes.length * this.byteMs;
  }

  #arrivalOf({ start }: Leaving, index: number): number {
    return start + (index + 1) * this.byteMs;
  }

  /** When the byte can be taken: at its own time, or in a report with the seven around it. */
  #dueAt(one: Leaving, index: number): number {
    if (!this.#options.hid) return this.#arrivalOf(one, index);
    return this.#arrivalOf(one, Math.min(index - (index % reportBytes) + reportBytes, one.bytes.length) - 1);
  }

  #dueBytes(one: Leaving, now: number): number {
    if (this.byteMs === 0) return one.start <= now ? one.bytes.length : 0;
    let due = one.taken;
    while (due < one.bytes.length && this.#dueAt(one, due) <= now) due += 1;
    return due;
  }

  #forget(): void {
    this.#partial = [];
    this.#arrivals = [];
    this.#waiting = [];
    this.#leaving = [];
  }
}

/** A request cut into reports, the last one padded with zeros. */
export function reportsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const all = padded(bytes);
  return Array.from({ length: all.length / reportBytes }, (_, index) => all.subarray(index * reportBytes, (index + 1) * reportBytes));
}

function padded(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.ceil(bytes.length / reportBytes) * reportBytes);
  all.set(bytes);
  return all;
}

function concatenated(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
