import { DeadlineError, FrameError, ReplyError, TransportError } from "../model/errors.ts";
import type { SettingState } from "../model/control.ts";
import type { Values } from "../model/reading.ts";
import type { SettingValue } from "../model/setting.ts";
import { request, type Query, type Request } from "../protocol/command.ts";
import type { Setting, UnitFacts } from "../protocol/setting.ts";
import type { Answer } from "./job.ts";
import type { Line } from "./line.ts";

/** What one query brought; an error when it brought nothing that could be believed. */
type Brought = Answer | ReplyError | FrameError | DeadlineError | TransportError;

/** A setting's value as the unit tells it; without a value, why. */
export type Told =
  { readonly value: SettingValue; readonly at: number } | { readonly value: undefined; readonly lacking: boolean; readonly reason: string };

export interface UnitReaderOptions {
  readonly ask: Line["ask"];
  /** What is known of the unit besides what it answers right now. */
  readonly facts: () => Omit<UnitFacts, "values">;
  /** An answer that is known from before and will do; absent where it has to be asked. */
  readonly known?: (what: Request) => Answer | undefined;
}

/** Reads what a setting needs from the unit itself, each query once. */
export class UnitReader {
  readonly #options: UnitReaderOptions;
  readonly #signal: AbortSignal;
  readonly #brought = new Map<Query, Brought>();

  constructor(options: UnitReaderOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** Forgets what was read, so that it is read anew. */
  forget(): void {
    this.#brought.clear();
  }

  /** Rejects with the signal's reason only. */
  async ask(query: Query): Promise<Brought> {
    const known = this.#brought.get(query);
    if (known !== undefined) return known;
    const brought = await this.#ask(query);
    this.#brought.set(query, brought);
    return brought;
  }

  /** Absent when the unit does not answer the query. */
  async values(query: Query): Promise<Values | undefined> {
    const brought = await this.ask(query);
    return isData(brought) ? brought.values : undefined;
  }

  async facts(setting: Setting): Promise<UnitFacts> {
    const queries = new Set([...setting.needs, ...(setting.readBack ? [setting.readBack.query] : [])]);
    const values: Record<string, Values[string]> = {};
    for (const query of queries) Object.assign(values, await this.values(query));
    return { ...this.#options.facts(), values };
  }

  /** Absent for a setting that no inquiry tells. */
  async present({ readBack }: Setting): Promise<Told | undefined> {
    if (readBack === undefined) return undefined;
    const { code } = readBack.query;
    const brought = await this.ask(readBack.query);
    if (brought instanceof Error)
      return { value: undefined, lacking: false, reason: `its present value cannot be read: ${brought.message}` };
    if (!isData(brought)) return { value: undefined, lacking: true, reason: `this unit does not know ${code}, which would tell it` };
    const value = readBack.read(brought.values, this.#options.facts());
    if (value === undefined) return { value, lacking: true, reason: `this unit does not tell it in its answer to ${code}` };
    return { value, at: brought.at };
  }

  async state(setting: Setting): Promise<SettingState> {
    const { info } = setting;
    const present = await this.present(setting);
    if (present !== undefined && present.value === undefined) return { info, reason: present.reason };
    const allowed = setting.allowed(await this.facts(setting));
    // What is read back of an action tells whether it is done, not how it stands.
    const state = { info, ...(info.form !== "action" && present) };
    if (allowed.kind !== "none") return { ...state, allowed };
    return { ...state, reason: allowed.reason, ...(allowed.because === "locked" && { locked: true as const }) };
  }

  async #ask(query: Query): Promise<Brought> {
    const { ask, facts, known } = this.#options;
    // The one argument that a setting can be read back with is the number of the unit.
    const asked = query.argument === undefined ? request(query) : request(query, facts().unit);
    const before = known?.(asked);
    if (before !== undefined) return before;
    try {
      return await ask(asked, { signal: this.#signal, urgent: true });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof ReplyError || error instanceof FrameError || error instanceof DeadlineError || error instanceof TransportError)
        return error;
      throw error;
    }
  }
}

function isData(brought: Brought): brought is Extract<Answer, { kind: "data" }> & { readonly values: Values } {
  return !(brought instanceof Error) && brought.kind === "data";
}
