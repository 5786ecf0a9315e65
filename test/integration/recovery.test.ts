import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { Listener } from "../support/listener.ts";
import { Mosquitto } from "../support/mosquitto.ts";
import { eventually } from "../support/readings.ts";
import {
  childrenOf,
  inverterOf,
  latestAt,
  logLines,
  numberedLog,
  servePty,
  snapshotOf,
  startProgram,
  temporaryFolder,
  type Service,
} from "../support/service.ts";
import { cli } from "./cli.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const fast = ["--baud", "0"];

const state = async (program: Service, device?: string): Promise<string | undefined> => (await inverterOf(program, device))?.status.state;
const isReadAgain = async (program: Service, since: number, device?: string): Promise<boolean> =>
  (await state(program, device)) === "online" && (await latestAt(program, device)) > since;

describe.skipIf(spawnSync("socat", ["-V"]).status !== 0)("everything returns by itself", () => {
  test("when the port is closed and made again: same process, same id, within seconds", async () => {
    await using folder = await temporaryFolder();
    const pty = join(folder.path, "inverter");
    await using simulator = await servePty(pty, ...fast);
    await using program = await startProgram(join(folder.path, "data"), "--device", `serial:${pty}`, "--mqtt", "off", "--poll", "200ms");
    await eventually("readings come", async () => (await latestAt(program)) > 0);
    const id = (await inverterOf(program))?.info.id;
    expect(id).toBe("simulated-99999999000001");

    // The pty goes and comes back at once, under the same name but as another terminal.
    for (const pid of await childrenOf(simulator.pid)) process.kill(pid, "SIGKILL");
    const blink = Date.now();
    await eventually("readings come again after a blink", () => isReadAgain(program, blink + 100), 20_000);
    await eventually("the loss was noticed", async () => (await inverterOf(program))?.counters.reconnects === 1);

    await simulator.stop("SIGKILL");
    await eventually("the loss is told", async () => (await state(program)) === "lost");
    expect((await inverterOf(program))?.status.message).toMatch(/inverter/);
    await eventually(
      "it is said what to do",
      async () => (await inverterOf(program))?.status.message.includes("is the cable plugged in") === true,
    );
    await using _again = await servePty(pty, ...fast);
    const back = Date.now();
    await eventually("readings come again", () => isReadAgain(program, back), 20_000);
    expect((await snapshotOf(program)).inverters.map(({ info }) => info.id)).toEqual([id]);
  });

  test("when the broker is killed and started again: nothing old is presented as live, and nobody waited", async () => {
    await using folder = await temporaryFolder();
    const pty = join(folder.path, "inverter");
    const replay = join(folder.path, "replay.log");
    await writeFile(replay, numberedLog(5000).join("\n"));
    await using _simulator = await servePty(pty, ...fast, "--replay", replay);
    await using broker = await Mosquitto.start();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    await using program = await startProgram(join(folder.path, "data"), "--device", `serial:${pty}`, "--poll", "100ms", "--mqtt", url);
    await using before = await Listener.open(`mqtt://127.0.0.1:${broker.port}`);
    const topic = "power/axpert99999999000001";
    await eventually("values are published", () => before.count(topic) > 2);

    await broker.kill();
    const killedAt = Date.now();
    await eventually("polling goes on", async () => (await latestAt(program)) > killedAt + 1500);
    const readNumber = async (): Promise<number> => Number((await inverterOf(program))?.readings["QPIGS"]?.values["pv1Power"]);
    const atRestart = await readNumber();
    await broker.restart();
    await using after = await Listener.open(`mqtt://127.0.0.1:${broker.port}`);
    await eventually("values are published again", () => after.count(topic) > 3, 8000);

    // The number in each message tells when it was read; none waited for the broker.
    const numbers = after.heard
      .filter((each) => each.topic === topic)
      .map(({ text }) => (JSON.parse(text) as { PvInputPower: number }).PvInputPower);
    expect(numbers[0]).toBeGreaterThanOrEqual(atRestart);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    // Our own tree: what the broker remembers is complete again, and every value has its own time.
    const id = "simulated-99999999000001";
    expect(after.last("sonkrag/v1/status")?.text).toBe("online");
    expect(after.last(`sonkrag/v1/${id}/availability`)?.text).toBe("online");
    const values = after.json(`sonkrag/v1/${id}/state`)?.["values"] as Record<string, { at: string; command: string }>;
    for (const { at, command } of Object.values(values)) {
      if (command === "QPIGS") expect(Date.parse(at)).toBeGreaterThan(killedAt + 1500);
    }
    expect(after.last("power/simulated")?.text).toMatch(/nothing here is real/);
  });

  test("when it is killed with -9 again and again: log lines are whole and none is doubled, the port and folder are free at once", async () => {
    await using folder = await temporaryFolder();
    const pty = join(folder.path, "inverter");
    const replay = join(folder.path, "replay.log");
    await writeFile(replay, numberedLog(9000).join("\n"));
    const config = join(folder.path, "sonkrag.yaml");
    await writeFile(config, "textLog: { interval: 1s }\npoll: { fast: 0s, only: [QPIGS] }\n");
    await using _simulator = await servePty(pty, "--replay", replay);
    const dataDir = join(folder.path, "data");
    const log = join(dataDir, "log");
    let rows = 0;
    for (let round = 0; round < 3; round++) {
      const started = Date.now();
      await using program = await startProgram(dataDir, "--config", config, "--device", `serial:${pty}`, "--mqtt", "off");
      await eventually("it logs", async () => (await logLines(log)).length > rows + 3, 10_000);
      expect(Date.now() - started).toBeLessThan(10_000);
      expect((await program.stop("SIGKILL")).exit).toBe("SIGKILL");
      rows = (await logLines(log)).length - 1;
    }
    const lines = await logLines(log);
    expect(lines.at(-1)).toBe("");
    const [header, ...written] = lines.slice(0, -1);
    expect(header).toMatch(/^date time\(simulated\),gridVoltage\[V\] /);
    expect(written.length).toBeGreaterThanOrEqual(6);
    const numbers = written.map((line) => {
      expect(line).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{6},233\.8 .* 110$/);
      return Number(line.split(" ")[5]);
    });
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

describe.skipIf(spawnSync("socat", ["-V"]).status !== 0)("two programs", () => {
  test("on one port: the second is refused, names the first, and takes over when that one is killed", async () => {
    await using folder = await temporaryFolder();
    const pty = join(folder.path, "inverter");
    await using _simulator = await servePty(pty, ...fast);
    const args = ["--device", `serial:${pty}`, "--mqtt", "off", "--poll", "200ms"];
    await using first = await startProgram(join(folder.path, "first"), ...args);
    await eventually("the first reads", async () => (await latestAt(first)) > 0);

    await using second = await startProgram(join(folder.path, "second"), ...args);
    const message = async (): Promise<string> => (await inverterOf(second))?.status.message ?? "";
    await eventually("the second is refused", async () => (await message()).includes(`process ${first.pid}`));
    expect(await message()).toMatch(
      /is in use by process \d+ \(.*run .*\); stop it first: two programs on one port garble each other's answers/,
    );
    const query = await cli(["query", "QMOD", "--device", `serial:${pty}`]);
    expect(query).toMatchObject({ exit: 1, stdout: "" });
    expect(query.stderr).toContain(`is in use by process ${first.pid}`);
    const before = await inverterOf(first);
    expect(before?.status.state).toBe("online");
    // No unit knows every inquiry; nothing else may have been thrown away.
    const { nak: _, ...spoilt } = before!.counters.rejected;
    expect(Object.values(spoilt).reduce((sum, count) => sum + count, 0)).toBe(0);

    await first.stop("SIGKILL");
    await eventually("the second takes over", async () => (await latestAt(second)) > 0, 15_000);
  });
});

describe.skipIf(spawnSync("socat", ["-V"]).status !== 0)("two inverters", () => {
  test("with equal serial numbers: when one is unplugged, its values are unavailable everywhere, and the other's keep coming", async () => {
    await using folder = await temporaryFolder();
    const [pty1, pty2] = [join(folder.path, "one"), join(folder.path, "two")];
    await using _one = await servePty(pty1, ...fast);
    await using two = await servePty(pty2, ...fast);
    await using broker = await Mosquitto.start();
    await using listener = await Listener.open(`mqtt://127.0.0.1:${broker.port}`);
    const devices = [`serial:${pty1}`, `serial:${pty2}`] as const;
    const args = ["--device", devices[0], "--device", devices[1], "--poll", "1s", "--mqtt", `mqtt://127.0.0.1:${broker.port}`];
    await using program = await startProgram(join(folder.path, "data"), ...args);
    const availability = (id: string): string | undefined => listener.last(`sonkrag/v1/${id}/availability`)?.text;
    await eventually("both are read", async () => (await latestAt(program, devices[0])) > 0 && (await latestAt(program, devices[1])) > 0);
    const [id1, id2] = [(await inverterOf(program, devices[0]))!.info.id, (await inverterOf(program, devices[1]))!.info.id];
    expect(new Set([id1, id2])).toEqual(new Set(["simulated-99999999000001", "simulated-99999999000001-2"]));
    await eventually("both are available", () => availability(id1) === "online" && availability(id2) === "online");

    await using browser =
      executablePath === undefined
        ? undefined
        : await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] }).then((it) => ({
            newPage: () => it.newPage(),
            [Symbol.asyncDispose]: () => it.close(),
          }));
    const page = await browser?.newPage();
    if (page) {
      await page.goto(`${program.announced("page")}#${id2}`);
      await page.waitForSelector("tr[data-name=batteryVoltage]:not(.stale)");
    }

    await two.stop("SIGKILL");
    const pulled = Date.now();
    const within = 3000;
    await eventually("the interface tells", async () => (await state(program, devices[1])) === "lost", within);
    await eventually("MQTT tells", () => availability(id2) === "offline", within);
    if (page) {
      await page.waitForSelector("tr[data-name=batteryVoltage].stale", { timeout: within });
      expect(await page.locator("tr[data-name]:not(.stale)").count()).toBe(0);
      await page.getByRole("alert").waitFor({ timeout: within });
      await expect.poll(() => page.getByRole("alert").innerText(), { timeout: within }).toMatch(/is the cable plugged in/);
    }
    expect(Date.now() - pulled).toBeLessThan(within + 1000);

    const at = await latestAt(program, devices[0]);
    await eventually("the other's values keep coming", async () => (await latestAt(program, devices[0])) > at + 2500);
    expect(availability(id1)).toBe("online");
    if (page) {
      await page.getByRole("button", { name: id1, exact: false }).first().click();
      await page.waitForSelector("tr[data-name=batteryVoltage]:not(.stale)");
      expect(await page.getByRole("alert").count()).toBe(0);
    }
    const screen = await cli(["status", "--data-dir", join(folder.path, "data")]);
    expect(screen.stdout).toContain(id1);
    expect(screen.stdout).toContain(id2);
  });
});
