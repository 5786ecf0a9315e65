import { readSync, writeSync, type Stats } from "node:fs";
import { constants, open, stat, type FileHandle } from "node:fs/promises";
import { TransportError } from "../model/errors.ts";

/** More than any kernel queue of such a device holds: 64 reports of hidraw, 4 KiB of a tty and its driver's buffers. */
const takeLimit = 65_536;
/** A read into less room than one report would cut the report. */
const reportRoom = 64;
/** How long closing waits for a write that the kernel has not given back. */
const closeGraceMs = 1000;

const nothing = new Uint8Array(0);

/**
 * The one owner of a character device's file descriptor, read on the caller's schedule.
 *
 * Never blocking and never through a read stream: a blocking read of an idle device takes a thread of Node's pool for
 * good, and `process.exit` then hangs. Not by events either: at 2400 baud that is a wake-up per byte.
 */
export class PolledFd {
  readonly path: string;
  readonly stats: Stats;
  readonly #handle: FileHandle;
  readonly #buffer = new Uint8Array(takeLimit);
  #gone: TransportError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(path: string, stats: Stats, handle: FileHandle) {
    this.path = path;
    this.stats = stats;
    this.#handle = handle;
  }

  /** Opens the device without waiting for it. Follows symbolic links; refuses what is not a character device before opening it. */
  static async open(path: string, { signal }: { readonly signal: AbortSignal }): Promise<PolledFd> {
    signal.throwIfAborted();
    let handle: FileHandle;
    try {
      if (!(await stat(path)).isCharacterDevice()) {
        throw new TransportError("transport-open", `cannot open ${path}: expected a device node, got an ordinary file or directory`);
      }
      signal.throwIfAborted();
      handle = await open(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof TransportError ? error : openFailure(path, error);
    }
    try {
      const stats = await handle.stat();
      signal.throwIfAborted();
      return new PolledFd(path, stats, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** For passing the open file to a helper program; reading and writing go through this class. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Throws the reason once the device is gone or closed. */
  assertPresent(): void {
    if (this.#gone !== undefined) throw this.#gone;
  }

  /** Every byte the kernel has ready, without waiting. Bytes that came before a loss are handed over first, the loss is thrown next time. */
  take(): Uint8Array {
    this.assertPresent();
    let filled = 0;
    while (filled <= takeLimit - reportRoom) {
      let count: number;
      try {
        count = readSync(this.#handle.fd, this.#buffer, filled, takeLimit - filled, null);
      } catch (error) {
        const code = errnoOf(error);
        if (code === "EAGAIN") break;
        if (code === "EINTR") continue;
        this.#gone = this.#lost(code, error);
        break;
      }
      if (count === 0) {
        this.#gone = this.#lost("end of file", undefined);
        break;
      }
      filled += count;
    }
    if (filled > 0) return this.#buffer.slice(0, filled);
    this.assertPresent();
    return nothing;
  }

  /** Hands over as many bytes as the driver takes at once; 0 when it takes none now. For devices whose writes never sleep (ttys). */
  writeNow(bytes: Uint8Array): number {
    this.assertPresent();
    try {
      return writeSync(this.#handle.fd, bytes);
    } catch (error) {
      if (["EAGAIN", "EINTR"].includes(errnoOf(error))) return 0;
      throw this.#writeFailure(error);
    }
  }

  /** Writes through the thread pool, for drivers that ignore O_NONBLOCK and sleep until the device has answered (hidraw: seconds). */
  async writeWhole(bytes: Uint8Array): Promise<void> {
    this.assertPresent();
    let written: number;
    try {
      ({ bytesWritten: written } = await this.#handle.write(bytes));
    } catch (error) {
      throw this.#writeFailure(error);
    }
    if (written !== bytes.length) {
      throw new TransportError("transport-write", `writing to ${this.path}: expected ${bytes.length} bytes to be taken, got ${written}`);
    }
  }

  /**
   * Closes once. A write that hangs in the kernel keeps the descriptor (closing it would let its number be reused under the
   * write); it is then closed when the kernel returns, and the caller is kept waiting for a second at most.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#gone ??= new TransportError("transport-lost", `${this.path} was closed`);
    // Linux frees the descriptor also when close() fails, as it does for a device that is gone: nothing is left to do then.
    const closing = this.#handle.close().catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeGraceMs)));
    await Promise.race([closing, grace]);
    clearTimeout(timer);
  }

  #lost(code: string, cause: unknown): TransportError {
    return new TransportError("transport-lost", `${this.path} went away: expected bytes or none, got ${explain(code)}`, {
      context: { path: this.path, errno: code },
      cause,
    });
  }

  #writeFailure(error: unknown): TransportError {
    const code = errnoOf(error);
    if (["ENODEV", "ENXIO", "EIO", "EBADF", "ESHUTDOWN"].includes(code)) return (this.#gone ??= this.#lost(code, error));
    return new TransportError("transport-write", `writing to ${this.path}: expected the bytes to be taken, got ${explain(code)}`, {
      context: { path: this.path, errno: code },
      cause: error,
    });
  }
}

/** Why a device could not be opened, with what to do about it. */
function openFailure(path: string, error: unknown): TransportError {
  const code = errnoOf(error);
  const advice: Readonly<Record<string, string>> = {
    ENOENT: "; is the cable plugged in at both ends?",
    EACCES: "; join the group that owns it (for USB install share/udev/60-sonkrag.rules first), then log in again",
    EPERM: "; join the group that owns it (for USB install share/udev/60-sonkrag.rules first), then log in again",
    EBUSY: "; another program has it for itself",
  };
  return new TransportError("transport-open", `cannot open ${path}: ${explain(code)}${advice[code] ?? ""}`, {
    context: { path, errno: code },
    cause: error,
  });
}

/** The system's name of an error, e.g. `ENODEV`; the text of an error without one. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return String(error);
}

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such device",
  ENODEV: "no such device any more",
  ENXIO: "no device behind this name",
  EIO: "an input/output error, as after unplugging",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EBUSY: "device busy",
  EPIPE: "the device refused the transfer",
  ETIMEDOUT: "no answer from the device",
  EPROTO: "an electrical error on the USB bus",
  EILSEQ: "an electrical error on the USB bus",
  "end of file": "a hang-up",
};

function explain(code: string): string {
  const word = words[code];
  if (word === undefined) return code;
  return code.startsWith("E") ? `${word} (${code})` : word;
}
