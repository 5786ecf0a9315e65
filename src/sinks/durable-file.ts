import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createGzip, gunzipSync } from "node:zlib";

const firstLineBytes = 16_384;

/** One write call; a short one, as on a full disk, is an error. Returns the bytes written. */
export async function writeLine(handle: FileHandle, line: string): Promise<number> {
  const bytes = Buffer.from(`${line}\n`, "latin1");
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten !== bytes.length) {
    throw Object.assign(new Error(`expected ${bytes.length} bytes to be written, got ${bytesWritten}`), { code: "ENOSPC" });
  }
  return bytes.length;
}

/** The first line as Latin-1 text, or what there is of it in the first 16 kB; of a `.gz` file that of its content. */
export async function readFirstLine(path: string): Promise<string> {
  await using handle = await open(path, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(firstLineBytes), 0, firstLineBytes, 0);
  const start = buffer.subarray(0, bytesRead);
  const bytes = path.endsWith(".gz") ? startOfContent(start) : start;
  return bytes.toString("latin1", 0, firstLineBytes).split("\n", 1)[0] ?? "";
}

function startOfContent(startOfGzip: Buffer): Buffer {
  try {
    return gunzipSync(startOfGzip, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    // No gzip file, whatever its name says.
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) return Buffer.alloc(0);
    throw error;
  }
}

/** Makes a new name itself survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

/**
 * Replaces a file by `<path>.gz`, once that is on the disk. False where a `.gz` with other content is there already, and
 * both stay. A file that grows meanwhile stays too.
 */
export async function compressFile(path: string, { signal }: { readonly signal: AbortSignal }): Promise<boolean> {
  const target = `${path}.gz`;
  const before = await stat(path);
  if (await exists(target)) {
    if (!(await sameContent(path, target, signal))) return false;
  } else {
    const unfinished = `${target}.tmp`;
    try {
      await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { flush: true }), { signal });
      if ((await stat(path)).size !== before.size) return true;
      await rename(unfinished, target);
      await syncFolder(dirname(path));
    } finally {
      await rm(unfinished, { force: true });
    }
  }
  await rm(path);
  return true;
}

/** Whether there is such a file. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether the error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function sameContent(path: string, compressedPath: string, signal: AbortSignal): Promise<boolean> {
  const hashOf = async (compressed: boolean): Promise<string> => {
    const hash = createHash("sha256");
    const source = createReadStream(compressed ? compressedPath : path);
    await (compressed ? pipeline(source, createGunzip(), hash, { signal }) : pipeline(source, hash, { signal }));
    return hash.digest("hex");
  };
  return (await hashOf(false)) === (await hashOf(true));
}
