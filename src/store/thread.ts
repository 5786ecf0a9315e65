import { parentPort, Worker } from "node:worker_threads";
import { setImmediate as breathe } from "node:timers/promises";
import { SonkragError, StoreError, type ErrorCode, type Retry } from "../model/errors.ts";

/** What a thread can be asked, by name. Arguments and results are copied, so they are plain data. */
export type Methods = Readonly<Record<string, (argument: never, options: { readonly signal: AbortSignal }) => unknown>>;

/** `null` for a method that takes none. */
export type Argument<Method extends Methods[string]> = Parameters<Method> extends readonly [] ? null : Parameters<Method>[0];
export type Result<Method> = Method extends (...given: never[]) => infer Given ? Awaited<Given> : never;

interface Call {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
}
interface Cancel {
  readonly cancel: number;
}
type Asked = Call | Cancel;

interface Told {
  readonly name: string;
  readonly data: unknown;
}
type Answered =
  { readonly done: number; readonly result: unknown } | { readonly failed: number; readonly error: PlainError } | { readonly told: Told };

/** An error as it goes from thread to thread. */
interface PlainError {
  readonly message: string;
  readonly code?: ErrorCode;
  readonly retry?: Retry;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly aborted: boolean;
}

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface ThreadOptions {
  readonly entry: URL;
  /** What the thread starts with. */
  readonly data: unknown;
  /** What it tells without being asked. */
  readonly onTold?: (name: string, data: unknown) => void;
  /** It ended although nobody asked it to; every waiter has been told. */
  readonly onEnded?: (error: StoreError) => void;
}

/** A thread that answers calls; the side of whoever calls. */
export class Thread<Served extends Methods> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiters = new Map<number, Waiter>();
  #lastCall = 0;
  #ended: StoreError | undefined;

  private constructor(options: ThreadOptions) {
    this.#worker = new Worker(options.entry, { workerData: options.data });
    this.#worker.on("message", (message: Answered) => {
      if ("told" in message) options.onTold?.(message.told.name, message.told.data);
      else this.#answered(message);
    });
    const ended = (why: string, cause?: unknown): void => {
      if (this.#ended !== undefined) return;
      this.#ended = new StoreError("store-closed", why, { cause });
      for (const { reject } of this.#waiters.values()) reject(this.#ended);
      this.#waiters.clear();
      options.onEnded?.(this.#ended);
    };
    this.#worker.on("error", (error) => ended(`The thread that keeps the history failed: ${String(error)}`, error));
    this.#worker.on("exit", () => ended("The thread that keeps the history has ended"));
  }

  static start<Served extends Methods>(options: ThreadOptions): Thread<Served> {
    return new Thread<Served>(options);
  }

  /** Rejects with the thread's own error, or with the signal's reason. */
  async call<Name extends keyof Served & string>(
    method: Name,
    argument: Argument<Served[Name]>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Result<Served[Name]>> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const call = ++this.#lastCall;
    const abort = (): void => {
      const waiter = this.#waiters.get(call);
      this.#waiters.delete(call);
      this.#worker.postMessage({ cancel: call } satisfies Asked, []);
      waiter?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await new Promise<Result<Served[Name]>>((resolve, reject) => {
        this.#waiters.set(call, { resolve: resolve as (result: unknown) => void, reject });
        this.#worker.postMessage({ call, method, argument } satisfies Asked, []);
      });
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= new StoreError("store-closed", "The history is closed");
    for (const { reject } of this.#waiters.values()) reject(this.#ended);
    this.#waiters.clear();
    await this.#worker.terminate();
  }

  #answered(message: Exclude<Answered, { told: Told }>): void {
    const call = "done" in message ? message.done : message.failed;
    const waiter = this.#waiters.get(call);
    this.#waiters.delete(call);
    if ("done" in message) waiter?.resolve(message.result);
    else waiter?.reject(revive(message.error));
  }
}

/** The side of the thread: answers calls one after another in the order in which they came; a canceled one ends at its next pause. */
export function serve(methods: Methods): { readonly tell: (name: string, data: unknown) => void } {
  const port = parentPort;
  if (port === null) throw new TypeError("expected to run in a thread");
  const running = new Map<number, AbortController>();
  const answer = (message: Answered): void => port.postMessage(message);
  let before: Promise<void> = Promise.resolve();
  const work = async ({ call, method, argument }: Call, signal: AbortSignal): Promise<void> => {
    try {
      signal.throwIfAborted();
      const serving = methods[method] as ((argument: unknown, options: { readonly signal: AbortSignal }) => unknown) | undefined;
      if (serving === undefined) throw new TypeError(`expected one of ${Object.keys(methods).join(", ")}, got ${method}`);
      answer({ done: call, result: await serving(argument, { signal }) });
    } catch (error) {
      answer({ failed: call, error: flatten(error, signal) });
    } finally {
      running.delete(call);
    }
  };
  port.on("message", (asked: Asked) => {
    if ("cancel" in asked) {
      running.get(asked.cancel)?.abort(new DOMException("The question was withdrawn", "AbortError"));
      return;
    }
    const controller = new AbortController();
    running.set(asked.call, controller);
    before = before.then(async () => await work(asked, controller.signal));
  });
  return { tell: (name, data) => answer({ told: { name, data } }) };
}

/** Lets messages in, so that a withdrawn question is seen. */
export async function pause(signal: AbortSignal): Promise<void> {
  await breathe();
  signal.throwIfAborted();
}

function flatten(error: unknown, signal: AbortSignal): PlainError {
  const aborted = signal.aborted;
  if (error instanceof SonkragError) {
    const { message, code, retry, context } = error;
    return { message, code, retry, context, aborted };
  }
  return { message: error instanceof Error ? error.message : String(error), aborted };
}

function revive({ message, code, retry, context, aborted }: PlainError): Error {
  if (aborted) return new DOMException(message, "AbortError");
  if (code === undefined || retry === undefined) return new StoreError("store-failed", message);
  return code.startsWith("store-")
    ? new StoreError(code as ConstructorParameters<typeof StoreError>[0], message, context && { context })
    : new SonkragError(code, message, retry, context && { context });
}
