import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Config } from "./config.ts";
import { loadConfig } from "./config-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sonkrag-influx-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function load(influx: object): Config["influx"] {
  const file = join(folder, "sonkrag.yaml");
  writeFileSync(file, JSON.stringify({ dataDir: "data", influx }));
  return loadConfig({ file, env: { HOME: folder }, cwd: folder }).config.influx;
}

test("nothing is written unless there is a URL", () => {
  expect(load({})).toBeUndefined();
  expect(load({ database: "x" })).toBeUndefined();
});

test("a URL is enough: the database's name, the pace and the queue have defaults", () => {
  expect(load({ url: "http://nas:8086" })).toEqual({
    url: "http://nas:8086",
    database: "sonkrag",
    intervalMs: 10_000,
    measurement: "sonkrag",
    inverterTag: "inverter",
    commandTag: "command",
    words: "fields",
    compress: true,
    maxQueueBytes: 200_000_000,
    folder: join(folder, "data", "influx-queue"),
  });
});

test("secrets come from their files; a bucket stands in for the database", () => {
  writeFileSync(join(folder, "token"), "abc\n");
  writeFileSync(join(folder, "secret"), "xyz\n");
  const influx = load({ url: "https://nas", org: "home", bucket: "b", tokenFile: "token", passwordFile: "secret" });
  expect(influx).toMatchObject({ bucket: "b", token: "abc", password: "xyz" });
  expect(influx).not.toHaveProperty("database");
  expect(influx).not.toHaveProperty("tokenFile");
});

test.each([
  [{ url: "mqtt://nas" }, /influx\.url: expected a URL such as/],
  [{ url: "http://anna:secret@nas" }, /influx\.url: expected a URL such as .*without user and password/],
  [{ url: "http://nas", database: "a", bucket: "b" }, /influx\.bucket: expected either database or bucket, got both/],
  [{ url: "http://nas", token: "a", tokenFile: "b" }, /influx\.tokenFile: expected either token or tokenFile, got both/],
  [{ url: "http://nas", password: "a", passwordFile: "b" }, /influx\.passwordFile: expected either password or passwordFile, got both/],
  [{ url: "http://nas", measurement: "a b" }, /influx\.measurement: expected a name/],
])("%j is told with its place", (influx, message) => {
  expect(() => load(influx)).toThrow(message);
});

test("an empty file of a token is no token", () => {
  writeFileSync(join(folder, "token"), "\n");
  expect(() => load({ url: "http://nas", tokenFile: "token" })).toThrow(/expected a token on the first line, got an empty line/);
});
