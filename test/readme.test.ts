import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { qpigsColumns } from "../src/app/log-columns.ts";
import { TextLog } from "../src/sinks/text-log.ts";
import { blocks, commands, page, root } from "./support/markdown.ts";
import { eventually, readingOf, realInverter, recordingLogger } from "./support/readings.ts";

/*
 * Every command of the README and of its sister pages is run here, or it is listed below with the reason why not.
 * What a machine for tests has not (an inverter, systemd, root's folders) is put in its place by `stands`.
 */

/** Run as it stands, to its end, in a folder of its own where `npx sonkrag` is this program. */
const runs: Readonly<Record<string, RegExp>> = {
  "npx sonkrag config example > sonkrag.yaml": /^$/,
  "npx sonkrag config check": /sonkrag\.yaml: valid\n$/,
  "npx sonkrag encode QPIGS": /^5150494753b7a90d\n$/,
  "npx sonkrag decode QMOD 2842e7c90d": /^operatingMode +battery/,
  "npx sonkrag query QPIGS --json --device sim:": /^\{"device":"sim:","simulated":true,.*"batteryVoltage"/,
  "sonkrag config example > sonkrag.yaml": /^$/,
  "sonkrag config check": /sonkrag\.yaml: valid\n$/,
};

/** Run while `npm start` runs. */
const beside: Readonly<Record<string, RegExp>> = {
  "npx sonkrag status": /SIMULATED: nothing here is real[^]*Battery voltage +\d+\.\d+ V/,
  "npx sonkrag report day": /^Energy of \d{4}-\d{2}-\d{2}\n[^]*PV energy/,
  "sonkrag status": /SIMULATED: nothing here is real/,
  "sudo sonkrag doctor": /sonkrag [\d.]+ runs as process \d+ [^]*No problem found/,
  "npx sonkrag doctor": /sonkrag [\d.]+ runs as process \d+ [^]*No problem found/,
  "mosquitto_sub -h 127.0.0.1 -v -t 'power/#' -t 'sonkrag/#'": /^power\/axpert\d* \{".*\}$/m,
  "curl http://127.0.0.1:8480/api/v1/snapshot": /^\{"type":"snapshot"/,
  "curl --no-buffer http://127.0.0.1:8480/api/v1/live": /\nevent: snapshot\ndata: \{/,
  "curl http://127.0.0.1:8480/healthz": /^\{"status":"ok"/,
  "curl 'http://127.0.0.1:8480/api/v1/energy?from=-7d&by=day'": /^\{"from":\d+,"to":\d+,"by":"day","units":\[/,
  [`curl -X PUT -H 'content-type: application/json' -d '{"value":true}' http://127.0.0.1:8480/api/v1/inverters/garage/settings/buzzer`]:
    /"code":"inverter-unknown"/,
};

/** Services: started, awaited until they say this on stdout or stderr, and stopped. */
const services: Readonly<Record<string, RegExp>> = {
  "npm start -- --device serial:/dev/ttyUSB0": /\n {2}inverter {2}serial:[^]*the inverter answers/,
  "npm start -- --device tcp://192.168.1.20:8899": /\n {2}inverter {2}tcp:[^]*the inverter answers/,
  "sonkrag run --device serial:/tmp/inverter": /\n {2}inverter {2}serial:[^]*the inverter answers/,
  "npx sonkrag simulate --pty /tmp/inverter": /simulated inverter 99999999000001 at serial:/,
  "sonkrag simulate --pty /tmp/inverter": /simulated inverter 99999999000001 at serial:/,
  "sonkrag simulate --pty /tmp/inverter --replay Axpert2020-08-23.log": /simulated inverter 99999999000001 at serial:/,
  "sonkrag simulate --tcp 8899 --units 3 --speed 60 --seed 7": /99999999000003 at tcp:/,
  "sonkrag simulate --tcp 8899 --fault corrupt=5% --fault stale=0.05": /99999999000001 at tcp:/,
};

/** Run with the simulated inverter in place of a real one. */
const withInverter: Readonly<Record<string, RegExp>> = {
  "npx sonkrag doctor --device serial:/dev/ttyUSB0": /\nok +device +serial:.* answers: PI30, [^]*No problem found\.\n$/,
};

/** Change the system: run with root's folders moved, and tools of the system that only write down how they were called. */
const onTheSystem = [
  "sudo cp share/udev/60-sonkrag.rules /etc/udev/rules.d/",
  "sudo udevadm control --reload",
  "sudo udevadm trigger --subsystem-match=hidraw",
  "sudo usermod -aG dialout $USER",
  "npm run build",
  "npm pack",
  "sudo npm install --global ./sonkrag-*.tgz",
  "sudo useradd --system --home-dir /var/lib/sonkrag --shell /usr/sbin/nologin sonkrag",
  "sudo cp share/systemd/sonkrag.service /etc/systemd/system/",
  "sudo systemctl daemon-reload",
  "sudo systemctl enable --now sonkrag",
  "journalctl --unit sonkrag --follow",
  "sudo systemctl disable --now sonkrag",
  "sudo rm /etc/systemd/system/sonkrag.service /etc/udev/rules.d/60-sonkrag.rules",
  "sudo npm uninstall --global sonkrag",
  "sudo userdel sonkrag",
];

/** npm ends by the signal itself now and then, although what it has run ended with 0. */
const stopped: readonly unknown[] = [0, "SIGINT"];

/** `npm start` is the program beside which others are run; `npm test` is what runs this. */
const elsewhere = ["npm start", "npm test"];

const documents = ["README.md", "docs/install.md", "docs/configuration.md", "docs/simulator.md", "docs/http-api.md"];
const planned = [runs, beside, services, withInverter].flatMap((plan) => Object.keys(plan)).concat(onTheSystem, elsewhere);

// Many programs are started here, by way of npm; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const patienceMs = 60_000;

let folder: string;
let env: Record<string, string | undefined>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-readme-"));
  const bin = join(folder, "bin");
  await mkdir(bin);
  await mkdir(join(folder, "node_modules", ".bin"), { recursive: true });
  await writeFile(join(folder, "empty.yaml"), "");
  await writeFile(
    join(folder, "Axpert2020-08-23.log"),
    "header\n2020-08-23 17:14:33.243004,233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110\n",
  );
  const program = join(root, "dist/cli/main.js");
  await writeFile(join(bin, "sonkrag"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  await chmod(join(bin, "sonkrag"), 0o755);
  await symlink(join(bin, "sonkrag"), join(folder, "node_modules/.bin/sonkrag"));
  env = {
    PATH: [bin, join(process.execPath, ".."), process.env["PATH"]].join(delimiter),
    HOME: folder,
    XDG_DATA_HOME: join(folder, "share"),
    USER: "somebody",
    npm_config_update_notifier: "false",
  };
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Shell extends AsyncDisposable {
  readonly output: string;
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly end: Promise<number | NodeJS.Signals | null>;
  stop(): Promise<number | NodeJS.Signals | null>;
}

/** A command line in a shell with a process group of its own, as a terminal makes it. */
function shell(command: string, options: { readonly cwd?: string; readonly env?: Record<string, string> } = {}): Shell {
  const child = spawn("bash", ["-c", command], {
    cwd: options.cwd ?? folder,
    env: { ...env, ...options.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  let ended = false;
  const end = once(child, "close").then(([code, signal]) => {
    ended = true;
    return (signal ?? code) as number | NodeJS.Signals | null;
  });
  return {
    get output() {
      return output;
    },
    end,
    async until(pattern) {
      await eventually(
        `${command} says ${pattern}`,
        () => {
          if (!pattern.test(output) && ended) throw new Error(`${command} ended:\n${output}`);
          return pattern.test(output);
        },
        patienceMs,
      );
    },
    async stop() {
      if (!ended) process.kill(-child.pid!, "SIGINT");
      return await end;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) process.kill(-child.pid!, "SIGKILL");
      await end;
    },
  };
}

it("every command is planned for, and every plan has its command", () => {
  const written = documents.flatMap(commands);
  expect([...new Set(written)].toSorted()).toEqual(planned.toSorted());
});

it.each(Object.entries(runs))("%s", async (command, expected) => {
  const { output, end } = await ran(command);
  expect([end, output]).toEqual([0, expect.stringMatching(expected)]);
});

async function ran(
  command: string,
  options?: Parameters<typeof shell>[1],
): Promise<{ output: string; end: number | NodeJS.Signals | null }> {
  await using running = shell(command, options);
  const end = await running.end;
  return { end, output: running.output };
}

it("in the clone itself, npx finds the program", async () => {
  expect(await ran("npx sonkrag encode QPIGS", { cwd: root })).toEqual({ end: 0, output: "5150494753b7a90d\n" });
});

describe("npm start", () => {
  let running: Shell;
  beforeAll(async () => {
    // Without a configuration; an inverter at this machine would be found, so the device is not left to chance.
    running = shell("npm start -- --device sim:", { cwd: root, env: { SONKRAG_CONFIG: join(folder, "empty.yaml") } });
    await running.until(/Ctrl-C stops it[^]*serial number/);
  });
  afterAll(async () => {
    expect(stopped).toContain(await running.stop());
    expect(await readdir(join(folder, "share/sonkrag/run"))).not.toContain("sonkrag.json");
  });

  const placeOf = (what: string): URL => new URL(new RegExp(`^ {2}${what} +(\\S+)`, "m").exec(running.output)![1]!);

  it.each(Object.entries(beside))("%s", async (command, expected) => {
    // Its usual ports may be taken here.
    const here = command
      .replace("127.0.0.1:8480", placeOf("page").host)
      .replace(/^mosquitto_sub/, `mosquitto_sub -p ${placeOf("MQTT").port} -C 9 -W 60`)
      .replace(/^curl (?=.*live$)/, "curl --max-time 1 ")
      .replace(/^curl/, "curl --silent")
      .replace(/^sudo /, "")
      .replace(/doctor$/, "doctor --device sim:");
    const { output } = await ran(here);
    expect(output).toMatch(expected);
  });

  it("prints where everything is, and it is there", async () => {
    expect((await fetch(placeOf("page"))).headers.get("content-type")).toMatch(/^text\/html/);
    const log = /text log +(\S+)/.exec(running.output)![1]!;
    await eventually("the log has a line", async () => (await readFile(log, "utf8").catch(() => "")).split("\n").length > 2);
    expect(log).toBe(join(folder, "share/sonkrag/log", `Axpert${new Date().toLocaleDateString("sv")}.log`));
  });

  it("the snapshot in docs/http-api.md has the keys that there are", async () => {
    const real: unknown = await (await fetch(new URL("/api/v1/snapshot", placeOf("page")))).json();
    const [written] = blocks("docs/http-api.md", "json");
    expect(missingKeys(JSON.parse(written!), real)).toEqual([]);
  });
});

/** Paths of the keys in `written` that `real` lacks; in a list, the first element speaks for all. */
function missingKeys(written: unknown, real: unknown, path = ""): string[] {
  if (typeof written !== "object" || written === null) return [];
  if (typeof real !== "object" || real === null) return [path];
  const pick = Array.isArray(written) ? Object.entries(written).slice(0, 1) : Object.entries(written);
  return pick
    .filter(([key]) => key !== "…")
    .flatMap(([key, value]) =>
      key in real ? missingKeys(value, (real as Record<string, unknown>)[key], `${path}.${key}`) : [`${path}.${key}`],
    );
}

describe("with the simulated inverter in place of a real one", () => {
  let simulator: Shell;
  let addresses: { serial: string; tcp: string };
  beforeAll(async () => {
    simulator = shell(`sonkrag simulate --pty ${folder}/inverter --tcp 0`);
    await simulator.until(/^tcp:\S+$/m);
    addresses = { serial: `serial:${folder}/inverter`, tcp: /^tcp:\S+$/m.exec(simulator.output)![0] };
  });
  afterAll(async () => {
    expect(await simulator.stop()).toBe(0);
  });

  const here = (command: string): string =>
    command.replace(/serial:\/(dev\/ttyUSB0|tmp\/inverter)/, addresses.serial).replace(/tcp:\/\/192\S+/, addresses.tcp);

  it.each(Object.entries(withInverter))("%s", async (command, expected) => {
    const { output, end } = await ran(`${here(command)} --data-dir ${folder}/data`);
    expect([end, output]).toEqual([0, expect.stringMatching(expected)]);
  });

  it.each(Object.entries(services).filter(([command]) => / --device /.test(command)))("%s", async (command, expected) => {
    const options = { cwd: root, env: { SONKRAG_CONFIG: join(folder, "empty.yaml") } };
    await using service = shell(`${here(command)} --data-dir ${folder}/data`, options);
    await service.until(expected);
    expect(stopped).toContain(await service.stop());
    expect(await readdir(join(folder, "data/run"))).not.toContain("sonkrag.json");
  });
});

it.each(Object.entries(services).filter(([command]) => / simulate /.test(command)))("%s", async (command, expected) => {
  await using service = shell(command.replace("/tmp/inverter", join(folder, "another")).replace("--tcp 8899", "--tcp 0"));
  await service.until(expected);
  expect(stopped).toContain(await service.stop());
});

it("what changes the system names files and programs that are there", async () => {
  const stubs = join(folder, "stubs");
  await mkdir(stubs);
  const calls = join(folder, "calls.txt");
  const write = async (name: string, text: string) => {
    await writeFile(join(stubs, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(stubs, name), 0o755);
  };
  await write("sudo", 'exec "$@"');
  for (const name of ["udevadm", "usermod", "useradd", "userdel", "systemctl", "journalctl"])
    await write(name, `echo "${name} $*" >> "${calls}"`);
  // Installing for real needs the network; `npm run check` installs the packed package.
  await write(
    "npm",
    `case "$1" in install|uninstall) echo "npm $*" >> "${calls}";; *) exec "${process.execPath}" "${npmFile()}" "$@";; esac`,
  );
  for (const place of ["etc/udev/rules.d", "etc/systemd/system", "packed"]) await mkdir(join(folder, place), { recursive: true });

  for (const command of onTheSystem) {
    const moved = command
      .replaceAll(" /etc/", ` ${folder}/etc/`)
      .replace("npm pack", `npm pack --pack-destination ${folder}/packed`)
      .replace("./sonkrag-*.tgz", `${folder}/packed/sonkrag-*.tgz`);
    const { output, end } = await ran(moved, { cwd: root, env: { PATH: [stubs, env["PATH"]].join(delimiter) } });
    expect([command, end, end === 0 ? "" : output]).toEqual([command, 0, ""]);
    if (command.startsWith("sudo cp")) expect(await readdir(join(folder, /\/(etc\S+)/.exec(command)![1]!))).toHaveLength(1);
  }
  const told = await readFile(calls, "utf8");
  expect(told).toMatch(/^npm install --global \S+\/packed\/sonkrag-[\d.]+\.tgz$/m);
  expect(told).toContain("usermod -aG dialout somebody\n");
});

function npmFile(): string {
  return spawnSync("bash", ["-c", "readlink -f $(command -v npm)"], { encoding: "utf8" }).stdout.trim();
}

it("the TypeScript example compiles and prints what its comments say", async () => {
  const [code] = blocks("README.md", "ts");
  // Inside the package, its own name leads to its exports.
  const place = join(root, ".cache", `readme-${process.pid}`);
  await mkdir(place, { recursive: true });
  try {
    await writeFile(join(place, "example.mts"), code!);
    const options = [
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--lib",
      "es2023",
      "--types",
      "node",
      "--ignoreConfig",
      "example.mts",
    ];
    const compiled = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...options], {
      cwd: place,
      encoding: "utf8",
    });
    expect(compiled.stdout).toBe("");
    const { stdout } = spawnSync(process.execPath, ["example.mjs"], { cwd: place, encoding: "utf8" });
    const said = [...code!.matchAll(/ \/\/ (.*)$/gm)].map(([, comment]) => comment);
    expect(stdout.trimEnd().split("\n")).toEqual(said);
    expect(said).toHaveLength(2);
  } finally {
    await rm(place, { recursive: true });
  }
});

const python = ["/usr/bin/python3", "python3"].find((each) => spawnSync(each, ["-c", "import pandas"]).status === 0);

it.skipIf(python === undefined && process.env["CI"] !== "true")("the pandas example reads a log", async () => {
  const logs = join(folder, "logs");
  {
    const logger = recordingLogger();
    await using log = await TextLog.open({
      folder: logs,
      format: "classic",
      intervalMs: 1000,
      compress: false,
      timeZone: "UTC",
      columnsOf: qpigsColumns,
      logger,
    });
    for (let minute = 0; minute < 120; minute += 30) log.reading(readingOf(Date.UTC(2026, 0, 1, 12, minute)), realInverter);
  }
  const [code] = blocks("README.md", "python");
  const { stdout, stderr } = spawnSync(python!, ["-c", code!], { cwd: logs, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout.split("\n").map((line) => line.trim().split(/ +/))).toEqual([
    ["gridVoltage[V]", "loadActivePower[W]", "batteryVoltage[V]"],
    ["2026-01-01", "12:00:00", "233.8", "138.0", "52.0"],
    ["2026-01-01", "13:00:00", "233.8", "138.0", "52.0"],
    [""],
  ]);
});

it("the older add-on's options lead to keys that there are", () => {
  const keys = [...page("README.md").matchAll(/\| `(\w+)` +\| `([\w.[\]]+)` +(?=\|)/g)].map(([, option, key]) => [option, key!] as const);
  const options = [
    "mqtt_server",
    "mqtt_user",
    "mqtt_pass",
    "mqtt_client_id",
    "mqtt_topic_parallel",
    "mqtt_topic",
    "mqtt_topic_settings",
    "device",
  ];
  expect(new Set(keys.map(([option]) => option))).toEqual(new Set(options));
  const table = page("docs/configuration.md");
  for (const [, key] of keys) expect(table).toContain(`| \`${key}\``);
});
