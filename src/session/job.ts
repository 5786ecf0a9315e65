import type { SonkragError } from "../model/errors.ts";
import type { RejectReason } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import type { ChecksumHabit } from "../protocol/crc.ts";
import type { Reply } from "../protocol/decode.ts";

/** Waiting times of an exchange, in milliseconds. */
export interface Timing {
  /** From the request's last byte to the first byte of an answer. */
  readonly firstByteMs: number;
  /** Silence inside a frame after which the rest is lost. */
  readonly interByteMs: number;
  /** Silence after a frame that proves that nothing follows it, while the line is wanted for more. */
  readonly quietMs: number;
  /** The same while nothing else is asked: waiting longer costs nothing then. */
  readonly idleMs: number;
  /** After a request was given up without any answer: how long its reply may still come. */
  readonly patienceMs: number;
}

export const defaultTiming: Timing = { firstByteMs: 1500, interByteMs: 200, quietMs: 15, idleMs: 100, patienceMs: 3000 };

/** An answer, and when its last byte had arrived (UTC epoch ms). */
export type Answer = Exclude<Reply<unknown>, { kind: "ack" }> & {
  readonly at: number;
  /** How the unit sent a 00 byte of this reply's checksum; absent where there was none. */
  readonly zeroChecksum?: ChecksumHabit;
};

/**
 * How hard to try for an answer. `brief`: silence settles it sooner and at once, for nobody knows yet whether the unit knows
 * the command; `once`: silence settles it at once.
 */
export type Effort = "brief" | "once" | "full";

/** One request on its way; `settle` is called exactly once, when the answer is proven or the exchange has failed. */
export interface Job {
  readonly request: Request;
  /** How a 00 checksum byte is sent; `plain` if absent. */
  readonly checksum?: ChecksumHabit;
  /** In place of the line's own timing. */
  readonly firstByteMs?: number;
  settle(outcome: { readonly answer: Answer } | { readonly error: SonkragError }): void;
}

/** What a unit made of a command that changes something; `spoilt` and `silence` leave open whether it was obeyed. */
export interface Told {
  readonly answer: "ack" | "nak" | "silence" | "spoilt";
  readonly sent: Uint8Array;
  /** The reply's bytes; absent for silence. */
  readonly received?: Uint8Array;
  /** True where the verdict of an earlier command was still to come, and only one came: it may be that one. */
  readonly doubtful?: boolean;
  /** UTC epoch ms of the reply's last byte, or of giving up. */
  readonly at: number;
}

/** What the exchanger tells while it works: every byte that became no value, with its reason. */
export interface ExchangeObserver {
  requested(command: string): void;
  /** `tookMs` from the request's first byte to the answer's last. */
  accepted(command: string, tookMs: number): void;
  /** `command` is absent when the bytes belong to none. */
  rejected(reason: RejectReason, detail: string, command?: string): void;
}
