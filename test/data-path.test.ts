import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { qpigsColumns } from "../src/app/log-columns.ts";
import { silentLogger } from "../src/model/logger.ts";
import { findMetric } from "../src/model/metric.ts";
import type { InverterInfo, LinkStatus, Reading } from "../src/model/reading.ts";
import { decodeReply } from "../src/protocol/decode.ts";
import { encodeCommand } from "../src/protocol/encode.ts";
import { FrameDecoder, hex, type Frame } from "../src/protocol/frame.ts";
import { findRequest } from "../src/protocol/pi30/dialect.ts";
import { LiveHub } from "../src/server/live.ts";
import { toReading } from "../src/session/unit.ts";
import { legacyJson, legacyStatus } from "../src/sinks/legacy-topics.ts";
import { StateDocument } from "../src/sinks/state-document.ts";
import { TextLog } from "../src/sinks/text-log.ts";
import { reportsOf } from "../src/transport/hidraw.ts";
import { formatNumber, labelOf } from "../web/src/format.ts";
import { bytesOf, frameOf, replyVectors } from "./protocol/vectors.ts";

/** The page's code blocks by name, in order: a block is named behind its language. */
const page = await readFile(new URL("../docs/data-path.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/^```(\w+) (\S+)\n([^]*?)^```$/gm)].map(([, language, name, text]) => ({
  language,
  name: name!,
  text: text!.trimEnd(),
}));
function written(name: string): string {
  const found = blocks.find((block) => block.name === name);
  if (!found) throw new Error(`expected a block ${name} in docs/data-path.md, got ${blocks.map((block) => block.name).join(", ")}`);
  return found.text;
}
const writtenJson = (name: string): unknown => JSON.parse(written(name));
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const at = Date.UTC(2026, 5, 21, 10, 0, 0, 250);
const inverter: InverterInfo = {
  id: "axpert-92932105105315",
  device: "hidraw:/dev/hidraw0",
  simulated: false,
  serialNumber: "92932105105315",
};
const online: LinkStatus = { state: "online", since: at - 60_000, message: "" };
const reports = written("reports").split("\n").map(bytesOf);

function frameFromReports(): Frame {
  const decoder = new FrameDecoder();
  const [frame, ...rest] = reports.flatMap((report) => decoder.push(report));
  if (frame?.kind !== "frame" || rest.length > 0) throw new Error("expected the reports to hold one frame");
  return frame;
}

function reading(): Reading {
  const reply = decodeReply(findRequest("QPIGS"), frameFromReports());
  if (reply.kind !== "data") throw new Error(`expected data, got ${reply.kind}`);
  return toReading(inverter.id, { ...reply, at });
}

describe("docs/data-path.md", () => {
  test("has these steps and no others", () => {
    expect(blocks.map(({ name }) => name)).toEqual([
      "request",
      "output-report",
      "reports",
      "frame",
      "reply",
      "reading",
      "log",
      "legacy",
      "state",
      "live",
      "page",
    ]);
    // A block without a name would be shown and not run.
    expect(page.match(/^```/gm)).toHaveLength(2 * blocks.length);
  });

  test("request", () => {
    expect(hex(encodeCommand(findRequest("QPIGS").command))).toBe(written("request"));
    expect(reportsOf(encodeCommand("QPIGS")).map(hex).join("\n")).toBe(written("output-report"));
  });

  test("reports are the captured frame of a MAX II 8 kW, padded", () => {
    const vector = replyVectors.find(({ command, model }) => command === "QPIGS" && model === "MAX II 8 kW")!;
    expect(reports.map((report) => report.length)).toEqual(Array.from({ length: 14 }, () => 8));
    expect(hex(Uint8Array.from(reports.flatMap((report) => [...report])))).toBe(`${hex(frameOf(vector))} 00 00`);
  });

  test("frame", () => {
    const { kind, raw, body, checksum } = frameFromReports();
    expect({ kind, bytes: raw.length, body, checksum }).toEqual(writtenJson("frame"));
  });

  test("reply", () => {
    expect(asJson(decodeReply(findRequest("QPIGS"), frameFromReports()))).toEqual(writtenJson("reply"));
  });

  test("reading", () => {
    const { values, payload, ...rest } = reading();
    expect([Object.keys(values).length, payload]).toEqual([21, frameFromReports().body]);
    expect(asJson(rest)).toEqual(writtenJson("reading"));
  });

  test("log", async () => {
    const folder = await mkdtemp(join(tmpdir(), "data-path-"));
    try {
      const now = (): number => at;
      let file: string;
      {
        await using log = await TextLog.open({
          folder,
          timeZone: "Africa/Johannesburg",
          columnsOf: qpigsColumns,
          logger: silentLogger,
          now,
        });
        log.reading(reading(), inverter);
        file = log.currentFile;
      }
      expect(file).toBe(join(folder, "Axpert2026-06-21.log"));
      expect(await readFile(file, "utf8")).toBe(`${written("log")}\n`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("legacy", () => {
    // Compared as text: 398.0 is not 398 to readers that guess types.
    expect(legacyJson(legacyStatus, reading().payload)).toBe(written("legacy").replace(/\n */g, "").replaceAll('": ', '":'));
  });

  test("state", () => {
    const document = new StateDocument(inverter);
    document.setStatus(online, inverter);
    document.setReading(reading(), inverter);
    const { values, ...head } = JSON.parse(document.toJson()) as { values: Record<string, unknown> };
    const { values: shown, ...shownHead } = writtenJson("state") as { values: Record<string, unknown> };
    expect(head).toEqual(shownHead);
    // The page shows a few values of all.
    expect(Object.fromEntries(Object.keys(shown).map((name) => [name, values[name]]))).toEqual(shown);
  });

  test("live", () => {
    const counters = { requests: 1, accepted: 1, rejected: {} as never, reconnects: 0 };
    const hub = new LiveHub({ version: "0", timeZone: "UTC", now: () => at, counters: () => counters, staleAfterMs: () => 15_000 });
    hub.status(online, inverter);
    hub.reading(reading(), inverter);
    const [shown] = hub.snapshot().inverters;
    const { pvTotal, staleAfterMs, trend } = shown!;
    expect(asJson({ pvTotal, staleAfterMs, trend })).toEqual(writtenJson("live"));
  });

  test("page", () => {
    const { values, derived } = reading();
    const lines = written("page").split("\n");
    const shown = ["batteryVoltage", "loadActivePower", "pv1Power", "batteryPower"].map((name) => {
      const metric = findMetric(name);
      const value = values[name] ?? derived[name];
      return typeof value === "number" ? `${labelOf(name, metric)}: ${formatNumber(value, metric?.digits)} ${metric?.unit}` : "";
    });
    expect(shown).toEqual(lines);
  });
});
