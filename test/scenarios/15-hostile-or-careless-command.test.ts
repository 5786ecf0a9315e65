import { expect, test } from "vitest";
import type { Outcome } from "../../src/model/control.ts";
import type { JournalEntry } from "../../src/model/journal.ts";
import { controlledUnit } from "../support/controlled-unit.ts";

/*
 * Scenario 15 of the acceptance list, as far as its ways in exist: local socket, command line and HTTP. Given a fresh install and
 * an attacker in the network; when raw setters, shell metacharacters, huge payloads and 1,000 identical writes are sent, and
 * HTTP is called from another page; then nothing reaches the inverter while control is off; with control on only typed values
 * of the catalogue inside their limits pass, identical requests cause one write, the budget cuts off the rest; every attempt is
 * in the journal.
 */

const anybody = () => ({ signal: new AbortController().signal });
const careless: readonly (readonly [string, string | number | boolean])[] = [
  ["outputSourcePriority", "POP02"],
  ["outputSourcePriority", "sbu; reboot"],
  ["outputSourcePriority", "$(reboot)"],
  ["outputSourcePriority", "sbu\r\nPF"],
  ["outputSourcePriority", "x".repeat(200)],
  ["POP", "02"],
  ["__proto__", "sbu"],
  ["constructor", true],
  ["../../factoryReset", true],
  ["maxAcChargeCurrent", 99_999],
  ["maxAcChargeCurrent", -30],
  ["maxAcChargeCurrent", 30.5],
  ["maxAcChargeCurrent", "30"],
  ["batteryFloatVoltage", 580],
  ["batteryCutOffVoltage", 57],
  ["factoryReset", true],
];

test("a fresh install changes nothing, whoever asks however, and journals it", async () => {
  await using unit = await controlledUnit({ control: {} });
  const answers = await Promise.all([
    unit.viaApi("outputSourcePriority", { value: "solarFirst" }),
    ...careless.map(async ([name, value]) => await unit.viaApi(encodeURIComponent(name), { value })),
  ]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 404]));
  const [first] = answers;
  expect(await first?.json()).toMatchObject({ kind: "refused", by: "us", reason: expect.stringContaining("enabled: true") as string });
  expect(await unit.viaCli("outputSourcePriority", "solarFirst")).toMatchObject({ kind: "refused" });
  for (const command of ["POP01", "PF", "SID99", "PSAVE", "QPIGS", "POP01\rPF"])
    expect(await unit.methods["command"]?.({ command }, anybody())).toMatchObject({ kind: "refused", by: "us" });
  await unit.wait(65_000);
  expect(unit.simulation.journal.setters).toBe(0);
  expect(unit.simulation.journal.unreadable).toBe(0);
  expect(attempts(unit.disk.lines)).toBe(1 + careless.length + 1 + 6);
});

test("with control on, only what is in the catalogue and its limits leaves", async () => {
  await using unit = await controlledUnit();
  for (const [name, value] of careless) {
    const response = await unit.viaApi(encodeURIComponent(name), { value });
    if (response.status === 404) continue;
    expect(await response.json()).toMatchObject({ change: { value }, kind: "refused", by: "us", written: [] });
  }
  for (const command of ["PF", "SID99", "PSAVE", "PBATH1", "ZZZ", "POP01\rPF", "Q5"])
    expect(await unit.methods["command"]?.({ command }, anybody())).toMatchObject({ kind: "refused", by: "us" });
  expect(unit.simulation.journal.setters).toBe(0);
  // A command as text means what it says, on the way of every change.
  const before = await unit.service.setting("garage", "outputSourcePriority", anybody());
  const [command, value] = before.value === "solarFirst" ? ["POP02", "sbu"] : ["POP01", "solarFirst"];
  expect(await unit.methods["command"]?.({ command }, anybody())).toMatchObject({
    kind: "applied",
    change: { setting: "outputSourcePriority", value, actor: { via: "console" } },
  });
});

test("the raw console sends nothing that only looks different from a dangerous command, and nothing that upsets the line", async () => {
  await using unit = await controlledUnit({ control: { enabled: true, level: "expert", console: true } });
  const { since } = unit.inverter.status;
  for (const command of [
    "pf",
    "Pf",
    " PF",
    "PF ",
    "(PF",
    "P(F",
    "psave",
    " PSAVE",
    "PSAVE ",
    "sid99",
    "ＰＦ",
    "PF\r",
    "qpigs",
    " ",
    "rtey",
  ])
    expect({ command, outcome: await unit.methods["command"]?.({ command, confirm: command }, anybody()) }).toMatchObject({
      outcome: { kind: "refused", by: "us", written: [] },
    });
  expect(unit.simulation.journal.setters).toBe(0);
  expect(unit.inverter.status).toMatchObject({ state: "online", since });
  // What nobody knows is what it is for.
  expect(await unit.methods["command"]?.({ command: "PZZ9", confirm: "PZZ9" }, anybody())).toMatchObject({
    written: [{ command: "PZZ9" }],
  });
});

test("malformed requests are told what is wrong, and huge ones are cut off", async () => {
  await using unit = await controlledUnit();
  const status = async (body: unknown, init?: RequestInit): Promise<number> =>
    (await unit.viaApi("outputSourcePriority", body, init)).status;
  for (const body of [
    "",
    "sbu",
    "[]",
    "null",
    {},
    { value: null },
    { value: ["sbu"] },
    { value: { is: "sbu" } },
    { value: "sbu", force: true },
  ])
    expect({ body, status: await status(body) }).toEqual({ body, status: 400 });
  expect(await status({ value: "x".repeat(201) })).toBe(400);
  expect(await status(`{"value":"${"x".repeat(5_000_000)}"}`).catch(() => 400)).toBe(400);
  expect(await status({ value: "sbu", id: "a b" })).toBe(400);
  expect(await status({ value: "sbu" }, { headers: { "content-type": "text/plain" } })).toBe(415);
  expect(await status({ value: "sbu" }, { headers: { "content-type": "application/json", origin: "http://evil.example" } })).toBe(403);
  expect(await status({ value: "sbu" }, { headers: { "content-type": "application/json", "sec-fetch-site": "cross-site" } })).toBe(403);
  expect(await status({ value: "sbu" }, { method: "POST" })).toBe(405);
  expect((await fetch(new URL("/api/v1/inverters/garage/settings", unit.url), { method: "PUT" })).status).toBe(405);
  expect((await fetch(new URL("/api/v1/inverters/shed/settings/buzzer", unit.url), put({ value: true }))).status).toBe(404);
  expect((await fetch(new URL("/api/v1/leases/none", unit.url), { method: "DELETE" })).status).toBe(404);
  expect((await fetch(new URL("/api/v1/journal?limit=all", unit.url))).status).toBe(400);
  expect(unit.simulation.journal.setters).toBe(0);
});

test("a server that listens on the network changes nothing unless that is allowed", async () => {
  await using unit = await controlledUnit({ host: "0.0.0.0" });
  const response = await unit.viaApi("buzzer", { value: true });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ error: { code: "remote-control-off" } });
  expect((await fetch(new URL("/api/v1/inverters/garage/undo", unit.url), { ...put({}), method: "POST" })).status).toBe(403);
});

test("1,000 identical requests from each side cause one write; the budget cuts off what flaps; all of it is in the journal", async () => {
  await using unit = await controlledUnit();
  const { value } = await unit.service.setting("garage", "outputSourcePriority", anybody());
  const other = value === "sbu" ? "solarFirst" : "sbu";
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, async (_, index) =>
      index % 10 === 0
        ? ((await (await unit.viaApi("outputSourcePriority", { value: other })).json()) as Outcome)
        : ((await unit.methods["set"]?.({ setting: "outputSourcePriority", value: other }, anybody())) as Outcome),
    ),
  );
  expect(outcomes.every(({ kind }) => kind === "applied" || kind === "unchanged")).toBe(true);
  expect(unit.simulation.journal.setters).toBe(1);

  const kinds: string[] = [];
  for (let index = 0; index < 12; index++)
    kinds.push((await unit.viaCli("outputSourcePriority", index % 2 === 0 ? "utilityFirst" : "solarFirst")).kind);
  expect(kinds.slice(0, 5)).toEqual(Array(5).fill("applied"));
  expect(new Set(kinds.slice(5))).toEqual(new Set(["refused", "unchanged"]));
  expect(unit.simulation.journal.setters).toBe(6);
  await unit.wait(65_000);
  expect(attempts(unit.disk.lines)).toBe(1000 + 12);
});

const put = (body: unknown): RequestInit => ({
  method: "PUT",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** Attempts that the journal tells of. */
function attempts(lines: readonly string[]): number {
  return lines
    .map((line) => JSON.parse(line) as JournalEntry)
    .reduce((sum, entry) => sum + (entry.kind === "outcome" ? 1 + (entry.more ?? 0) : 0), 0);
}
