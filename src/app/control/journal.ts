import type { Logger } from "../../model/logger.ts";
import type { JournalEntry, JournalTrouble, NewEntry } from "../../model/journal.ts";
import type { Clock } from "../../session/clock.ts";
import { parseEntry } from "./journal-entry.ts";
import type { LineStore } from "./journal-file.ts";
import { Ledger } from "./ledger.ts";
import { ProvenTime, type Boot, type Moment } from "./proven-time.ts";

export interface PageQuery {
  readonly inverter?: string;
  /** At most so many entries. */
  readonly limit: number;
  /** Only entries with a lower number. */
  readonly before?: number;
}

interface JournalOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent where the system does not tell. */
  readonly boot?: Boot | undefined;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5 * 60_000;

/** Every attempt to change something, for ever. What is in the ledger is on the disk. */
export class Journal implements AsyncDisposable {
  readonly ledger: Ledger;
  readonly #store: LineStore;
  readonly #clock: Clock;
  readonly #boot: Boot | undefined;
  readonly #time: ProvenTime;
  readonly #logger: Logger;
  #count = 0;
  #trouble: JournalTrouble | undefined;
  /** When the next attempt is due that nobody waits for, on the monotonic clock, and the pause before it. */
  #retry = { at: Number.NEGATIVE_INFINITY, pauseMs: 0 };

  private constructor(store: LineStore, { clock, logger, boot }: JournalOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#boot = boot;
    this.#logger = logger;
    this.#time = new ProvenTime({ clock });
    this.ledger = new Ledger({ clock, time: this.#time });
  }

  /** Takes the store over. */
  static async open(store: LineStore, options: JournalOptions): Promise<Journal> {
    const { logger } = options;
    const journal = new Journal(store, options);
    let unreadable = 0;
    for await (const line of store.lines()) {
      const entry = parseEntry(line);
      if (entry === undefined) {
        if (line !== "") unreadable++;
        continue;
      }
      journal.#count = Math.max(journal.#count, entry.n);
      journal.#time.pass(entry);
      journal.ledger.apply(entry);
    }
    journal.#time.begin(journal.#moment());
    if (unreadable > 0) logger.error(`The journal of changes has ${unreadable} lines that cannot be read; they are left as they are`);
    return journal;
  }

  /** Resolves when the entry is on the disk. Rejects with SinkError, after it has told of the first of a row. */
  async add(entry: NewEntry): Promise<void> {
    const numbered = { n: ++this.#count, ...this.#moment(), ...entry } as JournalEntry;
    try {
      await this.#store.append(JSON.stringify(numbered));
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    if (this.#trouble !== undefined)
      this.#logger.info(`The journal of changes can be written again, after ${this.#trouble.failed} attempts that failed`);
    this.#trouble = undefined;
    this.ledger.apply(numbered);
  }

  /** Absent while it can be written, as far as is known. */
  get trouble(): JournalTrouble | undefined {
    return this.#trouble;
  }

  /** False while what nobody waits for had better not try to write: a disk stays full for long. */
  get mayRetry(): boolean {
    return this.#trouble === undefined || this.#clock.monotonic() >= this.#retry.at;
  }

  #failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const now = this.#clock.monotonic();
    const { since = this.#clock.now(), failed = 0 } = this.#trouble ?? {};
    if (failed === 0) this.#logger.error(`${reason}; nothing is changed until that is over`);
    if (failed === 0 || now >= this.#retry.at) {
      const pauseMs = failed === 0 ? FIRST_RETRY_MS : Math.min(LONGEST_RETRY_MS, this.#retry.pauseMs * 2);
      this.#retry = { at: now + pauseMs, pauseMs };
    }
    this.#trouble = { since, failed: failed + 1, reason };
  }

  #moment(): Moment {
    const boot = this.#boot;
    return { at: this.#clock.now(), ...(boot && { boot: boot.id, upMs: boot.upMs() }) };
  }

  /** The latest entries, newest first. */
  async page({ inverter, limit, before = Number.POSITIVE_INFINITY }: PageQuery): Promise<JournalEntry[]> {
    const found: JournalEntry[] = [];
    if (limit <= 0) return found;
    for await (const line of this.#store.backwards()) {
      const entry = parseEntry(line);
      if (entry === undefined || entry.n >= before) continue;
      if (inverter !== undefined && inverterOf(entry) !== inverter) continue;
      found.push(entry);
      if (found.length >= limit) break;
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

function inverterOf(entry: JournalEntry): string {
  if (entry.kind === "leaseEnd") return entry.inverter;
  return entry.kind === "intent" ? entry.change.inverter : entry.outcome.change.inverter;
}
