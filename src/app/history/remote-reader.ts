import type { HistoryRow, TimeRange } from "../../model/history.ts";
import type { HistoryReader } from "../../store/ports.ts";
import type { UnitEnergy } from "./energy-reader.ts";
import type { HistoryThread } from "./history-thread.ts";
import type { ReaderMethods } from "./reader-methods.ts";

type Query<Name extends keyof HistoryReader> = Parameters<HistoryReader[Name]>[0];
type Options = { readonly signal: AbortSignal };

/** Asks the thread that reads; a question that is withdrawn frees it for the next. */
export class RemoteReader implements HistoryReader, AsyncDisposable {
  readonly #thread: HistoryThread<ReaderMethods>;

  constructor(thread: HistoryThread<ReaderMethods>) {
    this.#thread = thread;
  }

  async contents() {
    return await this.#thread.call("contents", null);
  }

  async series(query: Query<"series">, options: Options) {
    return await this.#thread.call("series", query, options);
  }

  async spans(query: Query<"spans">, options: Options) {
    return await this.#thread.call("spans", query, options);
  }

  async events(query: Query<"events">, options: Options) {
    return await this.#thread.call("events", query, options);
  }

  /** The quarters of an hour of every unit. */
  async energy(range: TimeRange, options: Options): Promise<readonly UnitEnergy[]> {
    return await this.#thread.call("energy", range, options);
  }

  /** An hour of each stream at a time. */
  async *rows(query: Query<"rows">, options: Options): AsyncGenerator<readonly HistoryRow[]> {
    let from: number | undefined = query.from;
    while (from !== undefined) {
      const part: { rows: readonly HistoryRow[]; next: number | undefined } = await this.#thread.call("rows", { ...query, from }, options);
      if (part.rows.length > 0) yield part.rows;
      from = part.next;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}
