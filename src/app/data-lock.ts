import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { claimPort } from "../transport/claim.ts";

interface LockOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Makes this process the only sonkrag that writes into the folder. Throws ConfigError naming the other one. */
export async function lockDataDir(dataDir: string, options: LockOptions): Promise<AsyncDisposable> {
  return await lockFolder(dataDir, { ...options, path: join(dataDir, "run", "lock"), option: "--data-dir" });
}

/** The same for any folder. `path`: the file that is locked; `option`: how a person chooses another folder. */
export async function lockFolder(
  folder: string,
  { path, option, logger, signal }: LockOptions & { readonly path: string; readonly option: string },
): Promise<AsyncDisposable> {
  const file = await openLockFile(folder, path, option);
  try {
    await claimPort({ fd: file.fd, stats: await file.stat() }, path, { logger, signal });
  } catch (error) {
    await file.close();
    if (!(error instanceof TransportError)) throw error;
    const holders = (error.context["holders"] ?? []) as readonly { readonly pid: number; readonly command: string }[];
    const who = holders.map(({ pid, command }) => `process ${pid} (${command})`).join(", ") || "another process";
    throw new ConfigError(`${folder} is in use by ${who}; stop it, or give this one its own folder with ${option}`, { cause: error });
  }
  return { [Symbol.asyncDispose]: () => file.close() };
}

async function openLockFile(folder: string, path: string, option: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, "a");
  } catch (cause) {
    throw new ConfigError(
      `expected a folder for data that can be written at ${folder}, got ${String(cause)}; choose another one with ${option}`,
      {
        cause,
      },
    );
  }
}
