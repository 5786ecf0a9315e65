import { ReplyError } from "../model/errors.ts";
import type { Request } from "../protocol/command.ts";
import { decodeReply } from "../protocol/decode.ts";
import type { Frame } from "../protocol/frame.ts";
import type { Told } from "./job.ts";

/** How long a verdict that did not come in time is reckoned with: some bridges hold replies back for that long. */
const VERDICT_MS = 60_000;

interface Missing {
  readonly request: Request;
  readonly until: number;
}

/**
 * Requests that were given up. Until a fence is answered, anything may still be under way. And a request that got no
 * answer at all may get it much later, even after newer ones (some bridges do that): until then, or until patience is
 * over, no request whose reply would look the same may go out.
 */
export class Debts {
  readonly #sinceFence = new Set<string>();
  readonly #missing = new Map<string, Missing>();
  /** Until when (monotonic ms) an ACK or NAK may come that was given up. */
  #verdictUntil = Number.NEGATIVE_INFINITY;

  /** Of how many shapes something may still come. */
  get owed(): number {
    return this.#sinceFence.size;
  }

  /** The answer came but was spoilt. */
  spoilt({ query }: Request): void {
    this.#sinceFence.add(query.shape);
  }

  /** True while the verdict on an earlier command may still come. */
  owesVerdict(now: number): boolean {
    return now < this.#verdictUntil;
  }

  /** A command that changes something has left. Without a clear verdict an ACK or NAK may still come, and NAK would fit any question. */
  told(told: Told, now: number): Told {
    const { answer, doubtful } = told;
    if (answer === "silence" || answer === "spoilt") {
      this.#sinceFence.add("");
      this.#verdictUntil = now + VERDICT_MS;
    } else if (doubtful !== true) this.#verdictUntil = Number.NEGATIVE_INFINITY;
    return told;
  }

  /** No answer came; it may until then (monotonic ms). */
  missing(request: Request, until: number): void {
    this.#sinceFence.add(request.query.shape);
    this.#missing.set(request.query.shape, { request, until });
  }

  /** True while a reply of this shape could be an older one. */
  covers(shape: string, now: number): boolean {
    return this.#sinceFence.has(shape) || this.quarantines(shape, now);
  }

  quarantines(shape: string, now: number): boolean {
    const missing = this.#missing.get(shape);
    if (missing === undefined) return false;
    if (now < missing.until) return true;
    this.#missing.delete(shape);
    return false;
  }

  fenced(): void {
    this.#sinceFence.clear();
  }

  /** True if the frame is the late reply to one of them, which is thereby paid. */
  pay(frame: Frame): boolean {
    for (const [shape, { request }] of this.#missing) {
      if (!fits(request, frame)) continue;
      this.#missing.delete(shape);
      return true;
    }
    return false;
  }

  clear(): void {
    this.#verdictUntil = Number.NEGATIVE_INFINITY;
    this.#sinceFence.clear();
    this.#missing.clear();
  }
}

function fits(request: Request, frame: Frame): boolean {
  try {
    return decodeReply(request, frame).kind === "data";
  } catch (error) {
    if (error instanceof ReplyError) return false;
    throw error;
  }
}
