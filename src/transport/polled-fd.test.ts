import { chmodSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PolledFd } from "./polled-fd.ts";

const never = new AbortController().signal;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sonkrag-test-fd-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("PolledFd", () => {
  it("says what is missing", async () => {
    await expect(PolledFd.open("/dev/hidraw99", { signal: never })).rejects.toMatchObject({
      code: "transport-open",
      message: "cannot open /dev/hidraw99: no such device (ENOENT); is the cable plugged in at both ends?",
      context: { path: "/dev/hidraw99", errno: "ENOENT" },
    });
  });

  it("opens nothing but a device node", async () => {
    await expect(PolledFd.open(directory, { signal: never })).rejects.toMatchObject({ code: "transport-open" });
  });

  it.skipIf(process.getuid?.() === 0)("says which permission is missing", async () => {
    chmodSync(directory, 0);
    await expect(PolledFd.open(join(directory, "x"), { signal: never })).rejects.toThrow("permission denied (EACCES); join the group");
  });

  it("never reads more than its buffer from a device that never runs dry, and follows links", async () => {
    const link = join(directory, "inverter");
    symlinkSync("/dev/zero", link);
    await using device = await PolledFd.open(link, { signal: never });
    const taken = device.take();
    expect(taken.length).toBeGreaterThan(60_000);
    expect(taken.length).toBeLessThanOrEqual(65_536);
    expect(taken.every((byte) => byte === 0)).toBe(true);
  });

  it("takes an end of file for a hang-up and stays lost", async () => {
    await using device = await PolledFd.open("/dev/null", { signal: never });
    const lost = expect.objectContaining({
      code: "transport-lost",
      message: "/dev/null went away: expected bytes or none, got a hang-up",
    }) as Error;
    expect(() => device.take()).toThrow(lost);
    expect(() => device.take()).toThrow(lost);
    expect(() => device.writeNow(Uint8Array.of(1))).toThrow(lost);
  });

  it("tells a refused write from a lost device", async () => {
    await using device = await PolledFd.open("/dev/full", { signal: never });
    await expect(device.writeWhole(Uint8Array.of(1))).rejects.toMatchObject({ code: "transport-write", context: { errno: "ENOSPC" } });
    expect(() => device.writeNow(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: "transport-write" }) as Error);
    expect(device.take().length).toBeGreaterThan(0);
  });
});
