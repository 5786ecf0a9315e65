import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../model/logger.ts";
import { ConfigError } from "../model/errors.ts";
import { lockDataDir } from "./data-lock.ts";

const options = { logger: silentLogger, signal: new AbortController().signal };
/** As built by whatever runs the tests. */
const built = fileURLToPath(new URL("../../dist/app/data-lock.js", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Another process that holds the lock until it is killed. */
async function otherProcess(): Promise<{ readonly pid: number; kill(): Promise<void> }> {
  const script = `
    import { lockDataDir } from ${JSON.stringify(built)};
    await lockDataDir(${JSON.stringify(folder)}, {
      logger: { debug() {}, info() {}, warn: console.error, error: console.error },
      signal: new AbortController().signal,
    });
    console.log("locked");
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exit.then(() => Promise.reject(new Error("expected a lock, got the end")))]);
  return {
    pid: child.pid ?? 0,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

test("a second process is refused and told who has it; the lock is gone with a process that is killed with -9", async () => {
  const other = await otherProcess();
  try {
    const second = lockDataDir(folder, options);
    await expect(second).rejects.toThrow(ConfigError);
    await expect(second).rejects.toThrow(
      new RegExp(`^${folder} is in use by process ${other.pid} \\(.*node.*\\); stop it, or give this one its own folder`),
    );
  } finally {
    await other.kill();
  }
  await using lock = await lockDataDir(folder, options);
  expect(lock).toBeDefined();
});

test("the folder is made, and free again when the lock is given up", async () => {
  const dataDir = join(folder, "deep", "data");
  for (let round = 0; round < 3; round++) {
    await using lock = await lockDataDir(dataDir, options);
    expect(lock).toBeDefined();
    await expect(lockDataDir(dataDir, options)).rejects.toThrow(ConfigError);
  }
});

test("two folders do not disturb each other", async () => {
  await using one = await lockDataDir(join(folder, "one"), options);
  await using two = await lockDataDir(join(folder, "two"), options);
  expect(one).not.toBe(two);
});

test("a folder that cannot be used is told in plain words", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(lockDataDir(join(folder, "file"), options)).rejects.toThrow(
    /^expected a folder for data that can be written at .*file, got /,
  );
  await expect(lockDataDir(join(folder, "file"), options)).rejects.toThrow(ConfigError);
});
