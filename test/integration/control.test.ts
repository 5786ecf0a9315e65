import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Outcome } from "../../src/model/control.ts";
import type { JournalEntry } from "../../src/model/journal.ts";
import { Service, temporaryFolder } from "../support/service.ts";
import { cli } from "./cli.ts";

/** The built program and a simulated inverter, each in a process of its own. */
async function machine(folder: string, dialect = "obeys") {
  const simulator = await Service.start(["simulate", "--tcp", "0", "--baud", "0", "--settings", dialect, "--model", "max"], /tcp:\/\/.*\n/);
  const device = /tcp:\/\/\S+/.exec(simulator.output)?.[0] ?? "";
  const config = join(folder, "sonkrag.yaml");
  const yaml = (control: string): string =>
    `inverters: [{ device: "${device}", id: garage }]\ncontrol: ${control}\nmqtt: { enabled: false }\ntextLog: { enabled: false }\nhttp: { port: 0 }\n`;
  await writeFile(config, yaml("{ enabled: true, level: expert }"));
  const common = ["--config", config, "--data-dir", join(folder, "data")];
  const start = async (): Promise<Service> => await Service.start(["run", ...common], /Ctrl-C/);
  const run = async (...args: readonly string[]) => await cli([...args, ...common]);
  const entries = async (): Promise<JournalEntry[]> => {
    const text = await readFile(join(folder, "data", "journal.jsonl"), "utf8").catch(() => "");
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as JournalEntry);
  };
  const off = async (): Promise<void> => await writeFile(config, yaml("{}"));
  /** Resolves when the running program knows what make the unit is: nothing is changed before. */
  const known = async (): Promise<unknown> =>
    await eventually(async () => (/"complete": ?true/.test((await run("card", "--json")).stdout) ? true : undefined));
  return { simulator, start, run, entries, off, known };
}

/** Looks again and again until there is something. */
async function eventually<T>(look: () => Promise<T | undefined>, withinMs = 40_000): Promise<T> {
  for (const started = performance.now(); performance.now() - started < withinMs;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`expected something within ${withinMs} ms, got nothing`);
}

test("settings, set, undo, journal and leases through the running program, with their exit codes", { timeout: 300_000 }, async () => {
  await using folder = await temporaryFolder();
  const { simulator, start, run, known } = await machine(folder.path);
  await using _simulator = simulator;
  await using _program = await start();
  const value = async (name: string): Promise<unknown> => {
    const { stdout } = await run("settings", "--json");
    const { settings } = JSON.parse(stdout) as { settings: { info: { name: string }; value?: unknown }[] };
    return settings.find(({ info }) => info.name === name)?.value;
  };
  await known();
  const before = (await value("outputSourcePriority")) as string;
  const other = before === "sbu" ? "solarFirst" : "sbu";
  const changed = await run("set", "outputSourcePriority", other, "--json");
  expect(changed.exit).toBe(0);
  expect(JSON.parse(changed.stdout)).toMatchObject({ kind: "applied", before, after: other });
  expect((await run("set", "outputSourcePriority", other)).stdout).toContain("unchanged");
  expect(await run("set", "outputSourcePriority", "POP02")).toMatchObject({ exit: 3 });
  expect(await run("set", "batteryType", "agm")).toMatchObject({ exit: 3 });
  expect(await run("set", "operationLogic", "automatic")).toMatchObject({ exit: 5 });
  const misspelt = await run("set", "buzer", "on");
  expect(misspelt).toMatchObject({ exit: 2 });
  expect(misspelt.stderr).toContain("did you mean buzzer?");
  const dangerous = await run("set", "05", "agm");
  expect(dangerous).toMatchObject({ exit: 3 });
  expect(dangerous.stderr).toContain('--confirm "battery type"');
  // Another device is not the one that the running program has.
  expect(await run("set", "outputSourcePriority", before, "--device", "serial:/dev/ttyS99")).toMatchObject({ exit: 2 });
  const undone = await run("undo");
  expect(undone).toMatchObject({ exit: 0 });
  expect(undone.stdout).toContain(`outputSourcePriority = ${before}`);
  expect(await run("undo")).toMatchObject({ exit: 3 });

  expect((await run("set", "buzzer", "on", "--for", "1h", "--then", "off")).exit).toBe(0);
  const [lease] = JSON.parse((await run("leases", "--json")).stdout) as { id: string }[];
  expect((await run("leases", "end", lease?.id ?? "")).exit).toBe(0);
  expect((await run("leases")).stdout).toBe("No lease runs.\n");
  const lines = (await run("journal", "--limit", "100", "--json")).stdout.trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as JournalEntry).n).toSorted((one, two) => one - two)).toEqual(
    lines.map((_, index) => index + 1),
  );

  const sheet = join(folder.path, "sheet.yaml");
  expect((await run("settings", "export", "--output", sheet)).exit).toBe(0);
  expect(await run("settings", "export", "--output", sheet)).toMatchObject({ exit: 2, stdout: "" });
  expect((await run("settings", "diff", sheet)).stdout).toMatch(/^0 to change, \d\d the same\n$/);
  await writeFile(sheet, (await readFile(sheet, "utf8")).replace(/(name: outputSourcePriority, value: )\w+/, `$1${other}`));
  expect((await run("settings", "apply", sheet, "--dry-run")).stdout).toContain(`${before} → ${other}`);
  expect((await run("settings", "apply", sheet)).exit).toBe(0);
  expect(await value("outputSourcePriority")).toBe(other);
});

test("kill -9 between the command and its end: the next start finds out, and honours the lease", { timeout: 300_000 }, async () => {
  await using folder = await temporaryFolder();
  const { simulator, start, run, entries, known } = await machine(folder.path, "late");
  await using _simulator = simulator;
  const program = await start();
  await known();
  const before = await eventually(async () => {
    const { stdout, exit } = await run("settings", "--json");
    if (exit !== 0) return undefined;
    const { settings } = JSON.parse(stdout) as { settings: { info: { name: string }; value?: boolean }[] };
    return settings.find(({ info }) => info.name === "buzzer")?.value;
  });
  const [wanted, back] = before ? ["off", "on"] : ["on", "off"];
  const asked = run("set", "buzzer", wanted, "--for", "2s", "--then", back);
  await eventually(async () => (await entries()).find(({ kind }) => kind === "intent"));
  await program.stop("SIGKILL");
  expect((await asked).exit).not.toBe(0);
  expect((await entries()).filter(({ kind }) => kind === "outcome")).toEqual([]);

  await using _again = await start();
  const found = await eventually(async () => (await entries()).find((entry) => entry.kind === "outcome"));
  const outcome: Outcome | undefined = found.kind === "outcome" ? found.outcome : undefined;
  // The kill may have come before the command had left: then it reads as before, and that is what is told.
  const isApplied = outcome?.kind === "applied";
  expect(outcome).toMatchObject({
    kind: isApplied ? "applied" : "unconfirmed",
    after: isApplied ? !before : before,
    reason: expect.stringContaining("After an interruption") as string,
  });
  const ended = await eventually(async () =>
    (await entries()).find((entry) => entry.kind === "outcome" && entry.outcome.change.actor.via === "lease"),
  );
  expect(ended).toMatchObject({ outcome: { kind: isApplied ? "applied" : "unchanged", after: before } });
});

test("without a running program the command line does the same by itself; off, it changes nothing", { timeout: 300_000 }, async () => {
  await using folder = await temporaryFolder();
  const { simulator, run, entries, off } = await machine(folder.path);
  await using _simulator = simulator;
  const first = await run("set", "buzzer", "on");
  expect(first.stdout).toMatch(/buzzer = on.*(applied|unchanged)/);
  expect((await run("set", "buzzer", "off")).stdout).toContain("buzzer = off (before: on): applied");
  expect(await run("set", "buzzer", "on", "--for", "1h", "--then", "off")).toMatchObject({ exit: 2 });
  await off();
  const refused = await run("set", "buzzer", "on");
  expect(refused).toMatchObject({ exit: 3 });
  expect(refused.stdout).toContain("enabled: true");
  expect((await entries()).at(-1)).toMatchObject({ kind: "outcome", outcome: { kind: "refused" } });
});
