import { RefusedError } from "../model/errors.ts";
import type { Request } from "../protocol/command.ts";
import { matchChecksum, type ChecksumHabit } from "../protocol/crc.ts";
import { encodePayload } from "../protocol/encode.ts";
import { latin1, latin1Bytes } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { liveAnswer, type Unit } from "./answers.ts";
import { fillForm } from "./form.ts";
import { isInquiry } from "./journal.ts";
import { judge } from "./obedience.ts";
import type { SettingDialect } from "./profile.ts";
import type { Replay } from "./replay.ts";

export interface FirmwareOptions {
  readonly unit: Unit;
  /** Answers QPIGS in place of the model. */
  readonly replay?: Replay | undefined;
  /** What a command it does not know, or a wrong request checksum, brings, where it is not to be as the profile has it. */
  readonly refusal?: "nak" | "silence" | undefined;
  /** Commands that it refuses although its profile has them, e.g. `QPI`. */
  readonly refuses?: readonly string[] | undefined;
  /** Which form of a 00 checksum byte it takes in a request, where it is not to be as the profile has it. */
  readonly requestChecksum?: ChecksumHabit | "either" | undefined;
  /** What it does with settings that it could take; `obeys` by default. */
  readonly settings?: SettingDialect | undefined;
}

/** What the unit made of a request. */
export interface FirmwareAnswer {
  /** The command as understood; empty when the request was unreadable. */
  readonly command: string;
  /** The reply frame with whatever this firmware puts around it; absent when the unit keeps silent. */
  readonly reply: Uint8Array | undefined;
  /** What was made of a command that is no inquiry, for people. */
  readonly outcome?: string;
}

export const nakFrame = encodePayload("NAK");
export const ackFrame = encodePayload("ACK");

/** How much later a `late` unit does what it said, ms. */
export const lateByMs = 20_000;

/** The unit's processor: takes a request as it came off the wire and answers through the catalogue, in its profile's forms. */
export class Firmware {
  readonly #unit: Unit;
  readonly #replay: Replay | undefined;
  readonly #refusal: Uint8Array | undefined;
  readonly #requestChecksum: ChecksumHabit | "either";
  readonly #settings: SettingDialect;
  readonly #refuses: ReadonlySet<string>;
  #pending: { readonly dueAt: number; readonly apply: () => void }[] = [];

  constructor({ unit, replay, refusal, refuses = [], requestChecksum, settings = "obeys" }: FirmwareOptions) {
    const { profile } = unit.member;
    this.#unit = unit;
    this.#replay = replay;
    this.#refusal = (refusal ?? profile.refusal) === "nak" ? this.#nak : undefined;
    this.#requestChecksum = requestChecksum ?? profile.requestChecksum ?? "either";
    this.#settings = settings;
    this.#refuses = new Set([...refuses, ...(profile.refuses ?? [])]);
  }

  /** Answers the bytes of one request, CR included, that was complete at `at` (ms of any clock that goes on). */
  answer(bytes: Uint8Array, at = 0): FirmwareAnswer {
    this.catchUp(at);
    const command = this.#read(bytes);
    if (command === undefined) return { command: "", reply: this.#refusal };
    if (!isInquiry(command)) return this.#obey(command, at);
    if (this.#refuses.has(command)) return { command, reply: this.#nak };
    const payload = this.#payload(command);
    if (payload !== undefined) return { command, reply: this.#framed(encodePayload(payload, this.#unit.member.profile.replyChecksum)) };
    return { command, reply: this.#refusal };
  }

  /** Does what was to be done by now. */
  catchUp(at: number): void {
    for (const { apply } of this.#pending.filter(({ dueAt }) => dueAt <= at)) apply();
    this.#pending = this.#pending.filter(({ dueAt }) => dueAt > at);
  }

  #obey(command: string, at: number): FirmwareAnswer {
    const { verdict, outcome, apply } = judge(this.#unit, command);
    if (verdict === "unknown") return { command, reply: this.#refusal, outcome };
    if (verdict === "nak") return { command, reply: this.#nak, outcome };
    switch (this.#settings) {
      case "refuses":
        return { command, reply: this.#nak, outcome: `refused: ${outcome}` };
      case "ignores":
        return { command, reply: this.#framed(ackFrame), outcome: `ignored: ${outcome}` };
      case "late":
        if (apply !== undefined) this.#pending.push({ dueAt: at + lateByMs, apply });
        return { command, reply: this.#framed(ackFrame), outcome: `in ${lateByMs / 1000} s: ${outcome}` };
      case "obeys":
        apply?.();
        return { command, reply: this.#framed(ackFrame), outcome };
    }
  }

  /** The command of a request whose checksum this firmware takes. */
  #read(bytes: Uint8Array): string | undefined {
    // Zero bytes in front are the padding of the USB report before.
    const start = bytes.findIndex((byte) => byte !== 0);
    const end = bytes.length - 3;
    if (start < 0 || end <= start) return undefined;
    const [high = 0, low = 0] = bytes.subarray(end);
    const habit = matchChecksum(bytes, start, end, high, low);
    if (habit === undefined || (habit === "zeroBumped" && this.#requestChecksum === "plain")) return undefined;
    // A plain zero byte never reaches a unit behind a bridge that takes it for padding.
    if (this.#requestChecksum === "zeroBumped" && (high === 0 || low === 0)) return undefined;
    return latin1(bytes, start, end);
  }

  #payload(command: string): string | undefined {
    if (command === "QPIGS" && this.#replay !== undefined) return this.#replay.next();
    const { member } = this.#unit;
    const request = requestOf(command);
    if (request === undefined) return member.payload(command);
    const { code } = request.query;
    const form = member.payload(code);
    if (form === undefined) return undefined;
    const live = liveAnswer(this.#unit, code, command.slice(code.replace(/[a-z]+$/, "").length), form);
    return typeof live === "object" ? fillForm(request.query, form, live) : (live ?? form);
  }

  get #nak(): Uint8Array {
    return this.#framed(this.#unit.member.profile.bareNak === true ? latin1Bytes("(NAK\r") : nakFrame);
  }

  #framed(frame: Uint8Array): Uint8Array {
    const { leadingZeros = 0, lineFeed = false } = this.#unit.member.profile;
    const all = new Uint8Array(leadingZeros + frame.length + (lineFeed ? 1 : 0));
    all.set(frame, leadingZeros);
    if (lineFeed) all[all.length - 1] = 0x0a;
    return all;
  }
}

/** Absent for a command that is not in the catalogue; the firmware's commands are upper case only. */
function requestOf(command: string): Request | undefined {
  if (command !== command.toUpperCase()) return undefined;
  try {
    return findRequest(command);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
