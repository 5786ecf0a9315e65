import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodePayload } from "../../src/protocol/encode.ts";
import { cli, ended, mainFile, startCli } from "./cli.ts";

const hexOf = (payload: string) => Buffer.from(encodePayload(payload)).toString("hex");
const lineOf = (command: string, hex: string) => `${JSON.stringify({ protocol: "PI30", command, reply_hex: hex })}\n`;
const silent = { stdout: "" };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-cli-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("help and version", () => {
  it("go to stdout and are no failure", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    expect(await cli(["--version"])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: "" });
    const help = await cli(["--help"]);
    expect(help).toMatchObject({ exit: 0, stderr: "" });
    expect(help.stdout).toContain("Exit codes:");
    expect((await cli(["help", "decode"])).stdout).toBe((await cli(["decode", "--help"])).stdout);
  });

  it("load nothing but the command parser, so that they are quick", async () => {
    const coverage = join(folder, "coverage");
    await cli(["--help"], { env: { NODE_V8_COVERAGE: coverage } });
    const [report = ""] = await readdir(coverage);
    const { result } = JSON.parse(await readFile(join(coverage, report), "utf8")) as { result: { url: string }[] };
    const packages = result.flatMap(({ url }) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
    expect([...new Set(packages)]).toEqual(["commander"]);
  });
});

describe("a wrong command line", () => {
  it.each([
    [[], /^Usage: sonkrag/],
    [["encod"], /^sonkrag: unknown command 'encod'\n\(Did you mean encode\?\)\n/],
    [["encode"], /^sonkrag: missing required argument 'command'\nhint: sonkrag encode --help\n$/],
    [["encode", "QPI", "--jsn"], /^sonkrag: unknown option '--jsn'\n/],
    [["encode", "Q\tP"], /^sonkrag: expected a command of .*, got "Q\\tP"\n$/],
    [["encode", "QPI", "--checksum", "none"], /^sonkrag: option '--checksum <habit>' argument 'none' is invalid/],
    [["decode", "QPI"], /^sonkrag: expected <command> and <hex>, or --jsonl\n$/],
    [["decode", "QPI", "--jsonl"], /^sonkrag: expected no arguments beside --jsonl, got "QPI"\n$/],
    [["decode", "QXX", "28"], /^sonkrag: expected an inquiry of the catalogue, got "QXX"\nhint: .*`sonkrag set`\.\n$/],
    [["decode", "QPI", "2"], /^sonkrag: expected bytes as pairs of hex digits, got "2"\n$/],
    [["decode", "QPI", "28", "--protocol", "PI99"], /^sonkrag: expected protocol PI30 or PI41, got "PI99"\n$/],
    [["config"], /^Usage: sonkrag config/],
    [["status", "--url", "ftp://x"], /^sonkrag: --url: expected an address such as http:/],
    [["status", "--watch", "2"], /^sonkrag: --watch: expected a duration/],
  ])("%j is exit code 2, told on stderr alone", async (args, message) => {
    const result = await cli(args);
    expect(result).toMatchObject({ exit: 2, ...silent });
    expect(result.stderr).toMatch(message);
  });
});

describe("encode", () => {
  it.each([
    [["encode", "QPIGS"], "5150494753b7a90d"],
    [["encode", "POP02"], "504f503032e20b0d"],
    [["encode", "QEY2029"], "5145593230323906000d"],
    [["encode", "QEY2029", "--checksum", "zero-bumped"], "5145593230323906010d"],
  ])("%j prints the frame", async (args, hex) => {
    expect(await cli(args)).toEqual({ exit: 0, stdout: `${hex}\n`, stderr: "" });
  });
});

describe("decode", () => {
  it("prints a table for people", async () => {
    expect(await cli(["decode", "qmod", hexOf("B")])).toEqual({ exit: 0, stdout: "operatingMode  battery  Mode\n", stderr: "" });
    expect((await cli(["decode", "QPI", hexOf("NAK")])).stdout).toBe("NAK\n");
  });

  it("prints one object with --json, from stdin with -, in any spelling of hex", async () => {
    const spelt = Buffer.from(encodePayload("PI30")).toString("hex").toUpperCase().replaceAll(/../g, "$& ");
    const result = await cli(["decode", "QPI", "-", "--json"], { input: `${spelt}\n` });
    expect(result).toMatchObject({ exit: 0, stderr: "" });
    expect(JSON.parse(result.stdout)).toEqual({ kind: "data", values: { protocolId: { value: "PI30", unit: null } }, tail: [] });
  });

  it("fails on a reply that cannot be decoded", async () => {
    const result = await cli(["decode", "QPI", "285049333001020d"]);
    expect(result).toMatchObject({ exit: 1, ...silent });
    expect(result.stderr).toMatch(/^sonkrag: expected one frame .* \(checksum\)/);
    expect(await cli(["decode", "QPIGS", hexOf("PI30")])).toMatchObject({ exit: 1, ...silent });
  });
});

describe("decode --jsonl", () => {
  const status = "230.1 49.9 230.1 49.9 0230 0200 010 380 26.40 001 095 0035 0003 063.5 26.40 00000 00010110 00 00 00200 110";

  it("answers each line with one, in order, and nothing stops it", async () => {
    const input = [
      lineOf("QPIGS", hexOf(status)),
      lineOf("POP02", hexOf("ACK")),
      lineOf("QXX", hexOf("00")),
      "\n",
      lineOf("QPI", hexOf("NAK")),
      "not json\n",
      "[]\n",
      '{"protocol":"PI30","command":"QPI"}\n',
      lineOf("QPI", "zz"),
      lineOf("QPI", hexOf("PI30").slice(0, -2)),
      lineOf("QPIGS", hexOf(status.replace("26.40", "2A.40"))),
      `${" ".repeat(200_000)}x\n`,
      `${lineOf("QPI", hexOf("PI30")).trim()}\r\n`,
      lineOf("QMOD", hexOf("L")).trim(),
    ].join("");
    const result = await cli(["decode", "--jsonl"], { input });
    expect(result).toMatchObject({ exit: 0, stderr: "" });
    const lines = result.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind?: string; values?: Record<string, unknown>; tail?: unknown; error?: { code: string } });
    expect(lines[0]?.values).toMatchObject({
      gridVoltage: { value: 230.1, unit: "V" },
      batteryVoltage: { value: 26.4, unit: "V" },
      pv1Power: { value: 200, unit: "W" },
    });
    expect(lines.map(({ kind, error }) => kind ?? error?.code)).toEqual([
      "data",
      "ack",
      "command-unknown",
      "nak",
      "value-invalid",
      "value-invalid",
      "value-invalid",
      "value-invalid",
      "frame-invalid",
      "reply-malformed",
      "value-invalid",
      "data",
      "data",
    ]);
    expect(lines.at(-1)?.values).toEqual({ operatingMode: { value: "line", unit: null } });
  });

  it("streams: a line is answered while stdin is still open", async () => {
    const child = startCli(["decode", "--jsonl"]);
    const end = ended(child);
    child.stdin.write(lineOf("QMOD", hexOf("B")));
    const [first] = (await once(child.stdout, "data")) as [string];
    expect(first).toContain('"battery"');
    child.stdin.end();
    expect((await end).exit).toBe(0);
  });

  it("takes thousands of lines a second, and each the same", async () => {
    const line = lineOf("QPIGS", hexOf(status));
    const one = (await cli(["decode", "--jsonl"], { input: line })).stdout;
    const started = performance.now();
    const { exit, stdout } = await cli(["decode", "--jsonl"], { input: line.repeat(20_000) });
    expect(exit).toBe(0);
    expect(stdout === one.repeat(20_000)).toBe(true);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("ends quietly when nobody reads on", async () => {
    const child = startCli(["decode", "--jsonl"]);
    child.stdin.on("error", () => undefined);
    const end = ended(child);
    child.stdin.write(lineOf("QPIGS", hexOf(status)).repeat(20_000));
    await once(child.stdout, "data");
    child.stdout.destroy();
    expect(await end).toMatchObject({ exit: 0, stderr: "" });
  });
});

describe("signals", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s while waiting for input ends with %d and no message", async (signal, exit) => {
    const child = startCli(["decode", "--jsonl"]);
    const end = ended(child);
    child.stdin.write(lineOf("QMOD", hexOf("B")));
    await once(child.stdout, "data");
    child.kill(signal);
    expect(await end).toMatchObject({ exit, stderr: "" });
  });
});

describe("an output that cannot be written", () => {
  it("is a failure with its reason", async () => {
    const child = spawn("/bin/sh", ["-c", `"${process.execPath}" "${mainFile}" encode QPI > /dev/full`]);
    const result = await ended(child);
    expect(result).toMatchObject({ exit: 1 });
    expect(result.stderr).toMatch(/^sonkrag: stdout: ENOSPC/);
  });
});

describe("config", () => {
  it("check names every mistake and ends with 2", async () => {
    const file = join(folder, "bad.yaml");
    await writeFile(file, "pol: {}\nhttp:\n  port: 99999\n");
    const result = await cli(["config", "check", "--config", file]);
    expect(result).toMatchObject({ exit: 2, ...silent });
    expect(result.stderr.split("\n")).toEqual([
      `sonkrag: ${file}:1:1: unknown key "pol"; did you mean "poll"?`,
      `sonkrag: ${file}:3:9: http.port: expected a whole number from 0 to 65535, got 99999`,
      expect.stringMatching(/^hint: `sonkrag config example`/),
      "",
    ]);
  });

  it("check says that the example is valid", async () => {
    const file = join(folder, "sonkrag.yaml");
    await writeFile(file, (await cli(["config", "example"])).stdout);
    expect(await cli(["config", "check"], { cwd: folder })).toEqual({ exit: 0, stdout: `${file}: valid\n`, stderr: "" });
    expect(await cli(["config", "check"], { env: { SONKRAG_CONFIG: file } })).toMatchObject({ exit: 0 });
    expect(await cli(["config", "check"])).toEqual({ exit: 0, stdout: "No configuration file; the defaults are in use.\n", stderr: "" });
  });

  it("schema prints the schema that is shipped", async () => {
    const shipped: unknown = JSON.parse(await readFile(new URL("../../share/sonkrag.schema.json", import.meta.url), "utf8"));
    expect(JSON.parse((await cli(["config", "schema"])).stdout)).toEqual(shipped);
  });
});

describe("status", () => {
  async function serve(listener: RequestListener) {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }
  const snapshot = { type: "snapshot", version: "9.9.9", now: 1_774_764_000_000, timeZone: "UTC", metrics: {}, inverters: [] };

  it("is exit code 4 when nothing runs", async () => {
    const dataDir = join(folder, "none");
    const result = await cli(["status", "--data-dir", dataDir]);
    expect(result).toMatchObject({ exit: 4, ...silent });
    expect(result.stderr).toBe(
      `sonkrag: expected a running sonkrag with its data in ${dataDir}, found none\nhint: Start it with \`sonkrag run\`, or say where it is with --url.\n`,
    );
    const closed = await serve(() => undefined);
    await closed[Symbol.asyncDispose]();
    const refused = await cli(["status", "--url", closed.url]);
    expect(refused).toMatchObject({ exit: 4, ...silent });
    expect(refused.stderr).toContain("ECONNREFUSED");
  });

  it("is exit code 4 when something else answers", async () => {
    await using server = await serve((_, response) => response.end("hello"));
    const result = await cli(["status", "--url", server.url]);
    expect(result).toMatchObject({ exit: 4, ...silent });
  });

  it("shows the snapshot", async () => {
    await using server = await serve((request, response) =>
      response.writeHead(request.url === "/api/v1/snapshot" ? 200 : 404).end(JSON.stringify(snapshot)),
    );
    const result = await cli(["status", "--url", server.url]);
    expect(result).toEqual({ exit: 0, stdout: "sonkrag 9.9.9 · 2026-03-29 06:00:00 UTC\n\nNo inverter yet.\n", stderr: "" });
    expect(JSON.parse((await cli(["status", "--json", "--url", server.url])).stdout)).toEqual(snapshot);
  });

  it("watches through an outage and ends with 0 on SIGTERM", async () => {
    let answers = 0;
    await using server = await serve((_, response) => {
      answers += 1;
      response.writeHead(answers === 2 ? 503 : 200).end(JSON.stringify(snapshot));
    });
    const child = startCli(["status", "--watch", "100ms", "--url", server.url]);
    const end = ended(child);
    let seen = "";
    for await (const chunk of child.stdout) {
      seen += String(chunk);
      if (/9\.9\.9[^]*got status 503[^]*9\.9\.9/.test(seen)) break;
    }
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ exit: 0, stderr: "" });
  });
});
