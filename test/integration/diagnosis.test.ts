import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LinkReport } from "../../src/api/link.ts";
import type { Bundle } from "../../src/app/bundle.ts";
import { readTraffic } from "../../src/app/running.ts";
import { parseCapture } from "../../src/session/capture.ts";
import { Service, snapshotOf, startProgram, temporaryFolder } from "../support/service.ts";
import { cli } from "./cli.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string): string => join(folder.path, name);
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

const simulator = async (...more: readonly string[]): Promise<Service> =>
  await Service.start(["simulate", "--tcp", "0", ...more], /tcp:.*\n/);
const addressOf = ({ output }: Service): string => output.trim();

/** What a unit answers, as it was recorded in a capture. */
async function valuesAt(device: string, command: string): Promise<unknown> {
  const { exit, stdout, stderr } = await cli(["query", command, "--json", "--device", device, "--data-dir", at("nobody")]);
  expect(stderr).toBe("");
  expect(exit).toBe(0);
  return (JSON.parse(stdout) as { readonly values: unknown }).values;
}

describe("with a running program", () => {
  it("a capture is made beside it, and answers as the inverter did", async () => {
    await using unit = await simulator("--seed", "3");
    await using program = await startProgram(at("data"), "--device", addressOf(unit), "--mqtt", "off", "--poll", "500ms");

    const file = at("traffic.jsonl.gz");
    const made = await cli(["capture", "--data-dir", at("data"), "--for", "4s", file]);
    expect(made.stderr).toMatch(/^Recording tcp:.* out of the running sonkrag into .* for 4 s\.\n$/);
    expect(made.exit).toBe(0);
    const capture = parseCapture(gunzipSync(await readFile(file)).toString(), file);
    expect(capture.header).toMatchObject({ device: "tcp", wire: { certain: false, chunkBytes: 1 } });
    expect(capture.lines.length).toBeGreaterThan(10);
    const { inverters } = await snapshotOf(program);
    expect(inverters[0]?.counters.rejected.timeout).toBe(0);

    await using again = await simulator("--capture", file);
    const known = await valuesAt(addressOf(again), "QPIGS");
    const seen = inverters[0]?.readings["QPIGS"]?.values;
    expect(Object.keys(known as object)).toEqual(Object.keys(seen ?? {}));

    const refused = await cli(["capture", "--data-dir", at("data"), "--for", "1s", file]);
    expect(refused.exit).toBe(2);
    expect(refused.stderr).toContain("expected the name of a new file");
  });

  it("everything goes over the local socket where there is no page, and of several inverters the one that was named is meant", async () => {
    await using one = await simulator("--seed", "3");
    await using other = await simulator("--seed", "4", "--model", "king");
    const config = at("two.yaml");
    const inverters = [`{ device: "${addressOf(one)}", id: one }`, `{ device: "${addressOf(other)}", id: other }`];
    const outputs = "http: { enabled: false }\nmqtt: { enabled: false }\ntextLog: { enabled: false }\npoll: { fast: 500ms }\n";
    await writeFile(config, `dataDir: ${at("two")}\n${outputs}inverters:\n  - ${inverters.join("\n  - ")}\n`);
    await using _program = await Service.start(["run", "--config", config], /Ctrl-C/);
    const states = async (): Promise<string> => (await cli(["status", "--config", config])).stdout;
    await expect.poll(states, { timeout: 15_000 }).toMatch(/online[^]*online/);

    const unnamed = await cli(["capture", "--config", config, "--for", "1s", at("none.jsonl")]);
    expect(unnamed.exit).toBe(2);
    expect(unnamed.stderr).toContain("choose one of one, other");
    const file = at("other.jsonl");
    const made = await cli(["capture", "--config", config, "--inverter", "other", "--for", "3s", file]);
    expect(made.stderr).toBe(`Recording ${addressOf(other)} out of the running sonkrag into ${file} for 3 s.\n`);
    expect(made.exit).toBe(0);
    expect(parseCapture(await readFile(file, "utf8"), file).lines.length).toBeGreaterThan(4);

    const doctor = await cli(["doctor", "--config", config, "--bundle", at("two.json.gz")]);
    expect(doctor.stdout).toMatch(/note +running +sonkrag \S+ runs as process \d+ and has its ports to itself/);
    expect(doctor.stdout).toMatch(/model card +one: .*sonkrag card --inverter one\n/);
    expect(doctor.stdout).toMatch(/model card +other: .*sonkrag card --inverter other\n/);
    expect(doctor.exit).toBe(0);
    const bundle = JSON.parse(gunzipSync(await readFile(at("two.json.gz"))).toString()) as Bundle;
    expect(bundle.inverters.map(({ info }) => info.id)).toEqual(["one", "other"]);
  });

  it("tells of the link and makes a diagnosis file over HTTP, which also replays", async () => {
    await using unit = await simulator("--fault", "echo=100%");
    await using program = await startProgram(at("second"), "--device", addressOf(unit), "--mqtt", "off", "--poll", "500ms");
    const page = program.announced("page");
    const id = (await snapshotOf(program)).inverters[0]?.info.id ?? "";
    const get = async (path: string): Promise<Response> => await fetch(new URL(path, page), { signal: AbortSignal.timeout(5000) });
    const codes = async (): Promise<string[]> => {
      const report = (await (await get(`/api/v1/inverters/${id}/link`)).json()) as LinkReport;
      return report.findings.map(({ code }) => code);
    };
    await expect.poll(codes, { timeout: 15_000 }).toEqual(["echo"]);
    expect((await get("/api/v1/inverters/nobody/link")).status).toBe(404);

    const heard = new AbortController();
    let text = "";
    const take = (part: string): void => {
      text += part;
      if (text.split("\n").length > 3) heard.abort(new Error("enough"));
    };
    await expect(readTraffic(page, id, take, { signal: heard.signal })).rejects.toThrow("enough");
    expect(text).toMatch(/^{"format":"sonkrag-capture".*\n{"t":/);
    await expect(readTraffic(page, "nobody", take, { signal: new AbortController().signal })).rejects.toThrow(/got status 404/);

    const doctor = await cli(["doctor", "--data-dir", at("second"), "--device", addressOf(unit), "--bundle", at("bundle.json.gz")]);
    expect(doctor.stdout).toMatch(/\nnote +link +The adapter sends our own bytes back before the reply\.\n +→ /);
    expect(doctor.exit).toBe(0);
    // Which device it is, the running program knows.
    const unnamed = await cli(["doctor", "--data-dir", at("second")]);
    expect(unnamed.stdout).toContain(`${addressOf(unit)} is read by the running sonkrag: online (`);
    expect(unnamed.exit).toBe(0);
    const bundle = JSON.parse(gunzipSync(await readFile(at("bundle.json.gz"))).toString()) as Bundle;
    expect(bundle).toMatchObject({ format: "sonkrag-bundle", inverters: [{ link: { findings: [{ code: "echo" }] } }] });
    expect(bundle.log.join("\n")).toContain("the inverter answers");

    await using again = await Service.start(["replay", at("bundle.json.gz"), "--tcp", "0"], /tcp:.*\n/);
    expect(await valuesAt(addressOf(again), "QPI")).toEqual({ protocolId: { value: "PI30", unit: null } });
  });
});

describe("alone", () => {
  it("a capture is made on a line of its own", async () => {
    await using unit = await simulator("--baud", "0");
    const file = at("alone.jsonl");
    const { exit, stderr } = await cli(["capture", "--device", addressOf(unit), "--data-dir", at("nobody"), "--for", "2s", file]);
    expect(stderr).toMatch(/^Recording tcp:.* into .* for 2 s\.\ntcp:.*: online\n$/);
    expect(exit).toBe(0);
    const { lines } = parseCapture(await readFile(file, "utf8"), file);
    expect(lines[0]).toMatchObject({ event: "opened" });
    expect(lines.at(-1)).toMatchObject({ event: "closed" });
  });

  it("a diagnosis file is made of an inverter that is silent", async () => {
    await using unit = await simulator("--fault", "dropped=100%");
    const args = ["doctor", "--device", addressOf(unit), "--data-dir", at("nobody")];
    const { exit, stdout } = await cli([...args, "--bundle", at("silent.json.gz"), "--for", "9s"]);
    expect(stdout).toMatch(/PROBLEM device +tcp:.*: The port is open, and not one byte comes back\. \(.*\n +→ Check that the inverter is/);
    expect(exit).toBe(1);
    const bundle = JSON.parse(gunzipSync(await readFile(at("silent.json.gz"))).toString()) as Bundle;
    expect(bundle.inverters[0]?.link.findings.map(({ code }) => code)).toEqual(["silent"]);
  });

  it.each([
    [["capture", "--for", "5", "x.jsonl"], /--for: expected a duration such as 5min, got "5"/],
    [["doctor", "--for", "x"], /--for: expected a duration such as 1min/],
    [["simulate", "--tcp", "0", "--capture", "/nonexistent"], /\/nonexistent: expected a readable capture, got ENOENT/],
    [["simulate", "--tcp", "0", "--capture", "x", "--units", "2"], /--capture: expected no option that changes/],
  ])("%j is exit code 2", async (args, message) => {
    const { exit, stderr } = await cli(args);
    expect(stderr).toMatch(message);
    expect(exit).toBe(2);
  });

  it("a capture without a question is no simulator", async () => {
    const file = at("empty.jsonl");
    const header = { format: "sonkrag-capture", version: 1, program: "1", startedAt: "2026-01-01T00:00:00.000Z", device: "sim" };
    await writeFile(file, `${JSON.stringify(header)}\n`);
    const { exit, stderr } = await cli(["simulate", "--tcp", "0", "--capture", file]);
    expect(stderr).toContain("expected at least one question, got none");
    expect(exit).toBe(2);
  });
});
