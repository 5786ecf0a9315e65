import { ReplyError, RefusedError } from "../model/errors.ts";
import { decodeReply, verdictOf } from "../protocol/decode.ts";
import { FrameDecoder, latin1, type Discarded, type Frame } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import type { TrafficEvent } from "../session/traffic.ts";

/** What became of the questions since something was last right. */
export interface Tail {
  readonly asked: number;
  readonly echoes: number;
  /** Refusals of questions that every unit answers. */
  readonly refusedBasics: number;
  /** Replies in the form of another protocol. */
  readonly otherProtocol: number;
  readonly damaged: number;
  /** Bytes outside any frame, and how many of them have their highest bit set, as no character of the protocol has. */
  readonly noiseBytes: number;
  readonly highBytes: number;
  readonly bytes: number;
}

/** What the traffic of some minutes shows, as plain counts. */
export interface Evidence {
  readonly asked: number;
  /** Good frames with data. */
  readonly good: number;
  readonly echoes: number;
  /** Replies with a wrong checksum, cut, merged, or of nothing but zeros. */
  readonly damaged: number;
  /** Runs of bytes outside any frame. */
  readonly noiseRuns: number;
  /** Questions without an answer, to commands that were answered at other times. */
  readonly unanswered: number;
  /** Good frames that answer no question of ours. */
  readonly unasked: number;
  /** Second good frames for a single question. */
  readonly doubled: number;
  /** Replies to questions that had been given up. */
  readonly late: number;
  /** Frames that were there before anything was asked on the port. */
  readonly queued: number;
  /** Ports that went away while the unit answered. */
  readonly losses: number;
  readonly tail: Tail;
}

type Counts<T> = { -readonly [Key in keyof T]: number };

/** Frames closer than this belong to one question, ms. */
const pairMs = 150;
/** How long after it was given up a question may still be answered, ms. */
const lateMs = 15_000;
/** Questions that every unit answers with data. */
const basics = ["QPI", "QPIGS", "QMOD"];

/** Reads the traffic from outside, as somebody with a line monitor would. */
export function evidenceOf(traffic: readonly TrafficEvent[]): Evidence {
  const reader = new Reader();
  for (const event of traffic) reader.take(event);
  return reader.evidence();
}

interface Question {
  readonly command: string;
  readonly bytes: Uint8Array;
  /** Before this no byte of its answer can exist. */
  readonly leftAt: number;
  answered: boolean;
  /** Bytes that came while it was open, without those that are known to be no answer to it. */
  bytesIn: number;
  zeros: number;
}

class Reader {
  readonly #decoder = new FrameDecoder();
  readonly #counts: Counts<Omit<Evidence, "tail" | "unanswered">> = {
    asked: 0,
    good: 0,
    echoes: 0,
    damaged: 0,
    noiseRuns: 0,
    unasked: 0,
    doubled: 0,
    late: 0,
    queued: 0,
    losses: 0,
  };
  #tail = emptyTail();
  readonly #byCommand = new Map<string, { answered: number; unanswered: number }>();
  /** The question that is open or was answered last, and the command of the one before. */
  #question: Question | undefined;
  #before: string | undefined;
  #lastFrameAt = Number.NEGATIVE_INFINITY;
  /** When the first byte of the frame that is being received was seen. */
  #begunAt: number | undefined;
  readonly #givenUp: { readonly command: string; readonly at: number }[] = [];
  /** How long a byte takes at the least; 0 where that is not certain. */
  #byteMs = 0;

  take(event: TrafficEvent): void {
    if (event.kind === "sent") this.#sent(event.bytes, event.at);
    else if (event.kind === "received") this.#received(event.bytes, event.at);
    else {
      if (event.kind === "opened") this.#byteMs = event.wire.certain ? event.wire.byteMs : 0;
      if (event.kind === "closed" && this.#tail.asked < 3 && this.#counts.good > 0) this.#counts.losses += 1;
      this.#question = undefined;
      this.#before = undefined;
      this.#begunAt = undefined;
      this.#decoder.flush();
    }
  }

  evidence(): Evidence {
    let unanswered = 0;
    for (const each of this.#byCommand.values()) if (each.answered > 0) unanswered += each.unanswered;
    return { ...this.#counts, unanswered, tail: this.#tail };
  }

  #sent(bytes: Uint8Array, at: number): void {
    if (!this.#decoder.open) this.#parts(this.#decoder.flush(), at);
    this.#close(at);
    this.#counts.asked += 1;
    this.#tail.asked += 1;
    this.#before = this.#question?.command;
    const command = latin1(bytes, 0, Math.max(0, bytes.length - 3));
    this.#question = { command, bytes, leftAt: at + 0.9 * bytes.length * this.#byteMs, answered: false, bytesIn: 0, zeros: 0 };
  }

  /** The question before is over. */
  #close(at: number): void {
    const question = this.#question;
    if (question === undefined || question.answered) return;
    if (question.bytesIn > 0 && question.zeros === question.bytesIn) this.#damaged();
    if (question.bytesIn > 0) return;
    this.#entry(question.command).unanswered += 1;
    this.#givenUp.push({ command: question.command, at });
    if (this.#givenUp.length > 8) this.#givenUp.shift();
  }

  #received(bytes: Uint8Array, at: number): void {
    this.#tail.bytes += bytes.length;
    if (this.#question !== undefined && !this.#question.answered) {
      const told = withoutPadding(bytes);
      this.#question.bytesIn += told.length;
      this.#question.zeros += told.filter((byte) => byte === 0).length;
    }
    const begunAt = this.#begunAt ?? at;
    const parts = this.#decoder.push(bytes);
    this.#parts(parts, at, begunAt);
    this.#begunAt = this.#decoder.open ? (parts.length > 0 ? at : begunAt) : undefined;
  }

  #parts(parts: readonly (Frame | Discarded)[], at: number, begunAt = at): void {
    for (const part of parts) {
      // Seen late, it has still taken its time on the wire.
      if (part.kind === "frame") this.#frame(part, at, Math.min(begunAt, at - part.raw.length * this.#byteMs));
      else if (part.reason === "noise") this.#noise(part.raw);
      else this.#damaged();
      begunAt = at;
    }
  }

  #frame(frame: Frame, at: number, begunAt: number): void {
    const question = this.#question;
    const sincePrevious = begunAt - this.#lastFrameAt;
    this.#lastFrameAt = at;
    if (question === undefined) {
      this.#counts.queued += 1;
      return;
    }
    const isExcess = question.answered || begunAt < question.leftAt;
    const verdict = verdictOf(frame);
    const isMisfit = verdict === undefined && !fits(question.command, frame);
    // A unit may answer a command in a form of its own; it is somebody else's reply only where the right form is known.
    if (!isExcess && isMisfit && this.#entry(question.command).answered === 0) {
      question.answered = true;
      return;
    }
    if (isExcess || isMisfit) {
      // Else a question during which another's late reply came would pass for answered, and its own late reply for a stranger's.
      question.bytesIn = Math.max(0, question.bytesIn - frame.raw.length);
      const behind = isExcess && begunAt >= question.leftAt ? question.command : this.#before;
      if (this.#isLate(frame, at)) this.#counts.late += 1;
      else if (isExcess && sincePrevious > pairMs) this.#counts.unasked += 1;
      else if (behind !== undefined && fits(behind, frame)) this.#counts.doubled += 1;
      else this.#counts.unasked += 1;
      return;
    }
    if (verdict !== undefined) {
      question.answered = true;
      if (verdict === "nak" && basics.includes(question.command)) this.#tail.refusedBasics += 1;
      return;
    }
    question.answered = true;
    this.#entry(question.command).answered += 1;
    this.#counts.good += 1;
    this.#tail = emptyTail();
  }

  /** True for the reply to a question that was given up a little while ago. */
  #isLate(frame: Frame, at: number): boolean {
    const index = this.#givenUp.findIndex((each) => at - each.at < lateMs && fits(each.command, frame));
    if (index < 0) return false;
    this.#givenUp.splice(index, 1);
    return true;
  }

  #noise(raw: Uint8Array): void {
    const question = this.#question;
    if (question !== undefined && sameBytes(raw, question.bytes)) {
      this.#counts.echoes += 1;
      this.#tail.echoes += 1;
      question.bytesIn -= raw.length;
      return;
    }
    // Replies of PI17, PI18 and PI41 begin with ^, those of PI16 devices with #; both end with CR.
    if (raw.at(-1) === 0x0d && (raw[0] === 0x5e || raw[0] === 0x23) && raw.subarray(1, 4).every((byte) => byte >= 0x20 && byte < 0x7f))
      this.#tail.otherProtocol += 1;
    else {
      this.#counts.noiseRuns += 1;
      this.#tail.noiseBytes += raw.length;
      this.#tail.highBytes += raw.filter((byte) => byte >= 0x80).length;
    }
  }

  #damaged(): void {
    this.#counts.damaged += 1;
    this.#tail.damaged += 1;
  }

  #entry(command: string): { answered: number; unanswered: number } {
    let entry = this.#byCommand.get(command);
    if (entry === undefined) this.#byCommand.set(command, (entry = { answered: 0, unanswered: 0 }));
    return entry;
  }
}

function emptyTail(): Counts<Tail> {
  return { asked: 0, echoes: 0, refusedBasics: 0, otherProtocol: 0, damaged: 0, noiseBytes: 0, highBytes: 0, bytes: 0 };
}

/** True when the frame can be the answer; of a command that is not in the catalogue any frame can. */
function fits(command: string, frame: Frame): boolean {
  try {
    return decodeReply(findRequest(command), frame).kind === "data";
  } catch (error) {
    if (error instanceof RefusedError) return true;
    if (error instanceof ReplyError) return false;
    throw error;
  }
}

/** A USB report is filled up with zeros behind the end of a reply. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  const last = bytes.findLastIndex((byte) => byte !== 0);
  return bytes[last] === 0x0d ? bytes.subarray(0, last + 1) : bytes;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
