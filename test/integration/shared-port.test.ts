import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DaemonClient } from "../../src/app/daemon-client.ts";
import { decodeFrame, decodeReply } from "../../src/protocol/decode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { servePacedUnit, type PacedUnit } from "../support/paced-unit.ts";
import { PortProgram } from "../support/port-program.ts";
import { eventually } from "../support/readings.ts";
import { inverterOf, latestAt, startProgram, temporaryFolder, type Service } from "../support/service.ts";
import { cli } from "./cli.ts";

const { signal } = new AbortController();

const script = fileURLToPath(new URL("../support/ask-inverter.sh", import.meta.url));
const periodMs = 2000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let unit: PacedUnit;
let program: Service;
let dataDir: string;
let pty: string;
let tcp: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  unit = await servePacedUnit();
  dataDir = join(folder.path, "data");
  pty = join(folder.path, "shared");
  const config = join(folder.path, "sonkrag.yaml");
  await writeFile(
    config,
    `inverters: [{ device: "${unit.device}" }]\nsharedPort: { pty: ${pty}, tcp: 0 }\npoll: { only: [QPIGS, QPIGS2, QMOD, QPIWS] }\ntextLog: { enabled: false }\n`,
  );
  program = await startProgram(dataDir, "--config", config, "--mqtt", "off", "--poll", `${periodMs}ms`);
  tcp = /tcp:\S+$/m.exec(program.output.replace(/inverter .*/g, ""))?.[0] ?? "";
  await eventually("first values", async () => (await latestAt(program)) > 0);
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await unit[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe("a program that knows nothing of sonkrag", () => {
  it("gets whole and right answers through the pseudo-terminal while the inverter is polled", async () => {
    const { stdout } = await promisify(execFile)(script, [pty], { encoding: "utf8", timeout: 25_000 });
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => line.split(":")[0])).toEqual(["QPIGS", "QPIRI", "QMOD", "QPIGS"]);
    for (const line of lines) {
      const [command = "", text = ""] = line.split(": ");
      const frame = decodeFrame(Buffer.from(text, "hex"));
      expect(decodeReply(findRequest(command), frame)).toMatchObject({ kind: "data", command });
    }
  });
});

describe("eight programs at once", () => {
  const commands = ["QPIGS", "QPIRI", "QMOD", "QPIWS", "QFLAG", "QVFW", "QID", "QPGS0"];

  it("each hear whole answers to what they asked, and the live values go on", async () => {
    const programs = await Promise.all(commands.map(() => PortProgram.open(tcp)));
    const end = performance.now() + 6000;
    let answers = 0;
    const hammer = async (each: PortProgram, first: number): Promise<void> => {
      for (let index = first; performance.now() < end; index++) {
        const command = commands[index % commands.length]!;
        const payload = await each.ask(command);
        expect({ command, payload }).toEqual({ command, payload: expect.any(String) as string });
        expect(decodeReply(findRequest(command), { body: payload! })).toMatchObject({ kind: "data", command });
        answers += 1;
      }
    };
    const stamps: number[] = [];
    const watch = async (): Promise<void> => {
      while (performance.now() < end) {
        const at = await latestAt(program);
        if (stamps.at(-1) !== at) stamps.push(at);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    // A person, who goes before all of them.
    const ask = async (): Promise<number> => {
      await using daemon = await DaemonClient.open(dataDir, { signal });
      const took: number[] = [];
      while (performance.now() < end) {
        const began = performance.now();
        expect(await daemon.call("query", { command: "QMOD" }, { signal })).toMatchObject({ kind: "data", command: "QMOD" });
        took.push(performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      return Math.max(...took);
    };
    const [longestMs] = await Promise.all([ask(), watch(), ...programs.map(hammer)]);
    for (const each of programs) {
      expect(each.oddities).toEqual([]);
      await each[Symbol.asyncDispose]();
    }
    expect(answers).toBeGreaterThan(50);
    expect(longestMs).toBeLessThan(2500);
    const gaps = stamps.slice(1).map((at, index) => at - stamps[index]!);
    expect(gaps.length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * periodMs);
    const rejected = (await inverterOf(program))?.counters.rejected;
    // A frame may break off where this machine has no time for the simulated unit; none may be mixed with another.
    expect(rejected).toMatchObject({ foreign: 0, stale: 0, checksum: 0 });
  });

  it("cannot change anything: a setting is refused and never reaches the inverter", async () => {
    await using each = await PortProgram.open(tcp);
    for (const command of ["POP02", "PBT00", "MUCHGC030", "PF", "PSAVE", "PEa"]) expect(await each.ask(command)).toBe("NAK");
    expect(await each.ask("QMOD")).toMatch(/^[A-Z]$/);
    expect(unit.simulation.journal.entries).toEqual([]);
  });

  it("that talk nonsense disturb nobody", async () => {
    await using each = await PortProgram.open(tcp);
    await using other = await PortProgram.open(tcp);
    expect(await each.ask("QXYZ")).toBe("NAK");
    expect(await other.ask("QMOD")).toMatch(/^[A-Z]$/);
    expect((await inverterOf(program))?.status.state).toBe("online");
  });
});

describe("the command line", () => {
  it("asks through the running program, by the device, by the id or because there is only one", async () => {
    const known = (await inverterOf(program))?.info.id ?? "";
    for (const choice of [[], ["--device", unit.device], ["--inverter", known]]) {
      const { exit, stdout, stderr } = await cli(["query", "QMOD", "--json", "--data-dir", dataDir, ...choice]);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ inverter: known, device: unit.device, kind: "data" });
    }
    expect(await cli(["query", "QPIGS9", "--data-dir", dataDir])).toMatchObject({ exit: 2, stdout: "" });
    const stranger = await cli(["query", "QMOD", "--data-dir", dataDir, "--inverter", "garage"]);
    expect(stranger).toMatchObject({ exit: 2, stdout: "" });
    expect(stranger.stderr).toContain(`expected the id of an inverter (${known}), got "garage"`);
  });

  it("opens a device of its own that the running program does not have", async () => {
    const { exit, stdout } = await cli(["query", "QMOD", "--json", "--data-dir", dataDir, "--device", "sim:"]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ device: "sim:", simulated: true });
    expect(JSON.parse(stdout)).not.toHaveProperty("inverter");
  });
});

describe("where settings are allowed", () => {
  it("a program changes what everybody may change, is acknowledged when it is so, and stands in the journal", async () => {
    await using ownFolder = await temporaryFolder();
    await using ownUnit = await servePacedUnit();
    const file = join(ownFolder.path, "sonkrag.yaml");
    const lines = [
      `inverters: [{ device: "${ownUnit.device}" }]`,
      "sharedPort: { tcp: 0, settings: allow }",
      "control: { enabled: true }",
      "poll: { only: [QPIGS, QMOD] }",
      "textLog: { enabled: false }",
    ];
    await writeFile(file, lines.join("\n"));
    await using own = await startProgram(join(ownFolder.path, "data"), "--config", file, "--mqtt", "off");
    await eventually("first values", async () => (await latestAt(own)) > 0);
    await using each = await PortProgram.open(/shared +(\S+)/.exec(own.output)?.[1] ?? "");
    const setters = (): string[] => ownUnit.simulation.journal.entries.map(({ command }) => command);

    // Everyday, twice: the second time it is so already.
    expect(await each.ask("PEa", 25_000)).toBe("ACK");
    expect(await each.ask("PEa", 25_000)).toBe("ACK");
    expect(setters()).toEqual(["PEa"]);
    // Expert, dangerous, factory and unknown commands.
    for (const command of ["PBT02", "PCVV56.0", "PF", "PSAVE", "PXYZ"]) expect(await each.ask(command, 25_000)).toBe("NAK");
    expect(setters()).toEqual(["PEa"]);

    await using daemon = await DaemonClient.open(join(ownFolder.path, "data"), { signal });
    const journal = JSON.stringify(await daemon.call("journal", {}, { signal }));
    for (const part of ['"via":"sharedPort"', '"name":"127.0.0.1:', '"kind":"applied"', '"command":"PEa"', "PSAVE is never sent"])
      expect(journal).toContain(part);
  }, 90_000);
});

describe("the end", () => {
  it("takes the doors away", async () => {
    const { exit } = await program.stop();
    expect(exit).toBe(0);
    await expect(PortProgram.open(tcp)).rejects.toThrow("ECONNREFUSED");
    await expect(promisify(execFile)("test", ["-e", pty])).rejects.toThrow();
  });
});
