import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { planOf } from "../../src/app/plan.ts";
import { SharedPort } from "../../src/app/shared-port.ts";
import { silentLogger } from "../../src/model/logger.ts";
import type { Outcome } from "../../src/model/control.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { encodeCommand } from "../../src/protocol/encode.ts";
import { FrameDecoder, hex } from "../../src/protocol/frame.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { findSetting } from "../../src/protocol/pi30/settings/catalogue.ts";
import type { Clock } from "../../src/session/clock.ts";
import { UnitControl } from "../../src/session/control.ts";
import { Line } from "../../src/session/line.ts";
import { Unit } from "../../src/session/unit.ts";
import { Simulation } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { cli } from "../integration/cli.ts";
import { eventually } from "../support/readings.ts";
import { inverterOf, latestAt, servePty, startProgram, temporaryFolder } from "../support/service.ts";

const epoch = Date.UTC(2026, 0, 1);
const minute = 60_000;
const day = 86_400_000;
const pollMs = 5000;

/** A virtual clock that has been running for long already, and can be moved on. */
class OldClock implements Clock {
  readonly #virtual = new VirtualClock(epoch);
  #offset = 0;

  now(): number {
    return Math.floor(epoch + this.monotonic());
  }

  monotonic(): number {
    return this.#virtual.monotonic() + this.#offset;
  }

  async sleep(ms: number, how: { readonly signal: AbortSignal }): Promise<void> {
    await this.#virtual.sleep(ms, how);
  }

  jumpTo(monotonic: number): void {
    this.#offset += monotonic - this.monotonic();
  }
}

describe("everyone wants the port", () => {
  it("of an inverter that is polled for sixty days, over 2^31 and 2^32 ms: frames never interleave, nobody waits for long", async () => {
    const clock = new OldClock();
    const simulation = new Simulation({ clock, inverter: { stepSeconds: 60 } });
    const [simLine] = simulation.lines;
    const stop = new AbortController();
    const signal = stop.signal;
    const line: Line = new Line({
      open: simLine!.open,
      clock,
      logger: silentLogger,
      random: () => 0.5,
      onStatus: (status) => unit.linkChanged(status),
    });
    const port = new SharedPort({
      id: () => "axpert-1",
      clock,
      logger: silentLogger,
      maxAgeMs: 5000,
      status: () => line.status,
      ask: (what, how) => line.ask(what, how),
    });
    const polledAt: number[] = [];
    const unit: Unit = new Unit({
      line,
      clock,
      logger: silentLogger,
      plan: planOf({ fastMs: pollMs, mediumMs: 15_000, slowMs: minute, only: ["QPIGS", "QPIGS2", "QMOD", "QPIWS", "QPGS0", "QPIRI"] }),
      onIdentity: () => "axpert-1",
      onReading: (reading) => {
        if (reading.command === "QPIGS") polledAt.push(clock.monotonic());
        port.learn(reading);
      },
      onProblem: (message) => {
        throw new Error(message);
      },
    });
    const control = new UnitControl({ line, clock, facts: () => ({ family: "max", unit: 0, wide: false }) });

    // Eight programs on the shared port, each with its own questions and its own rhythm; the eighth also tries to change something.
    const asked = ["QPIGS", "QMOD", "QPIRI", "QPIWS", "QFLAG", "QVFW", "QPGS0", "POP02"];
    let answers = 0;
    let unanswered = 0;
    const programs = asked.map(async (own, index) => {
      const decoder = new FrameDecoder();
      let hear: ((body: string) => void) | undefined;
      const client = port.client({
        name: `program ${index}`,
        byteMs: 0,
        send: (bytes) => {
          for (const part of decoder.push(bytes)) {
            if (part.kind !== "frame" || hear === undefined) throw new Error(`expected nothing odd, got ${hex(part.raw)}`);
            hear(part.body);
          }
        },
      });
      const running = client.run({ signal: AbortSignal.any([signal]) });
      await line.online({ signal: AbortSignal.any([signal]) });
      for (let round = 0; !signal.aborted; round++) {
        const command = round % 2 === 0 ? own : asked[(index + round) % asked.length]!;
        const heard = new Promise<string>((resolve) => (hear = resolve));
        client.feed(encodeCommand(command));
        const over = new AbortController();
        const body = await Promise.race([heard, clock.sleep(10_000, { signal: over.signal }).then(() => undefined)]);
        over.abort(new Error("answered"));
        hear = undefined;
        if (body === undefined) unanswered += 1;
        else if (command === "POP02") expect(body).toBe("NAK");
        else expect(decodeReply(findRequest(command), { body })).toMatchObject({ kind: "data", command });
        answers += 1;
        await clock.sleep(300 + 170 * index, { signal }).catch(() => undefined);
      }
      await running;
    });
    // A person at the command line.
    const queries: number[] = [];
    const person = async (): Promise<void> => {
      for (; !signal.aborted; await clock.sleep(7000, { signal }).catch(() => undefined)) {
        const began = clock.monotonic();
        await line.ask(findRequest("QMOD"), { signal, urgent: true });
        queries.push(clock.monotonic() - began);
      }
    };
    // A rule that changes something every half minute.
    const outcomes: Omit<Outcome, "change">[] = [];
    const waits: number[] = [];
    const rule = async (): Promise<void> => {
      for (let round = 0; !signal.aborted; round++) {
        const began = clock.monotonic();
        const outcome = await control.change(findSetting("buzzer"), round % 2 === 0, {
          signal,
          beforeWrite: async () => void waits.push(clock.monotonic() - began),
        });
        outcomes.push(outcome);
        await clock.sleep(30_000, { signal }).catch(() => undefined);
      }
    };
    const ended = (error: unknown): void => {
      if (!signal.aborted) throw error;
    };
    const everyone = Promise.all([
      line.run({ signal }),
      unit.run({ signal }),
      ...programs,
      line.online({ signal }).then(() => person().catch(ended)),
      line.online({ signal }).then(() => rule().catch(ended)),
    ]);

    const windows: [number, number][] = [];
    for (const around of [3 * minute, 2 ** 31, 2 ** 32, 60 * day]) {
      if (around > 3 * minute) clock.jumpTo(around - 3 * minute);
      const from = clock.monotonic();
      await clock.sleep(6 * minute, { signal });
      windows.push([from, clock.monotonic()]);
    }
    stop.abort(new Error("sixty days are over"));
    await everyone;

    expect(clock.monotonic()).toBeGreaterThan(60 * day);
    // What reached the unit: whole requests, and no setter but those of the rule.
    expect(simulation.journal.unreadable).toBe(0);
    expect(new Set(simulation.journal.entries.map(({ command }) => command))).toEqual(new Set(["PDa", "PEa"]));
    expect(line.counters).toMatchObject({ reconnects: 0, rejected: { stale: 0, foreign: 0, checksum: 0, truncated: 0 } });
    // A jump of the clock in the middle of a question is like a silence of that length.
    expect(line.counters.rejected.timeout).toBeLessThanOrEqual(3 * 3);
    expect(answers).toBeGreaterThan(8000);
    expect(unanswered).toBeLessThanOrEqual(8 * 3);
    for (const [from, to] of windows) {
      const stamps = [from, ...polledAt.filter((at) => at >= from && at <= to), to];
      const longest = Math.max(...stamps.slice(1).map((at, index) => at - stamps[index]!));
      expect(longest).toBeLessThanOrEqual(2 * pollMs);
    }
    expect(Math.max(...queries)).toBeLessThanOrEqual(2000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2000);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["applied"]));
  }, 120_000);

  it("of a running program: another one and a script are refused or named, and a kill frees everything at once", async () => {
    await using folder = await temporaryFolder();
    const pty = join(folder.path, "inverter");
    const device = `serial:${pty}`;
    const dataDir = join(folder.path, "data");
    const shared = join(folder.path, "shared");
    const config = join(folder.path, "sonkrag.yaml");
    await writeFile(config, `inverters: [{ device: "${device}" }]\nsharedPort: { pty: ${shared} }\npoll: { only: [QPIGS, QMOD] }\n`);
    await using _unit = await servePty(pty);
    const start = async () => await startProgram(dataDir, "--config", config, "--mqtt", "off", "--poll", "1s");

    for (let kills = 0; kills < 2; kills++) {
      await using program = await start();
      await eventually("first values", async () => (await latestAt(program)) > 0, 20_000);

      // Another one with the same data, and one with data of its own.
      const sameData = await cli(["run", "--data-dir", dataDir, "--device", "sim:"]);
      expect(sameData).toMatchObject({ exit: 2, stderr: expect.stringContaining(`in use by process ${program.pid}`) as string });
      await using other = await startProgram(join(folder.path, `other-${kills}`), "--device", device, "--mqtt", "off");
      const refused = async (): Promise<string> => (await inverterOf(other))?.status.message ?? "";
      await eventually("the other one is refused", async () => (await refused()).includes(`in use by process ${program.pid} (`));

      // Whoever asks by the command line is served, and so is a program at the shared port.
      const query = await cli(["query", "QMOD", "--json", "--config", config, "--data-dir", dataDir]);
      expect(query).toMatchObject({ exit: 0, stderr: "" });
      const question = `printf 'QMOD\\x49\\xc1\\r' | socat -T 2 -t 2 - "FILE:$0,raw,echo=0"`;
      const { stdout } = await promisify(execFile)("bash", ["-c", question, shared], { encoding: "latin1" });
      expect(stdout).toMatch(/^\([A-Z]..\r$/);

      await program.stop("SIGKILL");
      const killed = performance.now();
      await eventually("both locks are free", async () => await isFree(pty, join(dataDir, "run", "lock")), 1000);
      expect(performance.now() - killed).toBeLessThan(1000);
      await other.stop("SIGKILL");
    }
    await using last = await start();
    await eventually("values after two kills", async () => (await latestAt(last)) > 0, 20_000);
  }, 120_000);

  it("by opening it: who holds it is named, and polling begins when it is let go", async () => {
    await using folder = await temporaryFolder();
    const pty = join(folder.path, "inverter");
    await using _unit = await servePty(pty);
    const script = spawn("bash", ["-c", `exec 3<>"$0"; echo open; read`, pty], { stdio: ["pipe", "pipe", "inherit"] });
    await once(script.stdout, "data");
    await using program = await startProgram(join(folder.path, "data"), "--device", `serial:${pty}`, "--mqtt", "off");
    await eventually("the holder is named", async () =>
      ((await inverterOf(program))?.status.message ?? "").includes(`in use by process ${script.pid} (bash`),
    );
    script.stdin.end("\n");
    await eventually("values", async () => (await latestAt(program)) > 0, 20_000);
  }, 60_000);
});

/** Whether nobody holds a lock on any of these. */
async function isFree(...paths: readonly string[]): Promise<boolean> {
  const tries = paths.map(async (path) => await promisify(execFile)("flock", ["-n", path, "true"]));
  return (await Promise.allSettled(tries)).every(({ status }) => status === "fulfilled");
}
