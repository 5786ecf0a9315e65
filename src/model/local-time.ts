import { ConfigError } from "./errors.ts";

/** One moment on the clock of a place. */
export interface LocalStamp {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** `HH:MM:SS.mmm`. */
  readonly time: string;
  /** Distance to UTC, e.g. `+02:00`. */
  readonly offset: string;
}

// Every clock change of every time zone since 1972 falls on a full quarter of an hour UTC, so that within one the offset is constant.
const quarterMs = 900_000;
const dayMs = 86_400_000;

/** The civil clock of a time zone; asks the time-zone database only once per quarter of an hour. */
export class LocalTime {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;
  #quarter = Number.NaN;
  #offsetMs = 0;
  #offset = "";

  private constructor(timeZone: string, format: Intl.DateTimeFormat) {
    this.timeZone = timeZone;
    this.#format = format;
  }

  /** `timeZone`: IANA name; without one, that of the computer. */
  static of(timeZone?: string): LocalTime {
    const name = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    try {
      const format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
      return new LocalTime(name, format);
    } catch (cause) {
      throw new ConfigError(`Expected an IANA time zone such as Africa/Johannesburg, got ${JSON.stringify(name)}`, { cause });
    }
  }

  /** `at`: UTC epoch milliseconds. */
  stamp(at: number): LocalStamp {
    const quarter = Math.floor(at / quarterMs);
    if (quarter !== this.#quarter) {
      this.#quarter = quarter;
      this.#offsetMs = this.#offsetAt(quarter * quarterMs);
      this.#offset = offsetText(this.#offsetMs);
    }
    const iso = new Date(at + this.#offsetMs).toISOString();
    return { date: iso.slice(0, 10), time: iso.slice(11, 23), offset: this.#offset };
  }

  /**
   * UTC epoch ms of a civil time, `YYYY-MM-DD` and `HH:MM` or `HH:MM:SS`; NaN where it is none. One that a clock change
   * leaves out becomes the one an hour later, one that comes twice the first.
   */
  at(date: string, time: string): number {
    const asUtc = Date.parse(`${date}T${time}Z`);
    if (Number.isNaN(asUtc)) return Number.NaN;
    const offsetMs = (at: number): number => {
      this.stamp(at);
      return this.#offsetMs;
    };
    const candidates = [asUtc - dayMs, asUtc + dayMs].map((near) => asUtc - offsetMs(near));
    return candidates.find((at) => at + offsetMs(at) === asUtc) ?? candidates[0] ?? Number.NaN;
  }

  #offsetAt(at: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(at)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - at;
  }
}

function offsetText(offsetMs: number): string {
  const minutes = Math.abs(Math.round(offsetMs / 60_000));
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${offsetMs < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
