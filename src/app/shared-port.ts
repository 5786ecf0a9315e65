import { RefusedError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { LinkStatus, Reading } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import { encodePayload } from "../protocol/encode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import type { Clock } from "../session/clock.ts";
import type { Answer } from "../session/job.ts";
import { SharedAnswers } from "./shared-answers.ts";
import { SharedClient } from "./shared-client.ts";

/** The most patient programs wait so long for an answer; with many of them on a slow line it can take its time. */
const INQUIRY_PATIENCE_MS = 8000;
/** A change is only acknowledged when it has been read back, which can take so long. */
const CHANGE_PATIENCE_MS = 30_000;
/** Different refusals that are told in the log; whoever sends nonsense must not fill it. */
const MOST_TOLD = 50;

export interface SharedPortOptions {
  /** The inverter's id. */
  readonly id: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Answers older than this are not given again; 0 asks the unit every time. */
  readonly maxAgeMs: number;
  readonly status: () => LinkStatus;
  readonly ask: (what: Request, options: { readonly signal: AbortSignal; readonly urgent: boolean }) => Promise<Answer>;
  /** Tries to do what a command asks for, by the rules for everybody. Absent: nothing is ever changed. */
  readonly change?: ((command: string, client: string, options: { readonly signal: AbortSignal }) => Promise<Changed>) | undefined;
}

/** What came of a command that may change something. */
export interface Changed {
  /** True when it is now as the command wants it. */
  readonly isSo: boolean;
}

/** What one program at the port is: its name, its way back, and how fast that is. */
export interface SharedClientInfo {
  readonly name: string;
  readonly send: (bytes: Uint8Array) => void;
  /** Milliseconds a byte; 0 sends an answer at once. */
  readonly byteMs: number;
  /** For a connection that anything on this machine or beyond can make, a page in a browser too; absent for a serial port. */
  readonly network?: {
    /** False where strangers could change settings. */
    readonly mayChange: boolean;
  };
}

/**
 * An inverter as other programs see it: they speak its own protocol, and it answers as the unit itself would. Inquiries of
 * the catalogue are answered, settings go the way of every change or are refused, and whatever else is sent is refused:
 * an answer whose form is not known could not be told from an older one.
 */
export class SharedPort {
  readonly #options: SharedPortOptions;
  readonly #answers: SharedAnswers;
  readonly #told = new Set<string>();

  constructor(options: SharedPortOptions) {
    this.#options = options;
    this.#answers = new SharedAnswers(options);
  }

  /** Takes what was polled. */
  learn(reading: Reading): void {
    this.#answers.learn(reading);
  }

  /** Another program; to be run and fed. */
  client({ name, send, byteMs, network }: SharedClientInfo): SharedClient {
    const { clock, logger } = this.#options;
    const objection = (isOdd: boolean): string | undefined => {
      if (network?.mayChange === false) return "sharedPort.host is a network address, and control.allowRemote is false";
      // A page in a browser can send any bytes, but never without the head of an HTTP request before them.
      return network !== undefined && isOdd ? "what this connection sent before was no request to an inverter; connect anew" : undefined;
    };
    return new SharedClient({
      name,
      clock,
      logger,
      byteMs,
      send,
      patienceMs: (command) => (command === undefined || isInquiry(command) ? INQUIRY_PATIENCE_MS : CHANGE_PATIENCE_MS),
      answer: (command, { isOdd, signal }) => this.#answer(command, name, { objection: objection(isOdd), signal }),
    });
  }

  async #answer(
    command: string | undefined,
    client: string,
    { objection, signal }: { readonly objection: string | undefined; readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined> {
    // A unit that nobody can reach says nothing.
    if (this.#options.status().state !== "online") return undefined;
    if (command === undefined) return nak;
    const inquiry = inquiryOf(command);
    if (inquiry !== undefined) {
      const heard = await this.#answers.answer(inquiry, { signal });
      return heard.kind === "data" ? encodePayload(heard.payload) : heard.kind === "nak" ? nak : undefined;
    }
    if (isInquiry(command)) return this.#refuse(command, client, "it is no inquiry of the catalogue");
    if (objection !== undefined && this.#options.change !== undefined) return this.#refuse(command, client, objection);
    return await this.#change(command, client, { signal });
  }

  async #change(command: string, client: string, { signal }: { readonly signal: AbortSignal }): Promise<Uint8Array> {
    const { change } = this.#options;
    if (change === undefined) return this.#refuse(command, client, "it may change something, and sharedPort.settings is refuse");
    try {
      return (await change(command, client, { signal })).isSo ? ack : nak;
    } finally {
      // What was read before may be wrong now.
      this.#answers.forget();
    }
  }

  #refuse(command: string, client: string, why: string): Uint8Array {
    const { id, logger } = this.#options;
    const what = `${client} ${command}`;
    if (!this.#told.has(what) && this.#told.size < MOST_TOLD) {
      this.#told.add(what);
      logger.warn(`${id()}: ${client} sent ${JSON.stringify(command)} to the shared port and was refused: ${why}`);
    }
    return nak;
  }
}

const ack = encodePayload("ACK");
const nak = encodePayload("NAK");

/** True for what can only ask, known or not. */
function isInquiry(command: string): boolean {
  return command.startsWith("Q") || inquiryOf(command) !== undefined;
}

function inquiryOf(command: string): Request | undefined {
  try {
    const request = findRequest(command);
    // Units know their commands in capitals only.
    return request.command === command ? request : undefined;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
