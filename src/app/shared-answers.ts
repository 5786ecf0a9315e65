import { DeadlineError, SonkragError } from "../model/errors.ts";
import type { LinkStatus, Reading } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import type { Answer } from "../session/job.ts";
import type { Clock } from "../session/clock.ts";

/** How long a command that the unit met with silence is not asked again: each try would hold up everybody. */
const SILENT_FOR_MS = 60_000;

/** What a program that asks gets to hear. */
export type Heard = { readonly kind: "data"; readonly payload: string } | { readonly kind: "nak" } | { readonly kind: "silence" };

export interface SharedAnswersOptions {
  readonly clock: Clock;
  /** Answers older than this are not given again; 0 asks the unit every time. */
  readonly maxAgeMs: number;
  readonly status: () => LinkStatus;
  readonly ask: (what: Request, options: { readonly signal: AbortSignal; readonly urgent: boolean }) => Promise<Answer>;
}

interface Known {
  readonly heard: Heard;
  /** Monotonic ms until which it may be given. */
  readonly until: number;
  /** The link as it was: any change of it makes what came before the past. */
  readonly link: LinkStatus;
}

interface Asking {
  readonly heard: Promise<Heard>;
  waiters: number;
}

const silence: Heard = { kind: "silence" };

/**
 * Answers to the inquiries of other programs: from what was read last, while that is young enough, else from the unit.
 * They are put to the unit one at a time and every other one in turn with polling, so however much is asked, the live values go on.
 */
export class SharedAnswers {
  readonly #options: SharedAnswersOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Asking>();
  #turn: Promise<unknown> = Promise.resolve();
  #wasUrgent = false;

  constructor(options: SharedAnswersOptions) {
    this.#options = options;
  }

  /** Takes what was polled. */
  learn({ command, payload, at }: Pick<Reading, "command" | "payload" | "at">): void {
    this.#remember(command, { kind: "data", payload }, at);
  }

  /** To be called when something was changed: what was read before may be wrong now. */
  forget(): void {
    this.#known.clear();
  }

  /** Never rejects for what the unit does; rejects with the signal's reason. */
  async answer(what: Request, { signal }: { readonly signal: AbortSignal }): Promise<Heard> {
    signal.throwIfAborted();
    if (this.#options.status().state !== "online") return silence;
    const known = this.#known.get(what.command);
    if (known !== undefined && known.until > this.#options.clock.monotonic() && known.link === this.#options.status()) return known.heard;
    // Whoever asks the same while it is asked waits for the same answer, which is younger than any question.
    const asking = this.#asking.get(what.command) ?? this.#start(what);
    asking.waiters += 1;
    try {
      return await orAborted(asking.heard, signal);
    } finally {
      asking.waiters -= 1;
    }
  }

  #start(what: Request): Asking {
    const heard = this.#turn.then(async () => {
      try {
        // Everybody may have given up while others had their turn.
        return asking.waiters > 0 ? await this.#ask(what) : silence;
      } finally {
        this.#asking.delete(what.command);
      }
    });
    const asking: Asking = { heard, waiters: 0 };
    this.#turn = heard.catch(() => undefined);
    this.#asking.set(what.command, asking);
    return asking;
  }

  async #ask(what: Request): Promise<Heard> {
    this.#wasUrgent = !this.#wasUrgent;
    try {
      const answer = await this.#options.ask(what, { signal: new AbortController().signal, urgent: this.#wasUrgent });
      const heard: Heard = answer.kind === "data" ? { kind: "data", payload: answer.payload } : { kind: "nak" };
      this.#remember(what.command, heard, answer.at);
      return heard;
    } catch (error) {
      if (!(error instanceof SonkragError)) throw error;
      if (error instanceof DeadlineError) this.#keep(what.command, silence, SILENT_FOR_MS);
      return silence;
    }
  }

  /** `at` is UTC; how old it is decides, not what the clock of the day may have been set to since. */
  #remember(command: string, heard: Heard, at: number): void {
    const ageMs = Math.max(0, this.#options.clock.now() - at);
    this.#keep(command, heard, this.#options.maxAgeMs - ageMs);
  }

  #keep(command: string, heard: Heard, forMs: number): void {
    this.#known.set(command, { heard, until: this.#options.clock.monotonic() + forMs, link: this.#options.status() });
  }
}

async function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    signal.addEventListener("abort", onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
