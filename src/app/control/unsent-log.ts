import type { Actor, Outcome } from "../../model/control.ts";
import { SinkError } from "../../model/errors.ts";
import type { Logger } from "../../model/logger.ts";
import { settingText } from "../../protocol/setting.ts";
import type { Clock } from "../../session/clock.ts";
import type { Journal } from "./journal.ts";

const TOGETHER_MS = 60_000;
const AT_ONCE = 20;

interface Series {
  readonly since: number;
  written: number;
  /** The latest one that is not in the journal yet, and how many it stands for. */
  last: Outcome | undefined;
  count: number;
}

/**
 * Journals attempts for which nothing was sent. Twenty a minute from one side are written at once; what is more becomes one
 * entry with its number when the minute is over, so that a flood cannot fill the disk.
 */
export class UnsentLog {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Not by names that an attacker can make up without end. */
  readonly #series = new Map<Actor["via"], Series>();

  constructor({ journal, clock, logger }: { readonly journal: Journal; readonly clock: Clock; readonly logger: Logger }) {
    this.#journal = journal;
    this.#clock = clock;
    this.#logger = logger;
  }

  async add(outcome: Outcome): Promise<void> {
    const { change, kind, reason } = outcome;
    const { via } = change.actor;
    let series = this.#series.get(via);
    if (series === undefined) this.#series.set(via, (series = { since: this.#clock.monotonic(), written: 0, last: undefined, count: 0 }));
    if (series.written >= AT_ONCE) {
      series.last = outcome;
      series.count++;
      return;
    }
    series.written++;
    const line = `${change.inverter}: ${change.setting} = ${settingText(change.value)}, by ${actorText(change.actor)}: ${kind}. ${reason}`;
    if (kind === "unchanged") this.#logger.info(line);
    else this.#logger.warn(line);
    await this.#write(outcome, 0);
  }

  /** Writes what was held back for a minute, or all of it. */
  async flush(all = false): Promise<void> {
    for (const [via, { since, last, count }] of this.#series) {
      if (!all && this.#clock.monotonic() - since < TOGETHER_MS) continue;
      this.#series.delete(via);
      if (last === undefined) continue;
      this.#logger.warn(`${count} more attempts by ${via} for which nothing was sent; the last: ${last.reason}`);
      await this.#write(last, count - 1);
    }
  }

  async #write(outcome: Outcome, more: number): Promise<void> {
    try {
      await this.#journal.add({ kind: "outcome", outcome, ...(more > 0 && { more }) });
    } catch (error) {
      // The journal has told of it.
      if (!(error instanceof SinkError)) throw error;
    }
  }
}

/** `http kitchen tablet`. */
export function actorText({ via, name }: Actor): string {
  return name === undefined ? via : `${via} ${name}`;
}
