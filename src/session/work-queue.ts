import type { Request } from "../protocol/command.ts";
import type { Answer } from "./exchange.ts";

/** A question that somebody waits for. */
export interface Work {
  readonly request: Request;
  attempts: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions in the order in which they go out; whoever waits for one can give up at any time. */
export class WorkQueue {
  readonly #items: Work[] = [];
  #wake: (() => void) | undefined;

  get empty(): boolean {
    return this.#items.length === 0;
  }

  /** Adds a question. Rejects with the signal's reason when it fires before the answer. */
  ask(what: Request, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const work: Work = {
        request: what,
        attempts: 0,
        resolve: (answer) => {
          signal.removeEventListener("abort", onAbort);
          resolve(answer);
        },
        reject: (error) => {
          signal.removeEventListener("abort", onAbort);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      const onAbort = (): void => {
        const index = this.#items.indexOf(work);
        if (index >= 0) this.#items.splice(index, 1);
        work.reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#items.push(work);
      this.#wake?.();
    });
  }

  /** Takes the first question that may go out now. */
  shift(mayGo: (work: Work) => boolean): Work | undefined {
    const index = this.#items.findIndex(mayGo);
    return index < 0 ? undefined : this.#items.splice(index, 1)[0];
  }

  /** Puts a question back in front, for its second attempt. */
  again(work: Work): void {
    this.#items.unshift(work);
    this.#wake?.();
  }

  rejectAll(error: unknown): void {
    for (const work of this.#items.splice(0)) work.reject(error);
  }

  /** Resolves when there is a question. Rejects with the signal's reason. */
  async filled({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    if (!this.empty) return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#wake = undefined;
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      };
      this.#wake = () => {
        this.#wake = undefined;
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
