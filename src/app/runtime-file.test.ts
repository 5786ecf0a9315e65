import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NotRunningError } from "../model/errors.ts";
import { runningUrl } from "./running.ts";
import { readRuntimeFile, runtimeFilePath, writeRuntimeFile, type RuntimeInfo } from "./runtime-file.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sonkrag-run-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true });
});

const info: RuntimeInfo = { pid: 12, version: "1.2.3", startedAt: 1, http: "http://127.0.0.1:8480/" };

it("is there while it is held, whole and alone in its folder", async () => {
  {
    await using held = await writeRuntimeFile(dataDir, info);
    expect(held).toBeDefined();
    expect(await readRuntimeFile(dataDir)).toEqual(info);
    expect(await readdir(join(dataDir, "run"))).toEqual(["sonkrag.json"]);
    expect(await runningUrl(dataDir)).toBe("http://127.0.0.1:8480/");
  }
  expect(await readRuntimeFile(dataDir)).toBeUndefined();
  await expect(runningUrl(dataDir)).rejects.toThrow(NotRunningError);
});

it("of another process is left alone", async () => {
  const first = await writeRuntimeFile(dataDir, info);
  await using second = await writeRuntimeFile(dataDir, { ...info, pid: 13 });
  await first[Symbol.asyncDispose]();
  expect(second).toBeDefined();
  expect((await readRuntimeFile(dataDir))?.pid).toBe(13);
});

it("that is torn counts as none", async () => {
  await using held = await writeRuntimeFile(dataDir, info);
  expect(held).toBeDefined();
  await writeFile(runtimeFilePath(dataDir), '{"pid":12,"ver');
  expect(await readRuntimeFile(dataDir)).toBeUndefined();
});

it("without an address says why nothing can be asked", async () => {
  const { http: _, ...silent } = info;
  await using held = await writeRuntimeFile(dataDir, silent);
  expect(held).toBeDefined();
  await expect(runningUrl(dataDir)).rejects.toThrow(/process 12.*http\.enabled: false/);
});
