import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { claimPort } from "../transport/claim.ts";

/** Makes this process the only sonkrag that writes into the folder. Throws ConfigError naming the other one. */
export async function lockDataDir(
  dataDir: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<AsyncDisposable> {
  const path = join(dataDir, "run", "lock");
  const file = await openLockFile(dataDir, path);
  try {
    await claimPort({ fd: file.fd, stats: await file.stat() }, path, { logger, signal });
  } catch (error) {
    await file.close();
    if (!(error instanceof TransportError)) throw error;
    const holders = (error.context["holders"] ?? []) as readonly { readonly pid: number; readonly command: string }[];
    const who = holders.map(({ pid, command }) => `process ${pid} (${command})`).join(", ") || "another process";
    throw new ConfigError(`${dataDir} is in use by ${who}; stop it, or give this one its own folder with --data-dir`, { cause: error });
  }
  return { [Symbol.asyncDispose]: () => file.close() };
}

async function openLockFile(dataDir: string, path: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, "a");
  } catch (cause) {
    throw new ConfigError(
      `expected a folder for data that can be written at ${dataDir}, got ${String(cause)}; choose another one with --data-dir`,
      { cause },
    );
  }
}
