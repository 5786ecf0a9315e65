import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { TransportError } from "../../src/model/errors.ts";
import type { OpenTransport, Transport } from "../../src/session/transport.ts";
import { ownerProgram, removeOwnerProgram } from "./port-owner-build.ts";

/** One kind of medium with a stand-in for the inverter's end. */
export interface Medium {
  readonly name: string;
  /** Why it cannot be tested on this machine; absent when it can. */
  readonly unavailable?: string;
  /** What the medium carries at a time, filled up with zeros; 1 when bytes cross it as they are. */
  readonly reportSize: number;
  plugIn(): Promise<FarSide>;
}

export interface FarSide extends AsyncDisposable {
  readonly open: OpenTransport;
  /** Puts bytes on the way to the transport. */
  send(bytes: Uint8Array): void;
  /** Everything that has come from the transport since the far side was plugged in. */
  received(): Uint8Array;
  /** Takes the far side away without a word. */
  unplug(): Promise<void>;
  /** Brings it back at the same address. */
  replug(): Promise<void>;
  /** The address for another process; absent when the medium exists inside this process only. */
  readonly url?: string;
  /** The node another program would open; absent when there is none. */
  readonly node?: string;
}

const never = new AbortController().signal;
const allBytes = Uint8Array.from({ length: 256 }, (_, value) => value);

afterAll(removeOwnerProgram);

/** What every Transport must do; run it once for each medium. */
export function transportContract(medium: Medium): void {
  describe.skipIf(medium.unavailable !== undefined)(`transport contract: ${medium.name}${reasonOf(medium)}`, () => {
    let far: FarSide;
    const children: ChildProcess[] = [];

    beforeEach(async () => {
      far = await medium.plugIn();
    });
    afterEach(async () => {
      for (const child of children.splice(0)) await kill(child);
      await far[Symbol.asyncDispose]();
    });

    it("hands over every byte that comes, in any chunking", async () => {
      await using transport = await far.open({ signal: never });
      const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 130 }), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(chunks, async (sent) => {
          for (const chunk of sent) far.send(chunk);
          const expected = carried(sent, medium.reportSize);
          expect(hex(await taken(transport, expected.length))).toBe(hex(expected));
        }),
        { numRuns: 15, examples: [[[allBytes]], [Array.from(allBytes, (value) => Uint8Array.of(value))]] },
      );
    });

    it("brings every byte to the other end, in any chunking", async () => {
      await using transport = await far.open({ signal: never });
      const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 26 }), { minLength: 1, maxLength: 4 });
      let before = 0;
      await fc.assert(
        fc.asyncProperty(chunks, async (sent) => {
          for (const chunk of sent) await transport.write(chunk, { signal: never });
          const expected = carried(sent, medium.reportSize);
          await until(() => far.received().length >= before + expected.length, "the bytes at the other end");
          expect(hex(far.received().subarray(before))).toBe(hex(expected));
          before += expected.length;
        }),
        { numRuns: 5, examples: [[[allBytes.subarray(0, 128)]], [[allBytes.subarray(128)]]] },
      );
    });

    it("hands over at once what has come, and nothing twice", async () => {
      await using transport = await far.open({ signal: never });
      far.send(allBytes);
      await taken(transport, allBytes.length);
      const looks = Array.from({ length: 20 }, () => {
        const before = performance.now();
        expect(transport.take()).toHaveLength(0);
        return performance.now() - before;
      });
      // The fastest look, because a busy machine slows any of them; one that waits slows all.
      expect(Math.min(...looks)).toBeLessThan(2);
    });

    it("reports the loss within 100 ms, and again whenever it is asked", async () => {
      await using transport = await far.open({ signal: never });
      await far.unplug();
      const lost = expect.objectContaining({ code: "transport-lost", retry: "reconnect" }) as Error;
      // 50 looks, 2 ms apart; counted, because the clock runs on while a busy machine runs others.
      let looks = 0;
      await expect(until(() => transport.take().length > 0 || ++looks >= 50, "the loss")).rejects.toThrow(lost);
      expect(() => transport.take()).toThrow(lost);
    });

    it("rejects writes after the loss", async () => {
      await using transport = await far.open({ signal: never });
      await far.unplug();
      // The first bytes may still find room in a queue on this machine.
      const writes = async (): Promise<void> => {
        for (let attempt = 0; attempt < 200; attempt++) {
          await transport.write(Uint8Array.of(1, 2, 3), { signal: never });
          await sleep(5);
        }
      };
      const failure = await writes().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TransportError);
      expect(["transport-lost", "transport-write"]).toContain((failure as TransportError).code);
    });

    it("opens again when the medium is back", async () => {
      const first = await far.open({ signal: never });
      await far.unplug();
      await expect(taken(first, 1)).rejects.toThrow(TransportError);
      await first[Symbol.asyncDispose]();
      await expect(far.open({ signal: never })).rejects.toMatchObject({ code: "transport-open" });
      await far.replug();
      await using second = await far.open({ signal: never });
      far.send(allBytes);
      expect(hex(await taken(second, allBytes.length))).toBe(hex(allBytes));
    });

    it("closes once, rejects what comes after, and leaves the port free", async () => {
      const transport = await far.open({ signal: never });
      await Promise.all([transport[Symbol.asyncDispose](), transport[Symbol.asyncDispose]()]);
      await transport[Symbol.asyncDispose]();
      expect(() => transport.take()).toThrow(TransportError);
      await expect(transport.write(Uint8Array.of(1), { signal: never })).rejects.toThrow(TransportError);
      await using again = await far.open({ signal: never });
      expect(again.take()).toHaveLength(0);
    });

    it("rejects with the signal's own reason before it does anything", async () => {
      const reason = new Error("not any more");
      const signal = AbortSignal.abort(reason);
      await expect(far.open({ signal })).rejects.toBe(reason);
      await using transport = await far.open({ signal: never });
      await expect(transport.write(Uint8Array.of(1, 2, 3), { signal })).rejects.toBe(reason);
      await transport.write(Uint8Array.of(9), { signal: never });
      await until(() => far.received().length >= medium.reportSize, "the later byte");
      expect(hex(far.received())).toBe(hex(carried([Uint8Array.of(9)], medium.reportSize)));
    });

    it("refuses a second owner in this process", async () => {
      await using transport = await far.open({ signal: never });
      await expect(far.open({ signal: never })).rejects.toMatchObject({ code: "transport-busy" });
      far.send(allBytes);
      expect(hex(await taken(transport, allBytes.length))).toBe(hex(allBytes));
    });

    it("names the other copy of this program that owns the port, and opens as soon as that one is killed", async ({ skip }) => {
      if (far.url === undefined) return skip("the medium does not leave this process");
      const owner = spawn(process.execPath, [await ownerProgram(), far.url], { stdio: ["pipe", "pipe", "inherit"] });
      children.push(owner);
      expect(await firstLine(owner)).toBe("open");
      await expect(far.open({ signal: never })).rejects.toMatchObject({
        code: "transport-busy",
        message: expect.stringContaining(`process ${owner.pid} (`) as string,
      });
      await kill(owner);
      await using transport = await far.open({ signal: never });
      await transport.write(Uint8Array.of(1), { signal: never });
      return undefined;
    });

    it("keeps other copies of this program out", async ({ skip }) => {
      if (far.url === undefined) return skip("the medium does not leave this process");
      await using transport = await far.open({ signal: never });
      const rival = spawn(process.execPath, [await ownerProgram(), far.url], { stdio: ["pipe", "pipe", "inherit"] });
      children.push(rival);
      expect(await firstLine(rival)).toContain(`transport-busy`);
      transport.take();
      return undefined;
    });

    it("names a foreign program that has the device open", async ({ skip }) => {
      if (far.node === undefined) return skip("the medium has no device node");
      const intruder = spawn("sh", ["-c", 'exec 5<>"$1"; echo open; exec sleep 60', "sh", far.node], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(intruder);
      expect(await firstLine(intruder)).toBe("open");
      await expect(far.open({ signal: never })).rejects.toMatchObject({
        code: "transport-busy",
        message: expect.stringMatching(new RegExp(`process ${intruder.pid} \\(s`)) as string,
      });
      await kill(intruder);
      await using transport = await far.open({ signal: never });
      expect(transport.take()).toHaveLength(0);
      return undefined;
    });
  });
}

/** Polls until the condition holds; fails with what was awaited after two seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 2000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`expected ${what} within 2 s`);
    await sleep(2);
  }
}

/** Chunks as a medium with reports of this size carries them. */
function carried(chunks: readonly Uint8Array[], reportSize: number): Uint8Array {
  return Buffer.concat(chunks.map((chunk) => Buffer.concat([chunk], Math.ceil(chunk.length / reportSize) * reportSize)));
}

async function taken(transport: Transport, length: number): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  await until(() => {
    bytes = Buffer.concat([bytes, transport.take()]);
    return bytes.length >= length;
  }, `${length} bytes`);
  return bytes;
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (more: string) => (text += more));
  await until(() => text.includes("\n"), "a line from the other process");
  return text.slice(0, text.indexOf("\n"));
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function reasonOf(medium: Medium): string {
  return medium.unavailable === undefined ? "" : ` (skipped: ${medium.unavailable})`;
}
