import { mkdirSync, mkdtempSync, openSync, closeSync, fstatSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deviceNumber, findHolders, isPseudoTerminal } from "./holders.ts";

const never = new AbortController().signal;
let procRoot: string;

beforeEach(() => {
  procRoot = mkdtempSync(join(tmpdir(), "sonkrag-test-proc-"));
});
afterEach(() => rmSync(procRoot, { recursive: true }));

function processWith(pid: number, files: readonly string[], command: string): void {
  mkdirSync(join(procRoot, String(pid), "fd"), { recursive: true });
  for (const [fd, file] of files.entries()) symlinkSync(file, join(procRoot, String(pid), "fd", String(fd)));
  writeFileSync(join(procRoot, String(pid), "cmdline"), command.replaceAll(" ", "\0") + "\0");
}

describe("findHolders", () => {
  it("names every process that has the device open, and nobody else", async () => {
    processWith(1, ["/dev/null", "/dev/zero"], "/sbin/init");
    processWith(4711, ["/dev/null", "/dev/full"], "python3 LogAxpert.py");
    processWith(4712, ["/dev/full", "/dev/full"], "");
    processWith(4713, ["/gone", "pipe:[1]"], "cat");
    mkdirSync(join(procRoot, "4714")); // another user's: no list of files for us
    mkdirSync(join(procRoot, "self"));
    expect(await findHolders(statSync("/dev/full"), { signal: never, procRoot })).toEqual([
      { pid: 4711, command: "python3 LogAxpert.py" },
      { pid: 4712, command: "unknown program" },
    ]);
  });

  it("shortens long command lines", async () => {
    processWith(5, ["/dev/full"], `java ${"x".repeat(500)}`);
    const [holder] = await findHolders(statSync("/dev/full"), { signal: never, procRoot });
    expect(holder?.command).toMatch(/^java x+…$/);
    expect(holder?.command).toHaveLength(80);
  });

  it("finds this very process, for an ordinary file too", async () => {
    const path = join(procRoot, "lock");
    writeFileSync(path, "");
    const fd = openSync(path, "r");
    try {
      expect((await findHolders(fstatSync(fd), { signal: never })).map(({ pid }) => pid)).toEqual([process.pid]);
    } finally {
      closeSync(fd);
    }
    expect(await findHolders(statSync(path), { signal: never })).toEqual([]);
  });

  it("stops with the signal's reason", async () => {
    processWith(1, [], "init");
    const reason = new Error("enough");
    await expect(findHolders(statSync("/dev/full"), { signal: AbortSignal.abort(reason), procRoot })).rejects.toBe(reason);
  });
});

describe("device numbers", () => {
  it("are read as the kernel prints them", () => {
    expect(deviceNumber(statSync("/dev/null"))).toBe("1:3");
    expect(isPseudoTerminal(statSync("/dev/null"))).toBe(false);
    // Beyond 255 the minor number's upper bits lie above the major number.
    const large = Object.assign(statSync("/dev/null"), { rdev: (0x123 << 8) | 0x45 | (0x6 << 20) });
    expect(deviceNumber(large)).toBe("291:1605");
  });
});
