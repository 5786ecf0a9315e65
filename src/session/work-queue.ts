import type { Request } from "../protocol/command.ts";
import type { Write } from "../protocol/setting.ts";
import type { Answer, Effort, Told } from "./job.ts";

interface Pending {
  /** A person waits for it: it goes before what is polled. */
  readonly urgent: boolean;
  attempts: number;
  settled: boolean;
  readonly reject: (error: unknown) => void;
}

export interface AskOptions {
  /** A person waits for it. */
  readonly urgent?: boolean;
  readonly effort?: Effort;
  /** Called when an answer is in that still waits for its proof, if nothing older can be under way: the next question may be put. */
  readonly onHeard?: (() => void) | undefined;
}

/** A question that somebody waits for. */
export interface Question extends Pending {
  readonly kind: "question";
  readonly request: Request;
  readonly effort: Effort;
  readonly onHeard: (() => void) | undefined;
  readonly resolve: (answer: Answer) => void;
}

/** A command that changes something; it goes out once at most. */
export interface Telling extends Pending {
  readonly kind: "telling";
  readonly write: Write;
  /** In the second likeliest form of the checksum, where there are two. */
  readonly otherChecksum: boolean;
  readonly resolve: (told: Told) => void;
}

export type Work = Question | Telling;

/** Whoever asks more than this ahead only makes others wait. */
const ROOM = 2;

/** Questions in the order in which they go out; whoever waits for one can give up at any time. */
export class WorkQueue {
  readonly #items: Work[] = [];
  /** One abort listener a signal, not one a question. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<Work>>();
  #onFilled: (() => void) | undefined;
  readonly #onRoom: (() => void)[] = [];
  #closed: { readonly reason: unknown } | undefined;

  get empty(): boolean {
    return this.#items.length === 0;
  }

  /** Adds a question. Rejects with the signal's reason when it fires before the answer. */
  ask(what: Request, signal: AbortSignal, { urgent = false, effort = "full", onHeard }: AskOptions = {}): Promise<Answer> {
    return this.#add<Answer>(signal, (settlers) => ({
      kind: "question",
      request: what,
      urgent,
      effort,
      onHeard,
      attempts: 0,
      settled: false,
      ...settlers,
    }));
  }

  /** Adds a command that changes something. Rejects with the signal's reason when it fires before it was sent. */
  tell(write: Write, otherChecksum: boolean, signal: AbortSignal): Promise<Told> {
    return this.#add<Told>(signal, (settlers) => ({
      kind: "telling",
      write,
      otherChecksum,
      urgent: true,
      attempts: 0,
      settled: false,
      ...settlers,
    }));
  }

  #add<T>(
    signal: AbortSignal,
    make: (settlers: { readonly resolve: (result: T) => void; readonly reject: (error: unknown) => void }) => Work,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw asError(this.#closed.reason);
      const open = this.#openOf(signal);
      const settle = (): void => {
        work.settled = true;
        open.delete(work);
      };
      const work = make({
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(asError(error));
        },
      });
      open.add(work);
      if (work.urgent) this.#items.splice(this.#afterUrgent, 0, work);
      else this.#items.push(work);
      this.#onFilled?.();
    });
  }

  /** True when there is one that may go out now. */
  has(mayGo: (work: Work) => boolean): boolean {
    return this.#items.some(mayGo);
  }

  /** Takes the first question that may go out now. */
  shift(mayGo: (work: Work) => boolean): Work | undefined {
    const index = this.#items.findIndex(mayGo);
    if (index < 0) return undefined;
    const [work] = this.#items.splice(index, 1);
    this.#tellRoom();
    return work;
  }

  /**
   * Puts a question back for its second attempt, if anybody still waits for it: in front, or `last` where the unit was
   * silent, for then it has to wait anyway, and may well be silent again.
   */
  again(work: Question, { last = false }: { readonly last?: boolean } = {}): void {
    if (work.settled) return;
    if (last) this.#items.push(work);
    else this.#items.splice(work.urgent ? 0 : this.#afterUrgent, 0, work);
    this.#onFilled?.();
  }

  rejectAll(error: unknown): void {
    for (const work of this.#items.splice(0)) work.reject(error);
    this.#tellRoom();
  }

  /** Rejects whoever waits, and whoever asks from now on. */
  close(reason: unknown): void {
    this.#closed ??= { reason };
    this.rejectAll(reason);
  }

  /** Resolves when there is a question. Rejects with the signal's reason. */
  async filled({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (this.empty) await eventOrAbort((wake) => (this.#onFilled = wake), signal);
    this.#onFilled = undefined;
  }

  /** Resolves when it makes sense to ask more. Rejects with the signal's reason. */
  async room({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    // A second attempt may have to wait for long, and others must not wait with it.
    while (this.#items.filter(({ attempts, urgent }) => attempts === 0 && !urgent).length >= ROOM)
      await eventOrAbort((wake) => this.#onRoom.push(wake), signal);
  }

  get #afterUrgent(): number {
    return this.#items.findLastIndex(({ urgent }) => urgent) + 1;
  }

  #tellRoom(): void {
    for (const wake of this.#onRoom.splice(0)) wake();
  }

  #openOf(signal: AbortSignal): Set<Work> {
    const known = this.#bySignal.get(signal);
    if (known) return known;
    const open = new Set<Work>();
    this.#bySignal.set(signal, open);
    signal.addEventListener(
      "abort",
      () => {
        for (const work of open) {
          // What is on the wire cannot be called back, and has to be told.
          if (work.kind === "telling" && work.attempts > 0) continue;
          const index = this.#items.indexOf(work);
          if (index >= 0) this.#items.splice(index, 1);
          work.reject(signal.reason);
        }
        this.#tellRoom();
      },
      { once: true },
    );
    return open;
  }
}

async function eventOrAbort(subscribe: (wake: () => void) => unknown, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => reject(asError(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    subscribe(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
