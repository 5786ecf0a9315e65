import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NotRunningError } from "../model/errors.ts";

/** Where a running sonkrag can be reached; written by it for `sonkrag status` and the like. */
export interface RuntimeInfo {
  readonly pid: number;
  readonly version: string;
  /** UTC epoch milliseconds. */
  readonly startedAt: number;
  /** Base URL of the page and its HTTP interface; absent when it is off. */
  readonly http?: string;
  /** Path of the local socket, for programs of the same user; absent when there was no place for one. */
  readonly socket?: string;
  /** URL of the broker that is published to; absent when MQTT is off. */
  readonly mqtt?: string;
}

export function runtimeFilePath(dataDir: string): string {
  return join(dataDir, "run", "sonkrag.json");
}

/** Writes the file; disposing removes it, unless another process has written its own meanwhile. */
export async function writeRuntimeFile(dataDir: string, info: RuntimeInfo): Promise<AsyncDisposable> {
  const path = runtimeFilePath(dataDir);
  await mkdir(dirname(path), { recursive: true });
  // A reader must never see half of it.
  const part = `${path}.${info.pid}`;
  await writeFile(part, `${JSON.stringify(info)}\n`);
  await rename(part, path);
  return {
    async [Symbol.asyncDispose]() {
      const there = await readRuntimeFile(dataDir);
      if (there?.pid === info.pid) await rm(path, { force: true });
    },
  };
}

/** What the last started sonkrag wrote; absent if there is none. It may have been killed since: only an answer proves that it runs. Throws NotRunningError when it may not be read. */
export async function readRuntimeFile(dataDir: string): Promise<RuntimeInfo | undefined> {
  const path = runtimeFilePath(dataDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["ENOENT", "ENOTDIR"].includes(code)) return undefined;
    throw new NotRunningError(`${path}: expected to read there where sonkrag can be reached, got ${code}`, { cause: error });
  }
  try {
    return JSON.parse(text) as RuntimeInfo;
  } catch {
    return undefined; // torn by a power cut: as good as none
  }
}
