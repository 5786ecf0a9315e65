import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { until } from "../../test/contract/transport.contract.ts";
import { TransportError } from "../model/errors.ts";
import { openTcp } from "./tcp.ts";

const never = new AbortController().signal;

describe("openTcp", () => {
  let server: Server;
  let port: number;
  let lockDirectory: string;

  beforeEach(async () => {
    lockDirectory = mkdtempSync(join(tmpdir(), "sonkrag-test-lock-"));
    server = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => undefined)); // the transport leaves without a word
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as { port: number });
  });
  afterEach(() => {
    server.close();
    rmSync(lockDirectory, { recursive: true });
  });

  const at = (host: string) => ({ kind: "tcp", host, port, baud: 9600 }) as const;

  it("hands over the last bytes before it reports that the other side has closed", async () => {
    server.once("connection", (socket) => socket.end("(last\r"));
    await using transport = await openTcp(at("127.0.0.1"), { signal: never, lockDirectory });
    expect(transport.wire).toEqual({ byteMs: 10_000 / 9600, certain: false, chunkBytes: 1 });
    // Only when the loss is known to the writer is the order proved.
    await vi.waitFor(() => expect(transport.write(Uint8Array.of(1), { signal: never })).rejects.toThrow(TransportError), { timeout: 2000 });
    expect(Buffer.from(transport.take()).toString()).toBe("(last\r");
    expect(() => transport.take()).toThrow(`tcp://127.0.0.1:${port}?baud=9600 went away: the other side closed the connection`);
  });

  it("leaves with the sender what nobody takes, and loses none of it", async () => {
    const sent = Buffer.alloc(8_000_000, "0123456789");
    server.once("connection", (socket) => socket.write(sent));
    await using transport = await openTcp(at("127.0.0.1"), { signal: never, lockDirectory });
    const parts: Uint8Array[] = [];
    let largest = 0;
    await until(() => {
      const part = transport.take();
      largest = Math.max(largest, part.length);
      parts.push(part);
      return parts.reduce((sum, each) => sum + each.length, 0) >= sent.length;
    }, "all bytes");
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    expect(largest).toBeLessThan(200_000);
  });

  it("is one port under all its names", async () => {
    await using first = await openTcp(at("127.0.0.1"), { signal: never, lockDirectory });
    await expect(openTcp(at("localhost"), { signal: never, lockDirectory })).rejects.toMatchObject({ code: "transport-busy" });
    expect(first.take()).toHaveLength(0);
  });

  it.runIf(process.platform === "linux")("is one port for programs that do not share a folder for their locks", async () => {
    const other = mkdtempSync(join(tmpdir(), "sonkrag-test-lock-"));
    try {
      const first = await openTcp(at("127.0.0.1"), { signal: never, lockDirectory });
      await expect(openTcp(at("127.0.0.1"), { signal: never, lockDirectory: other })).rejects.toMatchObject({
        code: "transport-busy",
        message: expect.stringMatching(/is in use by this program itself/) as string,
      });
      await first[Symbol.asyncDispose]();
      await using again = await openTcp(at("127.0.0.1"), { signal: never, lockDirectory: other });
      expect(again.take()).toHaveLength(0);
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it("says that nobody listens, and leaves no lock behind", async () => {
    server.close();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(openTcp(at("127.0.0.1"), { signal: never, lockDirectory })).rejects.toMatchObject({
        code: "transport-open",
        message: expect.stringContaining("ECONNREFUSED; is the bridge on and the address right?") as string,
      });
    }
  });

  it("says that a name does not resolve", async () => {
    await expect(openTcp(at("no-such-bridge.invalid"), { signal: never, lockDirectory })).rejects.toMatchObject({
      code: "transport-open",
      message: expect.stringContaining("the name no-such-bridge.invalid could not be resolved") as string,
    });
  });

  it("gives up when the signal fires on the way", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const attempt = openTcp(at("127.0.0.1"), { signal: controller.signal, lockDirectory });
    controller.abort(reason);
    await expect(attempt).rejects.toBe(reason);
  });

  it("gives up after five seconds by itself", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const attempt = openTcp(at("127.0.0.1"), { signal: never, lockDirectory });
      vi.advanceTimersByTime(5000);
      await expect(attempt).rejects.toMatchObject({
        code: "transport-open",
        message: expect.stringContaining("no connection within 5 s") as string,
      });
    } finally {
      vi.useRealTimers();
    }
  });
});
