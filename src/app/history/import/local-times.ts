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

/** How far clocks are put back: an hour, on Lord Howe Island half of one. */
const shiftsMs = [3_600_000, 1_800_000];
// Clocks change at full quarters of an hour only.
const quarterMs = 900_000;

/**
 * Times of a file's lines, in their order. The file knows no zone: of an hour that a clock change brings twice, the order
 * tells which it is; a time that a clock change leaves out is taken an hour later and counted.
 */
export class LocalTimes {
  readonly #local: LocalTime;
  #before = Number.NEGATIVE_INFINITY;
  /** Of the time before, as if it were UTC; absent where a clock change left it out. */
  #wallBefore = Number.NaN;
  #skipped = 0;
  #firstSkipped: string | undefined;

  constructor(local: LocalTime) {
    this.#local = local;
  }

  /** UTC epoch milliseconds; NaN for a date or time that is none. */
  next(stamp: LineStamp): number {
    const wall = Date.parse(`${stamp.date}T${stamp.time}Z`) + stamp.ms;
    const isNear = wall >= this.#wallBefore && Math.floor(wall / quarterMs) === Math.floor(this.#wallBefore / quarterMs);
    const at = isNear ? this.#before + wall - this.#wallBefore : this.#lookUp(stamp, wall);
    if (Number.isNaN(at)) return at;
    this.#before = at;
    this.#wallBefore = isNear || this.#says(at, stamp) ? wall : Number.NaN;
    return at;
  }

  /** What is to be told about clock changes. */
  get notes(): string[] {
    if (this.#firstSkipped === undefined) return [];
    const { timeZone } = this.#local;
    return [
      `${this.#skipped} times that the clocks of ${timeZone} leave out, the first ${this.#firstSkipped}, were taken an hour later: is that the logger's time zone?`,
    ];
  }

  #lookUp(stamp: LineStamp, wall: number): number {
    // The 31st of February is no day, though it can be read as one of March.
    if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== stamp.date) return Number.NaN;
    const first = this.#local.at(stamp.date, stamp.time) + stamp.ms;
    if (!this.#says(first, stamp)) {
      this.#skipped++;
      this.#firstSkipped ??= `${stamp.date} ${stamp.time}`;
    }
    const shift = first <= this.#before ? shiftsMs.find((ms) => this.#says(first + ms, stamp)) : undefined;
    return first + (shift ?? 0);
  }

  #says(at: number, { date, time }: LineStamp): boolean {
    const there = this.#local.stamp(at);
    return there.date === date && there.time.startsWith(time);
  }
}
