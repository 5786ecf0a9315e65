import { ConfigError } from "../model/errors.ts";

/** One good line of the older script's log; a damaged one must never come back to life as an answer. */
const goodLine =
  /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{6})?,(\d{3}\.\d \d{2}\.\d \d{3}\.\d \d{2}\.\d \d{4,5} \d{4,5} \d{3} \d{3} \d{2}\.\d{2} \d{3} \d{3} \d{4} (?:\d{4}|\d{2}\.\d) \d{3}\.\d \d{2}\.\d{2} \d{5} [01]{8} \d{2} \d{2} \d{5} [01]{3}(?: \d \d{2} \d{4}(?: \d{2}\.\d)?)?)$/;

/** QPIGS payloads recorded earlier, one a poll, in order, from the start again after the last. */
export class Replay {
  readonly #payloads: readonly string[];
  #next = 0;

  constructor(payloads: readonly string[]) {
    if (payloads.length === 0) throw new ConfigError("replay: expected at least one good QPIGS line, got none");
    this.#payloads = payloads;
  }

  next(): string {
    const payload = this.#payloads[this.#next] ?? "";
    this.#next = (this.#next + 1) % this.#payloads.length;
    return payload;
  }
}

/** The payloads of the good lines, in order; headers and damaged lines are left out. */
export function goodPayloads(lines: readonly string[]): string[] {
  return lines.flatMap((line) => goodLine.exec(line)?.[1] ?? []);
}
