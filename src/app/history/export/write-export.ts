import { access, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigError, SinkError } from "../../../model/errors.ts";
import type { StartedExport } from "./start-export.ts";

/**
 * Writes an export to a file that is there only when it is whole. Throws ConfigError where there is one already that must not be
 * replaced, SinkError when it cannot be written.
 */
export async function writeExport(
  file: string,
  { chunks }: Pick<StartedExport, "chunks">,
  { replace }: { readonly replace: boolean },
): Promise<{ readonly bytes: number }> {
  await mustBeFree(file, replace);
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  let bytes = 0;
  try {
    await using handle = await opened(beside, file);
    for await (const chunk of chunks) {
      await told(file, handle.writeFile(chunk));
      bytes += chunk.length;
    }
    await told(file, handle.sync());
    await mustBeFree(file, replace);
    await told(file, rename(beside, file));
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  return { bytes };
}

/** Throws ConfigError where a file is there that must not be replaced. */
export async function mustBeFree(file: string, replace: boolean): Promise<void> {
  if (replace) return;
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) throw new ConfigError(`${file}: expected no file there, got one; it is replaced only if told so (--force)`);
}

async function opened(beside: string, file: string): Promise<Awaited<ReturnType<typeof open>>> {
  return await told(file, open(beside, "w"));
}

async function told<Result>(file: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    throw new SinkError(`${file}: could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
