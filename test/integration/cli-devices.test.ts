import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { CardDocument } from "../../src/model/card.ts";
import { cli, ended, startCli, type Ended } from "./cli.ts";

let folder: string;
let dataDir: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-cli-"));
  dataDir = join(folder, "data");
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Running extends AsyncDisposable {
  /** What it has printed on stdout when it was ready. */
  readonly output: string;
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Starts a service and waits until its stdout says that it is ready. */
async function service(args: readonly string[], ready: RegExp): Promise<Running> {
  const child = startCli(args);
  const end = ended(child);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (text: string) => {
      output += text;
      if (ready.test(output)) resolve();
    });
    end.then(({ exit, stderr }) => reject(new Error(`${args.join(" ")} ended with ${exit}: ${stderr}`)), reject);
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return await end;
  };
  return {
    output,
    pid: child.pid ?? 0,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

const simulator = async (...args: readonly string[]) => await service(["simulate", "--tcp", "0", "--baud", "0", ...args], /tcp:.*\n/);
const addressOf = ({ output }: Running) => output.trim().split("\n")[0] ?? "";

describe("simulate", () => {
  it("prints the address of each unit on stdout and ends with 0 when stopped", async () => {
    await using running = await simulator("--units", "2", "--seed", "3");
    expect(running.output).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+\ntcp:\/\/127\.0\.0\.1:\d+\n$/);
    const { exit, stderr } = await running.stop("SIGINT");
    expect(exit).toBe(0);
    expect(stderr).toMatch(/requests=0 injected: none\n$/);
  });

  it.each([
    [[], /expected --pty PATH or --tcp PORT, got neither/],
    [["--tcp", "70000"], /argument '70000' is invalid\. Expected a whole number from 0 to 65535/],
    [["--tcp", "0", "--fault", "rust=5%"], /--fault: expected KIND=RATE with KIND one of corrupt, .*, got "rust=5%"/],
    [["--tcp", "0", "--second-reader", "5"], /--second-reader: expected a duration/],
    [["--tcp", "0", "--replay", "/nonexistent"], /--replay \/nonexistent: expected a readable log, got ENOENT/],
  ])("%j is exit code 2", async (args, message) => {
    const result = await cli(["simulate", ...args]);
    expect(result).toMatchObject({ exit: 2, stdout: "" });
    expect(result.stderr).toMatch(message);
  });
});

describe("query", () => {
  it("prints the answer, as a table or as JSON", async () => {
    await using running = await simulator();
    const device = addressOf(running);
    const table = await cli(["query", "qmod", "--device", device]);
    expect(table).toMatchObject({ exit: 0, stderr: "" });
    expect(table.stdout).toMatch(/^operatingMode {2}\w+ +Mode\n$/);
    const { exit, stdout } = await cli(["query", "QPIGS", "--json", "--device", device]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ device, simulated: false, kind: "data", values: { batteryVoltage: { unit: "V" } } });
  });

  it("says so when the simulated inverter answers", async () => {
    const { stdout } = await cli(["query", "QMOD", "--device", "sim:"]);
    expect(stdout).toMatch(/^SIMULATED: nothing here is real\noperatingMode /);
  });

  it("that the inverter refuses is exit code 3", async () => {
    await using running = await simulator("--model", "king");
    const args = ["query", "QPIGS2", "--device", addressOf(running)];
    const result = await cli(args);
    expect(result).toMatchObject({ exit: 3, stdout: "" });
    expect(result.stderr).toMatch(/^sonkrag: tcp:.*: expected an answer to QPIGS2, got NAK\nhint: /);
    expect(JSON.parse((await cli([...args, "--json"])).stdout)).toMatchObject({ kind: "nak" });
  });

  it("that gets no proper answer is exit code 1", async () => {
    await using running = await simulator("--fault", "corrupt=1");
    const result = await cli(["query", "QPIGS", "--device", addressOf(running)]);
    expect(result).toMatchObject({ exit: 1, stdout: "" });
    expect(result.stderr).toMatch(/^sonkrag: .*\nhint: `sonkrag doctor`/);
  });

  it("of a device that is not there is exit code 1, of a command that is not there 2", async () => {
    expect(await cli(["query", "QPIGS", "--device", "serial:/nonexistent/tty"])).toMatchObject({
      exit: 1,
      stdout: "",
      stderr: expect.stringMatching(/^sonkrag: cannot open \/nonexistent\/tty: /) as string,
    });
    expect(await cli(["query", "QPIGS9", "--device", "sim:"])).toMatchObject({ exit: 2, stdout: "" });
    const both = await cli(["query", "QPIGS", "--device", "sim:", "--device", "/dev/ttyUSB0"]);
    expect(both).toMatchObject({ exit: 2, stdout: "" });
    expect(both.stderr).toContain("expected one inverter to ask, got 2; choose one with --device: sim:, serial:/dev/ttyUSB0");
  });

  it("waiting for an answer ends with 130 on SIGINT", async () => {
    await using running = await simulator("--fault", "dropped=1");
    const child = startCli(["query", "QPIGS", "--log-level", "debug", "--device", addressOf(running)]);
    const end = ended(child);
    await once(child.stderr, "data"); // the first timeout: it is under way
    child.kill("SIGINT");
    expect(await end).toMatchObject({ exit: 130, stdout: "" });
  });
});

describe("doctor", () => {
  it("finds nothing wrong with a good line", async () => {
    await using running = await simulator();
    const args = ["doctor", "--device", addressOf(running), "--data-dir", dataDir];
    const result = await cli(args);
    expect(result).toMatchObject({ exit: 0, stderr: "" });
    expect(result.stdout).toMatch(
      /\nok {6}device +tcp:.* answers: PI30, MAX-8000, serial number 99999999000001, firmware .*\nNo problem found\.\n$/,
    );
    const findings = (await cli([...args, "--json"])).stdout.trim().split("\n");
    expect(findings.map((line) => (JSON.parse(line) as { check: string }).check)).toEqual([
      "configuration",
      "system",
      "data folder",
      "running",
      "device",
    ]);
  });

  it("asks the running sonkrag about the port that it has", async () => {
    await using line = await simulator();
    const device = addressOf(line);
    const folderOfOther = join(folder, "other");
    await using running = await service(["run", "--device", device, "--http", "0", "--mqtt", "off", "--data-dir", folderOfOther], /Ctrl-C/);
    expect(running.output).toContain(device);
    const ask = async () => (await cli(["doctor", "--device", device, "--data-dir", folderOfOther])).stdout;
    await expect
      .poll(ask, { timeout: 20_000, interval: 100 })
      .toContain(`ok      device        ${device} is read by the running sonkrag: online (`);
    await expect
      .poll(ask, { timeout: 20_000, interval: 500 })
      .toMatch(/ok {6}model card +simulated-\d+: MAX-8000 \(family max\), 2 PV inputs, \d+ commands answered/);
    // The card comes from the running program, which has the port to itself.
    const card = async () => {
      const { exit, stdout, stderr } = await cli(["card", "--data-dir", folderOfOther]);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      return stdout;
    };
    await expect
      .poll(card, { timeout: 40_000, interval: 500 })
      .toMatch(/^SIMULATED: nothing here is real\n[^]*Model +MAX-8000, number 044\n[^]*\noutputSourcePriority +utilityFirst, /);
  }, 90_000);

  it("says what is wrong and ends with 1", async () => {
    const result = await cli(["doctor", "--device", "serial:/nonexistent/tty", "--data-dir", "/etc/passwd/x"]);
    expect(result).toMatchObject({ exit: 1, stderr: "" });
    expect(result.stdout).toContain(
      "PROBLEM data folder   /etc/passwd/x (to be made in /etc/passwd) cannot be written: it is not a folder\n",
    );
    expect(result.stdout).toMatch(/PROBLEM device +serial:\/nonexistent\/tty: cannot open/);
    expect(result.stdout).toMatch(/2 problems found\.\n$/);
  });
});

describe("card", () => {
  it("asks a unit that nobody reads, as JSON and as a file to share", async () => {
    await using running = await simulator("--model", "powmr");
    const shared = join(folder, "card.yaml");
    const result = await cli(["card", "--device", addressOf(running), "--data-dir", dataDir, "--json", "--share", shared]);
    expect(result.exit).toBe(0);
    expect(result.stderr).toMatch(/this takes up to 20 s\.\n.*card\.yaml: written; look through it/);
    const document = JSON.parse(result.stdout) as CardDocument;
    expect(document.card.complete).toBe(true);
    expect(document.facts).toMatchObject({ family: "clone", modelName: "VMII-4200", pvInputs: 1 });
    expect(document.facts.unknownFields["QPIRI"]?.map(({ index, text }) => `${index} ${text}`)).toEqual(["25 25.5", "26 02", "27 22.0"]);
    expect(parse(await readFile(shared, "utf8"))).toMatchObject({
      format: "sonkrag-model-card",
      family: "clone",
      commands: { QMOD: { support: "answers" }, QPIGS2: { support: "refuses" } },
    });
    expect((await running.stop("SIGINT")).stderr).toMatch(/setters=0/);
  });

  it("of a device that is not there says so", async () => {
    const result = await cli(["card", "--device", "serial:/nonexistent/tty", "--data-dir", dataDir]);
    expect(result.exit).toBe(1);
    expect(result.stderr).toMatch(/cannot open \/nonexistent\/tty|\/nonexistent\/tty/);
  });
});

describe("run", () => {
  const args = (...more: readonly string[]) => ["run", "--device", "sim:", "--http", "0", "--mqtt", "off", ...more];

  it("says where everything is, answers status, owns its folder, and ends with 0 and nothing left behind", async () => {
    await using running = await service(args("--data-dir", dataDir), /Ctrl-C/);
    const page = /page +(http:\S+)/.exec(running.output)?.[1] ?? "";
    expect(running.output).toMatch(/inverter +sim: +SIMULATED/);
    await expect
      .poll(async () => (await cli(["status", "--data-dir", dataDir])).stdout, { timeout: 20_000, interval: 100 })
      .toMatch(/online since/);
    const status = await cli(["status", "--url", page]);
    expect(status.stdout).toMatch(/SIMULATED: nothing here is real[^]*Battery voltage +\d+\.\d\d V/);

    expect(await readdir(join(dataDir, "log"))).toHaveLength(1);

    const second = await cli(args("--data-dir", dataDir));
    expect(second.exit).toBe(2);
    expect(second.stderr).toContain(`${dataDir} is in use by process ${running.pid}`);

    const started = performance.now();
    expect(await running.stop("SIGINT")).toMatchObject({ exit: 0 });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(await cli(["status", "--data-dir", dataDir])).toMatchObject({ exit: 4 });
    expect(await readdir(join(dataDir, "run"))).not.toContain("sonkrag.json");
  });

  it("stops cleanly on a Ctrl-C that arrives twice, as it does through npm", async () => {
    await using running = await service(args("--data-dir", join(folder, "twice")), /Ctrl-C/);
    process.kill(running.pid, "SIGINT");
    expect(await running.stop("SIGINT")).toMatchObject({ exit: 0 });
    expect(await readdir(join(folder, "twice", "run"))).not.toContain("sonkrag.json");
  });

  it("does not start with a mistake in its configuration", async () => {
    const file = join(folder, "sonkrag.yaml");
    await writeFile(file, "http:\n  port: http\n");
    const result = await cli(["run", "--config", file, "--poll", "5"]);
    expect(result).toMatchObject({ exit: 2, stdout: "" });
    expect(result.stderr.split("\n")).toEqual([
      expect.stringMatching(/^sonkrag: --poll: poll\.fast: expected a duration .*, got "5"$/),
      `sonkrag: ${file}:2:9: http.port: expected a whole number from 0 to 65535, got "http"`,
      expect.stringMatching(/^hint: /),
      "",
    ]);
  });
});
