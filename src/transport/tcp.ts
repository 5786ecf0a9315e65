import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { constants, open, type FileHandle } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TransportError } from "../model/errors.ts";
import { type Logger, silentLogger } from "../model/logger.ts";
import { type Transport, type Wire, wireOf } from "../session/transport.ts";
import { claimPort } from "./claim.ts";
import { formatDeviceUrl, type TcpUrl } from "./device-url.ts";
import { lockName } from "./name-lock.ts";
import { errnoOf } from "./polled-fd.ts";
import { WriteQueue } from "./write-queue.ts";

const connectDeadlineMs = 5000;
/** First probe of a silent connection; a bridge that lost power says nothing. */
const keepAliveMs = 10_000;
/** More unread bytes than this are left with the sender. */
const bufferLimit = 65_536;

const nothing = new Uint8Array(0);

interface TcpOptions {
  readonly signal: AbortSignal;
  readonly logger?: Logger;
  /** Where the file lies by which programs on this machine exclude each other. */
  readonly lockDirectory?: string;
}

/** Connects to a serial bridge, as the only one on this machine; throws TransportError. */
export async function openTcp(url: TcpUrl, { signal, logger = silentLogger, lockDirectory = tmpdir() }: TcpOptions): Promise<Transport> {
  signal.throwIfAborted();
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  const timer = setTimeout(() => attempt.abort(notReached(url, `no connection within ${connectDeadlineMs / 1000} s`)), connectDeadlineMs);
  try {
    const address = await addressOf(url, attempt.signal);
    const lock = await claimAddress(url, address, lockDirectory, { signal: attempt.signal, logger });
    try {
      return new TcpTransport(await connect(url, address, attempt.signal), lock, url);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

/** Resolved before locking, so that two names of one bridge share a lock. */
async function addressOf(url: TcpUrl, signal: AbortSignal): Promise<string> {
  const aborted = once(signal, "abort").then(() => Promise.reject(signal.reason as Error));
  try {
    return (await Promise.race([lookup(url.host), aborted])).address;
  } catch (error) {
    signal.throwIfAborted();
    throw notReached(url, `the name ${url.host} could not be resolved (${errnoOf(error)})`, error);
  }
}

/** The lock file stays behind, empty: removing it would let a newcomer lock a file that others no longer see. */
async function claimAddress(
  url: TcpUrl,
  address: string,
  directory: string,
  options: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<AsyncDisposable> {
  const name = `sonkrag-tcp-${address.replaceAll(/[^0-9a-z.]/gi, "-")}-${url.port}`;
  // The file excludes containers that share a folder, the name all others; of the two only the file knows other systems than Linux.
  const named = await lockName(name, formatDeviceUrl(url), options);
  try {
    const file = await claimFile(url, join(directory, `${name}.lock`), options);
    return {
      async [Symbol.asyncDispose]() {
        await file.close();
        await named?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await named?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function claimFile(
  url: TcpUrl,
  path: string,
  options: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await openShared(path);
  } catch (error) {
    throw new TransportError("transport-open", `cannot open the lock file ${path}: ${errnoOf(error)}`, { context: { path }, cause: error });
  }
  try {
    await claimPort({ fd: handle.fd, stats: await handle.stat() }, formatDeviceUrl(url), options);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Plainly first: in a sticky directory Linux refuses to "create" another user's file even when it is there and readable. */
async function openShared(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  try {
    return await open(path, flags);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return open(path, flags | constants.O_CREAT, 0o644);
  }
}

async function connect(url: TcpUrl, address: string, signal: AbortSignal): Promise<Socket> {
  const socket = new Socket();
  try {
    socket.connect({ host: address, port: url.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw notReached(url, errnoOf(error), error);
  }
}

function notReached(url: TcpUrl, reason: string, cause?: unknown): TransportError {
  return new TransportError(
    "transport-open",
    `cannot connect to ${formatDeviceUrl(url)}: ${reason}; is the bridge on and the address right?`,
    {
      context: { host: url.host, port: url.port },
      cause,
    },
  );
}

class TcpTransport implements Transport {
  readonly address: string;
  readonly wire: Wire;
  readonly #socket: Socket;
  readonly #lock: AsyncDisposable;
  readonly #writes = new WriteQueue();
  readonly #closed: Promise<void>;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #gone: TransportError | undefined;
  #disposing: Promise<void> | undefined;

  constructor(socket: Socket, lock: AsyncDisposable, url: TcpUrl) {
    this.#socket = socket;
    this.#lock = lock;
    this.address = formatDeviceUrl(url);
    // The bridge gathers bytes and sends them in bursts, and may be no bridge at all.
    this.wire = wireOf(url.baud, false);
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (error) => this.#lose(errnoOf(error), error));
    socket.on("end", () => this.#lose("the other side closed the connection"));
    socket.on("close", () => this.#lose("the connection was closed"));
  }

  take(): Uint8Array {
    if (this.#buffered === 0) {
      if (this.#gone !== undefined) throw this.#gone;
      return nothing;
    }
    const bytes = new Uint8Array(this.#buffered);
    let filled = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    this.#chunks = [];
    this.#buffered = 0;
    if (this.#socket.isPaused()) this.#socket.resume();
    return bytes;
  }

  write(bytes: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#writes.run(
      () =>
        new Promise((resolve, reject) => {
          if (this.#gone !== undefined) throw this.#gone;
          this.#socket.write(bytes, (error) => {
            if (error) reject(this.#lose(errnoOf(error), error));
            else resolve();
          });
        }),
      { signal },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose();
    await this.#disposing;
  }

  async #dispose(): Promise<void> {
    this.#gone ??= new TransportError("transport-lost", `${this.address} was closed`);
    this.#writes.close(this.#gone);
    this.#socket.destroy();
    await this.#closed;
    await this.#lock[Symbol.asyncDispose]();
  }

  #receive(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered >= bufferLimit) this.#socket.pause();
  }

  #lose(reason: string, cause?: unknown): TransportError {
    this.#gone ??= new TransportError("transport-lost", `${this.address} went away: ${reason}`, { context: { reason }, cause });
    this.#writes.close(this.#gone);
    return this.#gone;
  }
}
