import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PseudoTerminal, serialMedium } from "../../test/contract/media.ts";
import { openSerial } from "./serial.ts";

const never = new AbortController().signal;

describe.skipIf(serialMedium.unavailable !== undefined)("openSerial", () => {
  const terminal = new PseudoTerminal();
  afterAll(() => terminal[Symbol.asyncDispose]());
  beforeEach(() => terminal.plugIn());
  afterEach(async () => {
    vi.unstubAllEnvs();
    await terminal.unplug();
  });

  it.each([2400, 9600, 115_200])("sets the port to %d baud 8N1, raw, without flow control", async (baud) => {
    await using transport = await openSerial({ kind: "serial", path: terminal.link, baud }, { signal: never });
    // A pseudo-terminal is no wire: how fast its far end answers is unknown.
    expect(transport.wire).toEqual({ byteMs: 10_000 / baud, certain: false, chunkBytes: 1 });
    expect(transport.address).toBe(baud === 2400 ? `serial:${terminal.link}` : `serial:${terminal.link}?baud=${baud}`);
    const settings = execFileSync("stty", ["-F", terminal.link, "-a"], { encoding: "utf8" });
    expect(settings).toContain(`speed ${baud} baud`);
    const words = settings.split(/[\s;]+/);
    for (const word of [
      "cs8",
      "-parenb",
      "-cstopb",
      "-crtscts",
      "-ixon",
      "-ixoff",
      "-icanon",
      "-echo",
      "-opost",
      "-isig",
      "-icrnl",
      "-hupcl",
      "clocal",
    ]) {
      expect(words).toContain(word);
    }
    expect(settings).toContain("min = 1; time = 0");
  });

  it("says which program is missing", async () => {
    vi.stubEnv("PATH", "/nowhere");
    await expect(openSerial({ kind: "serial", path: terminal.link, baud: 2400 }, { signal: never })).rejects.toMatchObject({
      code: "transport-open",
      message: expect.stringContaining("expected the program stty, found none; install coreutils") as string,
    });
    vi.unstubAllEnvs();
    await using transport = await openSerial({ kind: "serial", path: terminal.link, baud: 2400 }, { signal: never });
    expect(transport.take()).toHaveLength(0);
  });

  it("says so when the path is a device but no serial port", async () => {
    await expect(openSerial({ kind: "serial", path: "/dev/zero", baud: 2400 }, { signal: never })).rejects.toMatchObject({
      code: "transport-open",
      message: expect.stringMatching(/cannot set up \/dev\/zero for 2400 baud 8N1: .*; is it a serial port\?/s) as string,
    });
  });

  it("waits while the port takes no more, and lets go when the signal fires", async () => {
    await using transport = await openSerial({ kind: "serial", path: terminal.link, baud: 2400 }, { signal: never });
    terminal.freeze();
    const controller = new AbortController();
    const write = transport.write(new Uint8Array(1_000_000), { signal: controller.signal });
    const outcome = write.then(
      () => "taken",
      (error: unknown) => error,
    );
    // Of a frozen program no answer can be awaited: a few rounds of the full queue's pause must go by without an outcome.
    await expect(Promise.race([outcome, sleep(50, "still waiting")])).resolves.toBe("still waiting");
    controller.abort();
    await expect(outcome).resolves.toBe(controller.signal.reason);
  });
});
