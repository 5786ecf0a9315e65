import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lineOf, Recorder } from "../../test/support/capture.ts";
import { knows, ScriptedPort } from "../../test/support/scripted-port.ts";
import { silentLogger } from "../model/logger.ts";
import type { Values } from "../model/reading.ts";
import { encodeCommand, encodePayload } from "../protocol/encode.ts";
import { FrameDecoder, latin1 } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { Line } from "../session/line.ts";
import { captureLineOf, trafficOf, type Capture } from "../session/capture.ts";
import type { TrafficEvent } from "../session/traffic.ts";
import { wireOf, type OpenTransport } from "../session/transport.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { makeBundle, packBundle, type Bundle, type BundledInverter } from "./bundle.ts";
import { readCapture } from "./capture-file.ts";
import { loadConfig } from "./config-file.ts";
import { evidenceOf } from "./evidence.ts";
import { findingsOf } from "./findings.ts";
import { Redactor } from "./redact.ts";

const serialNumber = "92931905106458";
const parallel =
  "1 92931905106459 B 00 229.8 49.99 230.0 49.99 0115 0092 001 52.6 000 084 112.3 000 00115 00092 001 10100010 1 1 060 120 10 02 000 000.0 00";
const epoch = Date.UTC(2026, 0, 1);
const noRejections = { timeout: 0, truncated: 0, checksum: 0, noise: 0, echo: 0, foreign: 0, stale: 0, late: 0, nak: 0, malformed: 0 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-bundle-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What the unit says to each command; what fails, as its error's code. */
async function said(open: OpenTransport, clock: VirtualClock, commands: readonly string[]): Promise<unknown[]> {
  const stop = new AbortController();
  const line = new Line({ open, clock, logger: silentLogger, random: () => 0.5, onStatus: () => undefined });
  const running = line.run({ signal: stop.signal });
  const answers: unknown[] = [];
  for (const command of commands) {
    const answer = await line.ask(findRequest(command), { signal: stop.signal });
    answers.push([command, answer.kind === "data" ? (answer.values as Values) : answer.kind]);
  }
  stop.abort(new Error("enough"));
  await running;
  return answers;
}

const commands = ["QPI", "QID", "QSID", "QPGS1", "QMOD", "QPIGS", "QMN", "QID"];

async function recorded(): Promise<{ readonly answers: unknown[]; readonly events: readonly TrafficEvent[] }> {
  const clock = new VirtualClock(epoch);
  const port = new ScriptedPort(clock, knows({ QSID: `14${serialNumber}000000`, QPGS1: parallel }));
  const recorder = new Recorder(port.open, clock);
  const answers = await said(recorder.open, clock, commands);
  return { answers, events: recorder.events };
}

function bundleOf(events: readonly TrafficEvent[], log: readonly string[] = [], device = "serial:/dev/ttyUSB0"): Bundle {
  const config = {
    ...loadConfig({ env: {}, cwd: folder }).config,
    dataDir: join(homedir(), "sonkrag"),
    mqtt: { ...loadConfig({ env: {}, cwd: folder }).config.mqtt, url: "mqtt://broker.lan:1883", username: "anna", password: "geheim" },
    inverters: [{ device: "tcp://garage.lan:8899", id: undefined }],
  } as unknown as Parameters<typeof makeBundle>[0]["config"];
  const info = { id: `axpert-${serialNumber}`, device, simulated: false, serialNumber };
  const status = { state: "online", since: epoch, message: "" } as const;
  const inverter: BundledInverter = {
    info,
    card: undefined,
    link: {
      inverter: info.id,
      now: epoch,
      status,
      counters: { requests: 1, accepted: 1, rejected: noRejections, reconnects: 0 },
      commands: {},
      findings: findingsOf({ evidence: evidenceOf(events), status, everAnswered: true }),
    },
    statuses: [status],
    traffic: events,
    trafficEpoch: epoch,
  };
  return makeBundle({ version: "1.2.3", now: epoch + 1000, config, inverters: [inverter], log });
}

function bodies(capture: Capture): string[] {
  const decoder = new FrameDecoder();
  const received = trafficOf(capture).flatMap((event) => (event.kind === "received" ? decoder.push(event.bytes) : []));
  return received.map((part) => (part.kind === "frame" ? part.body : part.reason));
}

describe("a diagnosis file", () => {
  it("replays to the same values, under other serial numbers of the same length", async () => {
    const { answers, events } = await recorded();
    const bundle = bundleOf(events);
    const path = join(folder, "bundle.json.gz");
    await writeFile(path, await packBundle(bundle));
    const clock = new VirtualClock(epoch);
    const again = await said(lineOf(await readCapture(path), clock).open, clock, commands);
    const text = JSON.stringify(again);
    const other = bundle.inverters[0]?.info.serialNumber ?? "";
    expect(other).toHaveLength(14);
    expect(text).not.toContain(serialNumber);
    expect(text.replaceAll(other, serialNumber).replaceAll("99999999500002", "92931905106459")).toBe(JSON.stringify(answers));
    // Another unit is another unit.
    expect(new Set(text.match(/99999999\d{6}/g)).size).toBe(2);
  });

  it("holds no serial number, secret, host or home, whole or in pieces", async () => {
    const { events } = await recorded();
    const cut = encodePayload(serialNumber).slice(0, 9);
    const flipped = encodePayload(serialNumber).with(4, 0x7f);
    const odd: TrafficEvent[] = [
      { kind: "sent", at: 9000, bytes: encodeCommand("QID") },
      { kind: "received", at: 9100, bytes: cut },
      { kind: "sent", at: 9500, bytes: encodeCommand("QID") },
      { kind: "received", at: 9600, bytes: flipped.slice(0, 8) },
      { kind: "received", at: 9610, bytes: flipped.slice(8) },
      { kind: "sent", at: 9900, bytes: encodeCommand(`X${serialNumber}`) },
    ];
    const hex = Array.from(encodePayload(serialNumber), (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
    const log = [
      `axpert-${serialNumber}: the inverter answers at 192.168.7.20, not 127.0.0.1`,
      `expected a frame, got ${hex}`,
      `reading ${join(homedir(), "sonkrag", "x")} of garage.lan`,
    ];
    const bundle = bundleOf([...events, ...odd], log, "tcp://garage.lan:8899");
    const text = JSON.stringify(bundle);
    for (const secret of [serialNumber, "92931905106459", "garage.lan", "broker.lan", "192.168.7.20", "geheim", "anna", homedir()])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/9293190|5106458/);
    expect(bundle.log[0]).toContain("127.0.0.1");
    const capture = bundle.inverters[0]!.traffic;
    const raw = trafficOf(capture).map((event) => ("bytes" in event ? latin1(event.bytes) : ""));
    expect(raw.join("")).not.toMatch(/9293190|5106458|92931905106459/);
    // Lengths, times and damage stay.
    expect(capture.lines.map(({ t }) => t)).toEqual(events.concat(odd).map((event) => captureLineOf(event, events[0]!.at).t));
    expect(raw.map(({ length }) => length)).toEqual(events.concat(odd).map((event) => ("bytes" in event ? event.bytes.length : 0)));
    expect(bodies(capture).filter((body) => body === "restarted" || body === "checksum")).toHaveLength(2);
    expect(evidenceOf(trafficOf(capture)).good).toBe(evidenceOf(events).good);
    expect(bundle.config).toMatchObject({ mqtt: { password: "(blanked)", username: "(blanked)", url: "mqtt://host-2:1883" } });
  });

  it("leaves values, shared serial numbers and simulated ones as they are", async () => {
    const clock = new VirtualClock(epoch);
    for (const kept of ["55355535553555", "99999999000001"]) {
      const port = new ScriptedPort(clock, knows({ QID: kept }));
      const recorder = new Recorder(port.open, clock);
      await said(
        recorder.open,
        clock,
        commands.filter((command) => !/QPGS|QSID/.test(command)),
      );
      const redactor = new Redactor();
      redactor.learnFrom(recorder.events);
      expect(redactor.traffic(recorder.events)).toEqual(recorder.events);
    }
  });

  it("keeps serial numbers of units that it knows by traffic alone out of it, however the bytes are cut", () => {
    const frame = encodePayload("92931905106458");
    const events: TrafficEvent[] = [
      { kind: "opened", at: 0, wire: wireOf(2400, true) },
      { kind: "sent", at: 0, bytes: encodeCommand("QID") },
      ...Array.from(frame, (byte, index): TrafficEvent => ({ kind: "received", at: index, bytes: Uint8Array.of(byte) })),
    ];
    const redactor = new Redactor();
    redactor.learnFrom(events);
    const lines = redactor.traffic(events).map((event) => captureLineOf(event, 0));
    const header = { format: "sonkrag-capture", version: 1, program: "1", startedAt: "", device: "serial" } as const;
    expect(bodies({ header, lines })).toEqual(["99999999500001"]);
  });
});

describe("readCapture", () => {
  const header = { format: "sonkrag-capture", version: 1, program: "1.2.3", startedAt: "2026-01-01T00:00:00.000Z", device: "sim" };
  const text = `${JSON.stringify(header)}\n{"t":1,"event":"closed"}\n{"t":2,"event":"closed"}\n`;

  it("reads plain and compressed files, and compressed ones that were cut short", async () => {
    const plain = join(folder, "a.jsonl");
    await writeFile(plain, text);
    expect((await readCapture(plain)).lines).toHaveLength(2);
    const packed = join(folder, "a.jsonl.gz");
    await writeFile(packed, gzipSync(text));
    expect((await readCapture(packed)).lines).toHaveLength(2);
    await writeFile(packed, gzipSync(text).subarray(0, -12));
    expect((await readCapture(packed)).header).toEqual(header);
  });

  it("says what is wrong with others", async () => {
    await expect(readCapture(join(folder, "absent"))).rejects.toThrow("expected a readable capture, got ENOENT");
    const path = join(folder, "b.json");
    await writeFile(path, '{"format":"sonkrag-bundle","inverters":[]}');
    await expect(readCapture(path)).rejects.toThrow("a diagnosis file without one");
    await writeFile(path, '{"format":"sonkrag-bundle","inverters":[{"traffic":{}}]}');
    await expect(readCapture(path)).rejects.toThrow("inverter 1: expected a capture");
    await writeFile(path, '{"format":"sonkrag-bundle"');
    await expect(readCapture(path)).rejects.toThrow("expected a capture of sonkrag");
  });
});
