import { matchChecksum } from "../protocol/crc.ts";
import { verdictOf } from "../protocol/decode.ts";
import { hex, latin1 } from "../protocol/frame.ts";

/** Something that came to a unit and was no inquiry. */
export interface JournalEntry {
  /** UTC epoch ms. */
  readonly at: number;
  /** Number of the unit, 0 for the first. */
  readonly unit: number;
  /** As it came, CR included, hex. */
  readonly bytes: string;
  /** Empty when it was unreadable. */
  readonly command: string;
  readonly kind: "setter" | "unreadable";
  readonly answer: "ack" | "nak" | "silence";
  /** What was made of it, for people. */
  readonly outcome: string;
}

/** Entries kept; the counters count all. */
const kept = 1000;

/** Keeps whatever came to the units and was no inquiry, so that a test can prove that nothing was set. */
export class Journal {
  readonly #entries: JournalEntry[] = [];
  /** Commands that are no inquiry, whatever was made of them. */
  setters = 0;
  /** Requests without a right checksum. */
  unreadable = 0;

  /** The latest, oldest first. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Takes every request; inquiries leave no entry. */
  note(
    request: Uint8Array,
    reply: Uint8Array | undefined,
    { outcome = "", ...where }: { readonly at: number; readonly unit: number; readonly outcome?: string | undefined },
  ): void {
    const command = commandIn(request);
    if (command !== undefined && isInquiry(command)) return;
    this[command === undefined ? "unreadable" : "setters"] += 1;
    const body =
      reply === undefined
        ? undefined
        : latin1(reply)
            .replace(/^\0*\(/, "")
            .slice(0, 3);
    const answer = (body === undefined ? undefined : verdictOf({ body })) ?? "silence";
    this.#entries.push({
      ...where,
      bytes: hex(request),
      command: command ?? "",
      kind: command === undefined ? "unreadable" : "setter",
      answer,
      outcome,
    });
    if (this.#entries.length > kept) this.#entries.shift();
  }
}

/** Only these two beginnings ask; everything else may change something (notes §9.7). */
export function isInquiry(command: string): boolean {
  return command.startsWith("Q") || command === "VERFW:";
}

/** The command of a request (CR included) with a right checksum in either form; zero bytes in front are padding. */
export function commandIn(request: Uint8Array): string | undefined {
  const start = request.findIndex((byte) => byte !== 0);
  const end = request.length - 3;
  if (start < 0 || end <= start) return undefined;
  return matchChecksum(request, start, end, request[end] ?? 0, request[end + 1] ?? 0) === undefined
    ? undefined
    : latin1(request, start, end);
}
