import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { NotRunningError, type SonkragError } from "../model/errors.ts";
import { errorOf, helloSchema, LineSplitter, localProtocol, responseSchema, type Hello } from "./local-protocol.ts";
import { readRuntimeFile } from "./runtime-file.ts";

const mostAnswerBytes = 67_108_864;
const helloWithinMs = 5000;

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly more: ((part: unknown) => void) | undefined;
}

interface CallOptions {
  readonly signal: AbortSignal;
  /** Takes what the method tells before its result. */
  readonly more?: (part: unknown) => void;
}

/** A connection to the running sonkrag that has a data folder, over its local socket. */
export class DaemonClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #lines = new LineSplitter(mostAnswerBytes);
  readonly #waiting = new Map<number, Waiter>();
  #nextId = 1;
  #end: Error | undefined;
  #hello: Hello | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("error", (cause) =>
      this.#close(new NotRunningError(`expected an answer of the running sonkrag, got ${cause.message}`, { cause })),
    );
    socket.once("close", () =>
      this.#close(new NotRunningError("expected an answer of the running sonkrag, got the end of the connection")),
    );
  }

  /**
   * Throws NotRunningError when none runs there or it does not answer; with `denied: true` in its context when one may run there but
   * only another user is let in.
   */
  static async open(dataDir: string, { signal }: { readonly signal: AbortSignal }): Promise<DaemonClient> {
    signal.throwIfAborted();
    const runtime = await readRuntimeFile(dataDir);
    const where = `expected a running sonkrag with its data in ${dataDir}`;
    if (runtime?.socket === undefined)
      throw new NotRunningError(`${where}, found ${runtime === undefined ? "none" : "one without a local socket"}`);
    const socket = connect(runtime.socket);
    const client = new DaemonClient(socket);
    const deadline = AbortSignal.timeout(helloWithinMs);
    try {
      await once(socket, "connect", { signal: AbortSignal.any([signal, deadline]) });
      const hello = helloSchema.parse(await client.call("hello", undefined, { signal: AbortSignal.any([signal, deadline]) }));
      if (hello.protocol !== localProtocol)
        throw new NotRunningError(
          `expected a running sonkrag that speaks protocol ${localProtocol}, got version ${hello.version}, which speaks ${hello.protocol}: restart it`,
        );
      client.#hello = hello;
      return client;
    } catch (cause) {
      socket.destroy();
      if (signal.aborted || cause instanceof NotRunningError) throw cause;
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === "EACCES")
        throw new NotRunningError(
          `${where}, found the socket of another user's at ${runtime.socket}; run this as that user, or with sudo`,
          {
            cause,
            context: { denied: true },
          },
        );
      const gone = code === "ENOENT" || code === "ECONNREFUSED";
      const got = deadline.aborted ? `no answer within ${helloWithinMs / 1000} s` : String(cause);
      throw new NotRunningError(gone ? `${where}, found that it has ended (process ${runtime.pid})` : `${where}, got ${got}`, { cause });
    }
  }

  /** Who answers. */
  get daemon(): Hello {
    if (this.#hello === undefined) throw new TypeError("expected a connection that was opened");
    return this.#hello;
  }

  /** Rejects with the error of the other side, with NotRunningError when it goes away, or with the signal's reason. */
  async call(method: string, params: unknown, { signal, more }: CallOptions): Promise<unknown> {
    signal.throwIfAborted();
    if (this.#end !== undefined) throw this.#end;
    const id = this.#nextId++;
    return await new Promise((resolve, reject) => {
      const onAbort = (): void => settle(() => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))));
      const settle = (how: () => void): void => {
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        how();
      };
      this.#waiting.set(id, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
        more,
      });
      signal.addEventListener("abort", onAbort, { once: true });
      this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }

  #received(chunk: Uint8Array): void {
    const lines = this.#lines.push(chunk);
    if (lines === undefined) this.#socket.destroy(new Error(`a line of more than ${mostAnswerBytes} bytes`));
    else for (const line of lines) if (line !== "") this.#answered(line);
  }

  #answered(line: string): void {
    const response = responseSchema.safeParse(parseJson(line));
    if (!response.success) {
      this.#socket.destroy(new Error(`${line.slice(0, 100)}: no answer of the local protocol`));
      return;
    }
    const { id, more, result, error } = response.data;
    const waiter = typeof id === "number" ? this.#waiting.get(id) : undefined;
    // What nobody waits for any more was given up.
    if (more !== undefined) waiter?.more?.(more);
    else if (error === undefined) waiter?.resolve(result);
    else if (waiter !== undefined) waiter.reject(errorOf(error));
    else if (id === null) this.#close(errorOf(error));
  }

  #close(error: SonkragError): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
