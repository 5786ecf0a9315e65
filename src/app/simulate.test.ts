import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, readSync, writeSync } from "node:fs";
import { lstat, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeCommand } from "../protocol/encode.ts";
import { FrameDecoder } from "../protocol/frame.ts";
import { parseFaults, simulate, type SimulateOptions } from "./simulate.ts";

const hasSocat = spawnSync("socat", ["-V"]).status === 0;

let folder: string;
let stop: AbortController;
let running: Promise<void>;
let reported: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-simulate-"));
  stop = new AbortController();
  running = Promise.resolve();
  reported = [];
});
afterEach(async () => {
  stop.abort();
  await running;
  await rm(folder, { recursive: true });
});

/** Starts it and gives the addresses once everything listens. */
async function start(options: Omit<SimulateOptions, "report" | "listening">): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    running = simulate({ ...options, report: (line) => reported.push(line), listening: resolve }, stop);
    running.catch(reject);
  });
}

/** Sends a command and gives the payload of the first frame that comes back, and how long that took. */
async function ask(socket: Socket, command: string): Promise<{ body: string; ms: number }> {
  const decoder = new FrameDecoder();
  const began = performance.now();
  socket.write(encodeCommand(command));
  for (;;) {
    const [chunk] = (await once(socket, "data", { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    for (const part of decoder.push(chunk)) if (part.kind === "frame") return { body: part.body, ms: performance.now() - began };
  }
}

async function dial(address: string): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

describe("simulate over TCP", () => {
  it("answers, never sooner than the line could carry it", async () => {
    const [address] = await start({ tcp: 0, baud: 2400 });
    const socket = await dial(address!);
    for (const [command, bytes] of [
      ["QPIGS", 118],
      ["QMOD", 12],
    ] as const) {
      const { ms } = await ask(socket, command);
      expect(ms).toBeGreaterThanOrEqual((bytes * 10_000) / 2400 - 0.5);
    }
    socket.destroy();
  });

  it("takes clients in turn and together; all hear every reply", async () => {
    const [address] = await start({ tcp: 0, baud: 0 });
    const first = await dial(address!);
    expect((await ask(first, "QID")).body).toBe("99999999000001");
    const second = await dial(address!);
    const heard = once(first, "data") as Promise<[Buffer]>;
    expect((await ask(second, "QID")).body).toBe("99999999000001");
    expect((await heard)[0]).toHaveLength(18);
    first.destroy();
    expect((await ask(second, "QPI")).body).toBe("PI30");
    second.destroy();
  });

  it("gives each unit its own port", async () => {
    const addresses = await start({ tcp: 0, baud: 0, units: 3 });
    const serials: string[] = [];
    for (const address of addresses) {
      const socket = await dial(address);
      serials.push((await ask(socket, "QID")).body);
      socket.destroy();
    }
    expect(serials.sort()).toEqual(["99999999000001", "99999999000002", "99999999000003"]);
  });

  it("replays a log and tells its counters at the end", async () => {
    const payload = "233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110";
    const replay = join(folder, "Axpert.log");
    await writeFile(replay, `header\n2020-08-23 17:14:33.243004,${payload}\n`);
    const [address] = await start({ tcp: 0, baud: 0, replay, faults: { echo: 1 } });
    const socket = await dial(address!);
    expect((await ask(socket, "QPIGS")).body).toBe(payload);
    socket.destroy();
    stop.abort();
    await running;
    expect(reported.at(-1)).toBe("requests=1 injected: echo=1");
  });

  it("tells what came that was no inquiry, once, and how much of it there was", async () => {
    const [address] = await start({ tcp: 0, baud: 0, settings: "ignores" });
    const socket = await dial(address!);
    expect((await ask(socket, "POP00")).body).toBe("ACK");
    expect((await ask(socket, "QPIRI")).body.split(" ")[16]).toBe("2");
    process.emit("SIGUSR1");
    expect(reported.at(-3)).toMatch(
      /^\d{4}-\S+Z unit 0 got POP00 \(50 4F 50 30 30 C2 48 0D\): ack, ignored: unit 0: outputSourcePriority = utilityFirst$/,
    );
    socket.destroy();
    stop.abort();
    await running;
    expect(reported.slice(-3)).toEqual([expect.stringContaining("requests=2"), "setters=1 unreadable=0", "requests=2 injected: none"]);
  });

  it("switches the last unit off and on", async () => {
    const addresses = await start({ tcp: 0, baud: 0, units: 2 });
    const socket = await dial(addresses[0]!);
    const exists = async (): Promise<string | undefined> => (await ask(socket, "QPGS1")).body[0];
    const seen = [await exists()];
    for (let turn = 0; turn < 2; turn += 1) {
      process.emit("SIGUSR2");
      seen.push(await exists());
    }
    expect(seen).toEqual(["1", "0", "1"]);
    expect(reported.at(-1)).toBe("unit 1 is switched on");
    socket.destroy();
  });

  it("breaks the connection for a disconnect fault and is there again afterwards", async () => {
    const [address] = await start({ tcp: 0, baud: 0, faults: { disconnect: 1 }, unpluggedMs: 50 });
    for (let round = 0; round < 2; round += 1) {
      const socket = await dial(address!);
      socket.write(encodeCommand("QPI"));
      await once(socket, "close");
      await expect.poll(async () => survives(address!), { timeout: 5000 }).toBe(true);
    }
  });

  it("says what is wrong when it cannot listen", async () => {
    const [address] = await start({ tcp: 0, baud: 0 });
    const taken = Number(new URL(address!).port);
    const { signal } = new AbortController();
    await expect(simulate({ tcp: taken, report: () => undefined }, { signal })).rejects.toMatchObject({ code: "transport-open" });
    await expect(simulate({ report: () => undefined }, { signal })).rejects.toMatchObject({ code: "config-invalid" });
    await expect(simulate({ tcp: 0, replay: join(folder, "none"), report: () => undefined }, { signal })).rejects.toThrow(
      /--replay .*none/,
    );
  });
});

/** Whether a connection is taken and kept for a moment. */
async function survives(address: string): Promise<boolean> {
  const socket = await dial(address);
  const broken = await Promise.race([
    once(socket, "close").then(() => true),
    new Promise<boolean>((resolve) => {
      setTimeout(resolve, 20, false);
    }),
  ]);
  socket.destroy();
  return !broken;
}

function readWhatIsThere(fd: number, into: Buffer): number {
  try {
    const length = readSync(fd, into);
    // Silence is EAGAIN; an empty read means that the pty was hung up.
    if (length === 0) throw new Error("hung up");
    return length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}

describe.skipIf(!hasSocat)("simulate on a pty", () => {
  /** Asks through the port without ever blocking on it. */
  async function askPort(path: string, command: string): Promise<string | undefined> {
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      writeSync(fd, encodeCommand(command));
      const decoder = new FrameDecoder();
      const chunk = Buffer.alloc(512);
      const frame = (): string | undefined => {
        const length = readWhatIsThere(fd, chunk);
        return decoder.push(chunk.subarray(0, length)).flatMap((part) => (part.kind === "frame" ? part.body : []))[0];
      };
      return await vi.waitUntil(frame, { timeout: 10_000, interval: 1 });
    } finally {
      closeSync(fd);
    }
  }

  it("survives clients that close and come again, in place of a stale link", async () => {
    const path = join(folder, "inverter");
    await symlink(join(folder, "nowhere"), path);
    expect(await start({ pty: path, baud: 0 })).toEqual([`serial:${path}`]);
    for (let round = 0; round < 3; round += 1) expect(await askPort(path, "QPI")).toBe("PI30");
    stop.abort();
    await running;
    await expect(lstat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("makes the pty again after it went away", async () => {
    const path = join(folder, "inverter");
    await start({ pty: path, baud: 0, faults: { disconnect: 0.5 }, seed: 2, unpluggedMs: 20 });
    const answers: unknown[] = [];
    while (answers.length < 8) {
      try {
        answers.push(await askPort(path, "QPI"));
      } catch (error) {
        // Unplugged: the link is gone, or it went while we listened.
        answers.push(error);
        await vi.waitUntil(() => existsSync(path), { timeout: 5000, interval: 5 });
      }
    }
    expect(answers).toContain("PI30");
    expect(answers.filter((answer) => answer !== "PI30").length).toBeGreaterThan(0);
  });

  it("does not touch a path where something else is", async () => {
    const path = join(folder, "precious");
    await writeFile(path, "data");
    await expect(simulate({ pty: path, report: () => undefined }, stop)).rejects.toThrow(/precious: expected a free path/);
    expect((await lstat(path)).isFile()).toBe(true);
  });

  it("says when the pty cannot be made", async () => {
    await expect(simulate({ pty: join(folder, "no", "where"), report: () => undefined }, stop)).rejects.toMatchObject({
      code: "transport-open",
    });
  });
});

describe("parseFaults", () => {
  it("reads shares and percentages", () => {
    expect(parseFaults(["corrupt=0.05", "stale=5%", "hang=.001"])).toEqual({ corrupt: 0.05, stale: 0.05, hang: 0.001 });
  });

  it.each(["corrupt", "corrupt=", "rust=0.1", "corrupt=-1", "corrupt=1e9", "=0.5"])("refuses %j", (text) => {
    expect(() => parseFaults([text])).toThrow(/KIND=RATE/);
  });

  it("refuses rates that add up to more than everything", () => {
    expect(() => parseFaults(["corrupt=60%", "stale=60%"])).toThrow(/at most 1/);
  });
});
