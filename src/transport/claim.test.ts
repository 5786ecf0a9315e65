import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../model/logger.ts";
import { claimPort } from "./claim.ts";

const signal = new AbortController().signal;
const logger = { ...silentLogger, warn: vi.fn<(message: string, fields?: Readonly<Record<string, unknown>>) => void>() };

describe("claimPort", () => {
  let directory: string;
  let path: string;
  const handles: FileHandle[] = [];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sonkrag-test-claim-"));
    path = join(directory, "port");
    writeFileSync(path, "");
    logger.warn.mockClear();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const child of children.splice(0)) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    for (const handle of handles.splice(0)) await handle.close();
    rmSync(directory, { recursive: true });
  });

  async function port() {
    const handle = await open(path, "r+");
    handles.push(handle);
    return { fd: handle.fd, stats: await handle.stat() };
  }

  it("is silent about a port that is free, and says so when this process has it already", async () => {
    await claimPort(await port(), "the port", { signal, logger });
    expect(logger.warn).not.toHaveBeenCalled();
    await expect(claimPort(await port(), "the port", { signal, logger })).rejects.toThrow(
      "the port is locked by this program itself, which has not got rid of its earlier connection yet",
    );
  });

  it("works without the lock program, says what that costs, and still finds who has the port open", async () => {
    vi.stubEnv("PATH", directory);
    await claimPort(await port(), "the port", { signal, logger });
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("could not be locked"), {
      port: "the port",
      reason: "flock is not installed",
    });
    const intruder = spawn("/bin/sh", ["-c", 'exec 5<"$1"; echo open; exec /bin/cat', "sh", path], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(intruder);
    await once(intruder.stdout, "data");
    await expect(claimPort(await port(), "the port", { signal, logger })).rejects.toMatchObject({
      code: "transport-busy",
      message: expect.stringContaining(`the port is in use by process ${intruder.pid} (/bin/cat); stop it first`) as string,
    });
  });
});
