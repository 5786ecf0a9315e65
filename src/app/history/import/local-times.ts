import type { LocalTime } from "../../../model/local-time.ts";

/** Local time as it stands in a file. */
export interface LineStamp {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** `HH:MM:SS`. */
  readonly time: string;
  /** Milliseconds of the second; what is finer is left out. */
  readonly ms: number;
}

const hourMs = 3_600_000;

/**
 * Times of a file's lines, in their order. The file knows no zone: of an hour that a clock change brings twice, the order
 * tells which it is; a time that a clock change leaves out is taken an hour later and counted.
 */
export class LocalTimes {
  readonly #local: LocalTime;
  #before = Number.NEGATIVE_INFINITY;
  #skipped = 0;
  #firstSkipped: string | undefined;

  constructor(local: LocalTime) {
    this.#local = local;
  }

  /** UTC epoch milliseconds; NaN for a date or time that is none. */
  next(stamp: LineStamp): number {
    const first = this.#local.at(stamp.date, stamp.time) + stamp.ms;
    if (Number.isNaN(first)) return first;
    if (!this.#says(first, stamp)) {
      this.#skipped++;
      this.#firstSkipped ??= `${stamp.date} ${stamp.time}`;
    }
    const isSecond = first <= this.#before && this.#says(first + hourMs, stamp);
    this.#before = isSecond ? first + hourMs : first;
    return this.#before;
  }

  /** What is to be told about clock changes. */
  get notes(): string[] {
    if (this.#firstSkipped === undefined) return [];
    const { timeZone } = this.#local;
    return [
      `${this.#skipped} times that the clocks of ${timeZone} leave out, the first ${this.#firstSkipped}, were taken an hour later: is that the logger's time zone?`,
    ];
  }

  #says(at: number, { date, time }: LineStamp): boolean {
    const there = this.#local.stamp(at);
    return there.date === date && there.time.startsWith(time);
  }
}
