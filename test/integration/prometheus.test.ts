import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noRejections } from "../../src/model/reading.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { HttpServer } from "../../src/server/http.ts";
import { LiveHub } from "../../src/server/live.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { dataVectors } from "../protocol/vectors.ts";
import { dashboard } from "../support/grafana.ts";
import { online, realInverter } from "../support/readings.ts";
import { temporaryFolder } from "../support/service.ts";

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
if (!hasPromtool) console.warn("Not tested: promtool is missing (apt-get install prometheus)");

test.skipIf(!hasPromtool)("promtool takes /metrics with every captured answer in it", async () => {
  const now = Date.UTC(2026, 0, 1);
  const counters = { requests: 1, accepted: 1, rejected: noRejections(), reconnects: 0 };
  const hub = new LiveHub({ version: "1.2.3", timeZone: "UTC", now: () => now, counters: () => counters, staleAfterMs: () => 1_000 });
  hub.status(online, realInverter);
  for (const [index, { command, payload }] of dataVectors.entries()) {
    const reply = decodeReply(findRequest(command), { body: payload });
    if (reply.kind !== "data") continue;
    // Of each command the server shows the latest answer only; as many units as there are answers show all.
    const inverter = { ...realInverter, id: `axpert-${index}` };
    hub.reading({ inverter: inverter.id, at: now, command, payload, values: reply.values, derived: {}, tail: reply.tail }, inverter);
  }
  await using server = await HttpServer.open({
    host: "127.0.0.1",
    port: 0,
    fallbackPorts: false,
    hub,
    webRoot: "/nonexistent",
    logger: silentLogger,
    prometheus: {
      energy: () => ({ "axpert-1": { pv: 1.5 } }),
      export: () => ({ connected: true, pointsWritten: 1, pointsWaiting: 0, pointsDropped: 0, pointsRefused: 0 }),
    },
  });
  const response = await fetch(`${server.url}metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const input = await response.text();
  expect(input.split("\n").length).toBeGreaterThan(500);

  const { stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
  // Watt-hours, minutes and hours are meant: a value has the unit that it has everywhere else.
  const remarks = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.includes("use base unit"));
  expect(remarks).toEqual([]);
});

test.skipIf(!hasPromtool)("the dashboard asks in a way that Prometheus understands", async () => {
  const { panels } = dashboard("sonkrag-prometheus");
  const asked = panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => expr ?? []));
  expect(asked.length).toBeGreaterThan(30);
  const rules = asked.map((expr, index) => ({
    record: `asked:${index}`,
    expr: expr.replaceAll("$inverter", "axpert-1").replaceAll("$__rate_interval", "5m"),
  }));
  await using folder = await temporaryFolder();
  const file = join(folder.path, "rules.yml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
  const { status, stderr } = spawnSync("promtool", ["check", "rules", file], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
