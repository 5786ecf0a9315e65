import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NotRunningError, RefusedError, TransportError } from "../model/errors.ts";
import { silentLogger } from "../model/logger.ts";
import { DaemonClient } from "./daemon-client.ts";
import type { Methods } from "./local-protocol.ts";
import { LocalSocket, mostRequestBytes } from "./local-socket.ts";
import { writeRuntimeFile } from "./runtime-file.ts";

const { signal } = new AbortController();
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sonkrag-socket-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const open = async (methods: Methods = {}): Promise<LocalSocket> =>
  await LocalSocket.open({ dataDir, version: "1.2.3", methods, logger: silentLogger });

/** The socket, announced as a running program announces it. */
async function announced(methods: Methods = {}): Promise<AsyncDisposable> {
  const socket = await open(methods);
  const file = await writeRuntimeFile(dataDir, { pid: process.pid, version: "1.2.3", startedAt: 0, socket: socket.path });
  return {
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]();
      await socket[Symbol.asyncDispose]();
    },
  };
}

/** Sends bytes, ends, and returns what comes back until the other side ends too. */
async function exchange(path: string, ...chunks: readonly (string | Uint8Array)[]): Promise<unknown[]> {
  const socket = connect({ path, allowHalfOpen: true });
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  await once(socket, "connect");
  for (const chunk of chunks) await new Promise((resolve) => socket.write(chunk, resolve));
  socket.end();
  await once(socket, "close");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}

describe("LocalSocket", () => {
  it("says who it is and what it can do", async () => {
    await using socket = await open({ twice: async () => 2 });
    expect(await exchange(socket.path, '{"id":1,"method":"hello"}\n')).toEqual([
      { id: 1, result: { name: "sonkrag", protocol: 1, version: "1.2.3", pid: process.pid, methods: ["hello", "twice"] } },
    ]);
  });

  it("hands over parts before the result, and stops when nobody listens any more", async () => {
    let stopped: (() => void) | undefined;
    const isStopped = new Promise<void>((resolve) => (stopped = resolve));
    await using _program = await announced({
      count: async (_, { more }) => {
        for (const part of [0, "two", { three: 3 }]) more?.(part);
        return "done";
      },
      endless: async (_, { signal: gone, more }) => {
        more?.("first");
        await once(gone, "abort");
        stopped?.();
      },
    });
    const parts: unknown[] = [];
    {
      await using client = await DaemonClient.open(dataDir, { signal });
      expect(await client.call("count", undefined, { signal, more: (part) => parts.push(part) })).toBe("done");
      expect(parts).toEqual([0, "two", { three: 3 }]);
      // Who does not care for the parts gets the result all the same.
      expect(await client.call("count", undefined, { signal })).toBe("done");
      const enough = new AbortController();
      const call = client.call("endless", undefined, { signal: enough.signal, more: () => enough.abort(new Error("enough")) });
      await expect(call).rejects.toThrow("enough");
    }
    await isStopped;
  });

  it("may be opened by its owner alone, whatever the umask is", async () => {
    const before = process.umask(0);
    try {
      await using socket = await open();
      expect((await stat(socket.path)).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it("answers a method with its result or its error, under the id of the request", async () => {
    await using socket = await open({
      add: async (params) => (params as number[]).reduce((sum, each) => sum + each),
      nothing: async () => undefined,
      refuse: async () => {
        throw new TransportError("link-down", "the cable", { context: { sent: true } });
      },
      stumble: async () => {
        throw new Error("a mistake");
      },
    });
    const lines = [
      { id: "a", method: "add", params: [1, 2] },
      { id: 2, method: "nothing" },
      { id: 3, method: "refuse" },
      { id: 4, method: "stumble" },
    ];
    const answers = await exchange(socket.path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(answers).toHaveLength(4);
    expect(answers).toEqual(
      expect.arrayContaining([
        { id: "a", result: 3 },
        { id: 2, result: null },
        { id: 3, error: { code: "link-down", message: "the cable", retry: "reconnect", context: { sent: true } } },
        { id: 4, error: { code: "daemon-failed", message: "a mistake", retry: "never" } },
      ]),
    );
  });

  it.each([
    ["no JSON", "GET / HTTP/1.1\n", /expected one JSON object a line/],
    ["no object", "42\n", /expected \{"id"/],
    ["no id", '{"method":"hello"}\n', /expected \{"id"/],
    ["bytes of no text", Uint8Array.of(0xff, 0x00, 0x28, 0x0a), /expected one JSON object a line/],
    ["a method of every object", '{"id":1,"method":"toString"}\n', /expected one of hello, got the method "toString"/],
    ["a method of no object", '{"id":1,"method":"__proto__"}\n', /expected one of hello/],
  ])("answers %s with an error and goes on", async (_, garbage, message) => {
    await using socket = await open();
    const [first, second, ...others] = await exchange(socket.path, garbage, "\n", '{"id":9,"method":"hello"}\n');
    expect(first).toMatchObject({ error: { code: "request-invalid", message: expect.stringMatching(message) as string } });
    expect(second).toMatchObject({ id: 9, result: { name: "sonkrag" } });
    expect(others).toEqual([]);
  });

  it("takes requests in any pieces, and several at once", async () => {
    await using socket = await open({ echo: async (params) => params });
    const line = `${JSON.stringify({ id: 7, method: "echo", params: "Überschuß ☀" })}\n`;
    const bytes = Buffer.from(line.repeat(3));
    const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(await exchange(socket.path, ...pieces)).toEqual(Array.from({ length: 3 }, () => ({ id: 7, result: "Überschuß ☀" })));
  });

  it("lets a client go that never ends its line", async () => {
    await using socket = await open();
    expect(await exchange(socket.path, "x".repeat(mostRequestBytes + 1))).toEqual([
      { id: null, error: expect.objectContaining({ code: "request-invalid" }) as unknown },
    ]);
  });

  it("works on a few requests of a client at a time and forgets none", async () => {
    let atOnce = 0;
    let most = 0;
    await using socket = await open({
      wait: async (params) => {
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        return params;
      },
    });
    const requests = Array.from({ length: 500 }, (_, id) => `${JSON.stringify({ id, method: "wait", params: id })}\n`);
    const answers = await exchange(socket.path, requests.join(""));
    expect(new Set(answers.map((answer) => (answer as { result: number }).result)).size).toBe(500);
    expect(most).toBeLessThanOrEqual(16);
  });

  it("gives up what nobody waits for any more", async () => {
    const seen = new EventEmitter();
    await using socket = await open({
      wait: async (_, { signal: gone }) => {
        seen.emit("asked");
        await once(gone, "abort");
        seen.emit("given up", gone.reason);
      },
    });
    const client = connect(socket.path);
    const asked = once(seen, "asked");
    const givenUp = once(seen, "given up");
    client.write('{"id":1,"method":"wait"}\n');
    await asked;
    client.destroy();
    expect(await givenUp).toMatchObject([{ message: "the program that asked has gone" }]);
  });

  it("takes the place of a socket that was left behind, and leaves none behind", async () => {
    const path = join(dataDir, "run", "sonkrag.sock");
    await mkdir(join(dataDir, "run"));
    await writeFile(path, "left behind");
    {
      await using socket = await open();
      expect(socket.path).toBe(path);
      expect(await exchange(path, '{"id":1,"method":"hello"}\n')).toHaveLength(1);
    }
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("finds another place where the data folder cannot hold a socket", async () => {
    const deep = join(dataDir, "x".repeat(100));
    const socket = await LocalSocket.open({ dataDir: deep, version: "1", methods: {}, logger: silentLogger });
    expect(await exchange(socket.path, '{"id":1,"method":"hello"}\n')).toHaveLength(1);
    await socket[Symbol.asyncDispose]();
    await expect(stat(socket.path)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("DaemonClient", () => {
  it("calls methods side by side and gets each one's answer", async () => {
    await using _daemon = await announced({
      later: async (params) => {
        await new Promise((resolve) => setTimeout(resolve, Number(params)));
        return params;
      },
    });
    await using client = await DaemonClient.open(dataDir, { signal });
    expect(client.daemon).toMatchObject({ version: "1.2.3", methods: ["hello", "later"] });
    const answers = [20, 1, 10].map(async (ms) => await client.call("later", ms, { signal }));
    expect(await Promise.all(answers)).toEqual([20, 1, 10]);
  });

  it("rejects with the error of the other side", async () => {
    await using _daemon = await announced({
      refuse: async () => {
        throw new RefusedError("command-unknown", "expected a command, got X");
      },
    });
    await using client = await DaemonClient.open(dataDir, { signal });
    await expect(client.call("refuse", undefined, { signal })).rejects.toMatchObject({
      code: "command-unknown",
      message: "expected a command, got X",
      retry: "never",
    });
    await expect(client.call("nothing", undefined, { signal })).rejects.toMatchObject({ code: "request-invalid" });
  });

  it("says that none runs, or that it has ended", async () => {
    await expect(DaemonClient.open(dataDir, { signal })).rejects.toThrow(NotRunningError);
    await expect(DaemonClient.open(dataDir, { signal })).rejects.toThrow("found none");
    await using _file = await writeRuntimeFile(dataDir, {
      pid: 4711,
      version: "1",
      startedAt: 0,
      socket: join(dataDir, "run", "sonkrag.sock"),
    });
    await expect(DaemonClient.open(dataDir, { signal })).rejects.toThrow("found that it has ended (process 4711)");
  });

  it("rejects what is under way when the other side goes away", async () => {
    const daemon = await announced({
      wait: async (_, { signal: gone }) => {
        await once(gone, "abort");
      },
    });
    await using client = await DaemonClient.open(dataDir, { signal });
    const answer = client.call("wait", undefined, { signal });
    await Promise.all([expect(answer).rejects.toMatchObject({ code: "not-running" }), daemon[Symbol.asyncDispose]()]);
    await expect(client.call("wait", undefined, { signal })).rejects.toMatchObject({ code: "not-running" });
  });

  it("gives up one call and keeps the connection", async () => {
    await using _daemon = await announced({
      wait: async (_, { signal: gone }) => {
        await once(gone, "abort");
      },
    });
    await using client = await DaemonClient.open(dataDir, { signal });
    const impatient = new AbortController();
    const answer = client.call("wait", undefined, { signal: impatient.signal });
    impatient.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
    expect(await client.call("hello", undefined, { signal })).toMatchObject({ name: "sonkrag" });
  });

  it("does not take something else for sonkrag", async () => {
    const path = join(dataDir, "other.sock");
    const other = createServer((socket) => socket.end("220 mail.example.org\n"));
    other.listen(path);
    await once(other, "listening");
    await using _file = await writeRuntimeFile(dataDir, { pid: 1, version: "1", startedAt: 0, socket: path });
    await expect(DaemonClient.open(dataDir, { signal })).rejects.toMatchObject({ code: "not-running" });
    other.close();
  });
});
