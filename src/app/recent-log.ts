import type { Logger } from "../model/logger.ts";
import { createLogger } from "./logger.ts";

const keepLines = 500;

/** A logger that also keeps its latest lines of level info and above, for a diagnosis file. */
export class RecentLog implements Logger {
  readonly #lines: string[] = [];
  readonly #logger: Logger;
  readonly #kept: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#kept = createLogger({ level: "info", format: "text", write: (line) => this.#keep(line) });
  }

  /** Oldest first, without line ends. */
  get lines(): readonly string[] {
    return [...this.#lines];
  }

  readonly debug: Logger["debug"] = (...told) => this.#logger.debug(...told);

  readonly info: Logger["info"] = (...told) => {
    this.#kept.info(...told);
    this.#logger.info(...told);
  };

  readonly warn: Logger["warn"] = (...told) => {
    this.#kept.warn(...told);
    this.#logger.warn(...told);
  };

  readonly error: Logger["error"] = (...told) => {
    this.#kept.error(...told);
    this.#logger.error(...told);
  };

  #keep(line: string): void {
    this.#lines.push(line.trimEnd());
    if (this.#lines.length > keepLines) this.#lines.shift();
  }
}
