import type { ReplyError, SonkragError } from "../model/errors.ts";
import type { RejectReason } from "../model/reading.ts";
import { hex, type Discarded } from "../protocol/frame.ts";
import type { Answer, Job } from "./job.ts";

/** An answer that fits in every respect but could still be an older reply: see `docs/stale-replies.md`. */
export interface Unproven {
  readonly job: Job;
  readonly answer: Answer;
  readonly requestBytes: number;
  readonly replyBytes: number;
  readonly tookMs: number;
  /** The line was silent behind it while the next request left. */
  followedBySilence: boolean;
}

/** A request on the wire. */
export interface Attempt {
  readonly job: Job;
  readonly bytes: Uint8Array;
  /** When it was handed to the medium, monotonic ms. */
  readonly started: number;
  readonly fence: boolean;
  /** From its last byte to the first of an answer, ms. */
  readonly firstByteMs: number;
  /** The frame now being received began before this request had left. */
  foreignStart: boolean;
  /** A whole frame came that does not answer; the answer may still come. */
  failure: SonkragError | undefined;
}

/** What a discarded run counts as. */
export function discardReason(part: Discarded, request?: Uint8Array): RejectReason {
  switch (part.reason) {
    case "noise":
      return request !== undefined && hex(part.raw) === hex(request) ? "echo" : "noise";
    case "restarted":
    case "unfinished":
      return "truncated";
    case "checksum":
    case "oversize":
      return "checksum";
  }
}

/** What a good frame that brings no data counts as. */
export function misfitReason({ code }: ReplyError): RejectReason {
  return code === "reply-malformed" ? "malformed" : code === "reply-nak" ? "nak" : "foreign";
}
