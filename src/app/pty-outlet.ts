import { spawn, type ChildProcessByStdio } from "node:child_process";
import { lstat, rm } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { ConfigError, TransportError } from "../model/errors.ts";
import type { Clock } from "../session/clock.ts";
import { exists, isMissing } from "../sinks/durable-file.ts";

type Socat = ChildProcessByStdio<Writable, Readable, Readable>;

/** Bytes that may wait for a client which does not read, before newer ones are dropped as a port would. */
const mostWaiting = 65_536;
const startLimitMs = 5000;
/** How soon the pty is made again after socat has ended by itself. */
const againMs = 100;
/** How often is looked whether the link is still there: whoever tidies up may have removed it, or an earlier process at its end. */
const lookMs = 2000;

export interface PtyOptions {
  /** Where the path was asked for, for messages. */
  readonly what: string;
  /** Group that may open it too. */
  readonly group?: string | undefined;
}

/** A pseudo-terminal under a path of our choice, kept by a `socat` child; made again whenever it goes away. */
export class PtyOutlet {
  readonly path: string;
  readonly #clock: Clock;
  readonly #received: (bytes: Uint8Array) => void;
  readonly #options: PtyOptions;
  #child: Socat | undefined;
  #awayMs = againMs;

  constructor(path: string, clock: Clock, received: (bytes: Uint8Array) => void, options: PtyOptions = { what: "--pty" }) {
    this.path = path;
    this.#clock = clock;
    this.#received = received;
    this.#options = options;
  }

  send(bytes: Uint8Array): void {
    const stdin = this.#child?.stdin;
    if (stdin?.writable === true && stdin.writableLength < mostWaiting) stdin.write(bytes);
  }

  /** Takes the pty away for `ms`. */
  unplug(ms: number): void {
    this.#awayMs = ms;
    this.#child?.kill();
  }

  /** Serves until aborted; `ready` is called each time the pty is there. Rejects when the first one cannot be made. */
  async run({ ready, signal }: { readonly ready: () => void; readonly signal: AbortSignal }): Promise<void> {
    for (let first = true; !signal.aborted; first = false) {
      await removeStaleLink(this.path, this.#options.what);
      if (signal.aborted) return;
      this.#awayMs = againMs;
      const end = await this.#serve(ready, signal);
      if (signal.aborted) return;
      if (!end.wasReady && first)
        throw new TransportError(
          "transport-open",
          `${this.path}: expected socat to make a pty, got: ${end.message || "it ended without a word"}`,
        );
      await this.#clock.sleep(this.#awayMs, { signal });
    }
  }

  async #serve(ready: () => void, signal: AbortSignal): Promise<{ readonly wasReady: boolean; readonly message: string }> {
    const { what, group } = this.#options;
    const access = group === undefined ? "" : `,mode=660,group=${escaped(group)}`;
    const child: Socat = spawn("socat", ["-t", "0.01", `PTY,link=${escaped(this.path)},raw,echo=0${access}`, "STDIO"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const gone = new AbortController();
    let message = "";
    const ended = new Promise<Error | undefined>((resolve) => {
      child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ENOENT" ? socatMissing(what, error) : error));
      child.once("close", () => resolve(undefined));
    }).finally(() => gone.abort());
    // Writing into a socat that has just ended is the same as a line that was unplugged.
    child.stdin.on("error", () => child.kill());
    child.stderr.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(-500)));
    child.stdout.on("data", this.#received);
    const stop = (): boolean => child.kill();
    signal.addEventListener("abort", stop, { once: true });
    this.#child = child;
    try {
      const wasReady = await this.#appears(gone.signal);
      if (wasReady) ready();
      else child.kill();
      const [error] = await Promise.all([ended, wasReady ? this.#watch(gone.signal) : undefined]);
      if (error !== undefined) throw error;
      return { wasReady, message: message.trim() };
    } finally {
      signal.removeEventListener("abort", stop);
      this.#child = undefined;
    }
  }

  /** Ends socat when its link has vanished. */
  async #watch(gone: AbortSignal): Promise<void> {
    while (!gone.aborted) {
      try {
        await this.#clock.sleep(lookMs, { signal: gone });
      } catch (error) {
        if (!gone.aborted) throw error;
      }
      if (!gone.aborted && !(await exists(this.path))) this.#child?.kill();
    }
  }

  /** Whether the link comes before socat goes or time is up. */
  async #appears(gone: AbortSignal): Promise<boolean> {
    const limit = this.#clock.monotonic() + startLimitMs;
    while (!gone.aborted && this.#clock.monotonic() < limit) {
      if (await exists(this.path)) return true;
      await this.#clock.sleep(5, { signal: new AbortController().signal });
    }
    return false;
  }
}

/** A simulator that was killed leaves its link behind for a moment. Anything but a link is not ours to remove. */
async function removeStaleLink(path: string, what: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isSymbolicLink()) throw new ConfigError(`${what} ${path}: expected a free path, got one where something else is`);
    await rm(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** These have a meaning in socat's own address language. */
function escaped(path: string): string {
  return path.replace(/[\\,:!"'([{]/g, String.raw`\$&`);
}

function socatMissing(what: string, cause: Error): ConfigError {
  return new ConfigError(`${what} needs the program socat, which is not installed; install it (Debian: apt install socat) or use TCP`, {
    cause,
  });
}
