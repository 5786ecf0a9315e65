import { RefusedError } from "../../../model/errors.ts";
import type { HistoryRow } from "../../../model/history.ts";
import type { LocalTime } from "../../../model/local-time.ts";

/** A line that was not accepted. */
export interface RejectedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly class: string;
  /** As it was, a character a byte. */
  readonly text: string;
}

/** What a file's lines turned out to be. */
export interface Taken {
  readonly lines: number;
  /** Headers and other lines that are no data. */
  readonly headers: number;
  /** Lines that became rows. */
  readonly accepted: number;
  readonly rows: readonly HistoryRow[];
  readonly rejected: readonly RejectedLine[];
  /** For people: what is odd about it as a whole. */
  readonly notes: readonly string[];
}

/** How lines become rows. */
export interface TakeOptions {
  readonly file: string;
  /** Our id of the inverter that the file is of; `own`: what the file says itself. Throws RefusedError where it is not known. */
  readonly inverter: (own?: string) => string;
  /** The clock on the wall beside the logger. */
  readonly local: LocalTime;
  /** Takes the whole answer at the end of a line into which several were run together. */
  readonly recover: boolean;
}

/** A value that cannot be. */
export const valueClass = "V";
/** None of the known kinds of damage. */
export const otherClass = "X";

/** What is not real must not look like it. */
export function refuseSimulated(inverter: string, file: string): void {
  if (inverter.startsWith("simulated")) return;
  throw new RefusedError(
    "value-invalid",
    `${file}: expected a log of ${inverter}, got one of the simulated inverter; --inverter simulated keeps it as such`,
  );
}
