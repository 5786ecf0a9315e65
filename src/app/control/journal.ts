import type { Logger } from "../../model/logger.ts";
import type { JournalEntry, NewEntry } from "../../model/journal.ts";
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

/** Every attempt to change something, for ever. What is in the ledger is on the disk. */
export class Journal implements AsyncDisposable {
  readonly ledger: Ledger;
  readonly #store: LineStore;
  readonly #clock: Clock;
  readonly #boot: Boot | undefined;
  readonly #time: ProvenTime;
  #count = 0;

  private constructor(store: LineStore, clock: Clock, boot: Boot | undefined) {
    this.#store = store;
    this.#clock = clock;
    this.#boot = boot;
    this.#time = new ProvenTime({ clock });
    this.ledger = new Ledger({ clock, time: this.#time });
  }

  /** Takes the store over. */
  static async open(store: LineStore, { clock, logger, boot }: JournalOptions): Promise<Journal> {
    const journal = new Journal(store, clock, boot);
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

  /** Resolves when the entry is on the disk. Rejects with SinkError. */
  async add(entry: NewEntry): Promise<void> {
    const numbered = { n: ++this.#count, ...this.#moment(), ...entry } as JournalEntry;
    await this.#store.append(JSON.stringify(numbered));
    this.ledger.apply(numbered);
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
