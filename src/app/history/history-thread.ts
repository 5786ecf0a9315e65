import type { Logger } from "../../model/logger.ts";
import { Thread, type Argument, type Methods, type Result } from "../../store/thread.ts";
import { logTold } from "./thread-log.ts";

export interface HistoryThreadOptions<Opening> {
  /** The entry beside this file, without `-thread.js`. */
  readonly name: "writer" | "reader";
  /** What its method `open` takes. */
  readonly opening: Opening;
  readonly logger: Logger;
}

interface Opened extends Methods {
  readonly open: (argument: never) => Promise<void>;
}

/** A thread of history that is started anew when it dies: the next question waits for that. */
export class HistoryThread<Served extends Opened> implements AsyncDisposable {
  readonly #options: HistoryThreadOptions<Argument<Served["open"]>>;
  #thread: Promise<Thread<Served>> | undefined;
  #isClosed = false;

  constructor(options: HistoryThreadOptions<Argument<Served["open"]>>) {
    this.#options = options;
  }

  async call<Name extends keyof Served & string>(
    method: Name,
    argument: Argument<Served[Name]>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Result<Served[Name]>> {
    this.#thread ??= this.#start();
    return await (await this.#thread).call(method, argument, options);
  }

  /** Starts it now, so that what is wrong with the folder is told at once. */
  async open(): Promise<void> {
    this.#thread ??= this.#start();
    await this.#thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const thread = await this.#thread;
    await thread?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<Thread<Served>> {
    const { name, opening, logger } = this.#options;
    const thread = Thread.start<Served>({
      entry: new URL(`./${name}-thread.js`, import.meta.url),
      data: null,
      onTold: logTold(logger),
      onEnded: (error) => {
        this.#thread = undefined;
        if (!this.#isClosed) logger.error(error.message);
      },
    });
    try {
      await thread.call("open", opening);
      return thread;
    } catch (error) {
      this.#thread = undefined;
      await thread[Symbol.asyncDispose]();
      throw error;
    }
  }
}
