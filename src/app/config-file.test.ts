import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../model/errors.ts";
import { exampleConfig } from "./config-docs.ts";
import { loadConfig, type ConfigFlags, type LoadOptions } from "./config-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sonkrag-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const env = { HOME: "/home/anna" };

function load(yaml: string, flags: ConfigFlags = {}, options: LoadOptions = {}) {
  const file = join(folder, "sonkrag.yaml");
  writeFileSync(file, yaml);
  return loadConfig({ file, flags, env, cwd: folder, ...options }).config;
}

/** The mistakes found, one a line, without the folder. */
function mistakes(yaml: string, flags: ConfigFlags = {}): string[] {
  try {
    load(yaml, flags);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(`${folder}/`, "").split("\n");
  }
  return [];
}

describe("defaults", () => {
  it("are used for everything when there is no file", () => {
    const { config, file } = loadConfig({ env, cwd: folder });
    expect(file).toBeUndefined();
    expect(config).toMatchObject({
      dataDir: "/home/anna/.local/share/sonkrag",
      inverters: [{ device: "auto" }],
      poll: { fastMs: 5000, mediumMs: 15_000, slowMs: 60_000 },
      textLog: { enabled: true, folder: "/home/anna/.local/share/sonkrag/log", format: "classic", intervalMs: 30_000, compress: false },
      mqtt: { enabled: true, prefix: "sonkrag/v1", embeddedPort: 1883, legacy: { enabled: true, unitTopic: "power/axpert{sn}" } },
      http: { enabled: true, host: "127.0.0.1", port: 8480 },
    });
    expect(config.mqtt.url).toBeUndefined();
    expect(config.site.timeZone).not.toBe("");
  });

  it("are the same for an empty file and for the example", () => {
    const none = loadConfig({ env, cwd: folder }).config;
    expect(load("")).toEqual(none);
    expect(load(exampleConfig())).toEqual(none);
  });

  it("hold for a section whose keys are all commented out", () => {
    expect(load("mqtt:\n  # url: mqtt://x\nhttp: {port: 1}\n")).toMatchObject({ mqtt: { enabled: true }, http: { port: 1 } });
  });
});

describe("the data folder", () => {
  it.each([
    [{ STATE_DIRECTORY: "/var/lib/sonkrag:/var/lib/other", XDG_DATA_HOME: "/x" }, "/var/lib/sonkrag"],
    [{ XDG_DATA_HOME: "/x" }, "/x/sonkrag"],
    [{ XDG_DATA_HOME: "not/absolute" }, "/home/anna/.local/share/sonkrag"],
  ])("%j → %s", (more, expected) => {
    expect(loadConfig({ env: { ...env, ...more }, cwd: folder }).config.dataDir).toBe(expected);
  });

  it("counts from the folder of the file, from the working folder on the command line, and knows ~", () => {
    expect(load("dataDir: data").dataDir).toBe(join(folder, "data"));
    expect(load("dataDir: ~/data").dataDir).toBe("/home/anna/data");
    expect(load("dataDir: data", { dataDir: "other" }, { cwd: "/srv" }).dataDir).toBe("/srv/other");
    expect(load("dataDir: data\ntextLog: {folder: log}").textLog.folder).toBe(join(folder, "log"));
  });
});

describe("the file", () => {
  it("is the given one, else $SONKRAG_CONFIG, else ./sonkrag.yaml", () => {
    writeFileSync(join(folder, "sonkrag.yaml"), "http: {port: 1}");
    writeFileSync(join(folder, "two.yaml"), "http: {port: 2}");
    writeFileSync(join(folder, "three.yaml"), "http: {port: 3}");
    const port = (options: LoadOptions) => loadConfig({ env, cwd: folder, ...options }).config.http.port;
    expect(port({})).toBe(1);
    expect(port({ env: { ...env, SONKRAG_CONFIG: "two.yaml" } })).toBe(2);
    expect(port({ env: { ...env, SONKRAG_CONFIG: "two.yaml" }, file: "three.yaml" })).toBe(3);
    expect(loadConfig({ env, cwd: folder }).file).toBe(join(folder, "sonkrag.yaml"));
  });

  it("must be there when it is named", () => {
    expect(() => loadConfig({ env, cwd: folder, file: "none.yaml" })).toThrow(
      /none\.yaml: expected the configuration file, could not read it: ENOENT/,
    );
  });
});

describe("mistakes", () => {
  it("are told all at once, each with its place, in the order of the file", () => {
    const yaml = `site:
  timeZone: Mars/Base
inverters:
  - device: usb
  - device: sim
    id: A B
    bogus: 1
pol: {}
poll:
  fast: 5000
  slow: 30h
  medum: 3s
mqtt:
  enabled: yes
  embeddedPort: 5_000
  cert: client.pem
  password: hunter2
  passwordFile: secret
  legacy:
    unitTopic: a/#
textLog:
  format: clasic
log: []
`;
    expect(mistakes(yaml)).toEqual([
      'sonkrag.yaml:2:13: site.timeZone: expected an IANA time zone such as Europe/Berlin or Africa/Johannesburg, got "Mars/Base"',
      expect.stringMatching(/^sonkrag\.yaml:4:13: inverters\[0\]\.device: expected one of auto, hidraw:.*got "usb"$/),
      'sonkrag.yaml:6:9: inverters[1].id: expected an id of lower-case letters, digits and hyphens, got "A B"',
      expect.stringContaining('sonkrag.yaml:7:5: unknown key "bogus" in inverters[1]; known here: device, id') as string,
      'sonkrag.yaml:8:1: unknown key "pol"; did you mean "poll"?',
      "sonkrag.yaml:10:9: poll.fast: expected a duration from 0s to 1h, such as 500ms, 5s, 5min or 1h, got 5000; write it with its unit, e.g. 5000s or 5000ms",
      'sonkrag.yaml:11:9: poll.slow: expected a duration from 0s to 24h, such as 500ms, 5s, 5min or 1h, got "30h"',
      'sonkrag.yaml:12:3: unknown key "medum" in poll; did you mean "medium"?',
      'sonkrag.yaml:14:12: mqtt.enabled: expected true or false, got "yes"; write true',
      'sonkrag.yaml:15:17: mqtt.embeddedPort: expected a whole number from 0 to 65535, got "5_000"; write 5000',
      "sonkrag.yaml:16:9: mqtt.cert: expected key beside cert, got cert alone",
      "sonkrag.yaml:18:17: mqtt.passwordFile: expected either password or passwordFile, got both",
      'sonkrag.yaml:20:16: mqtt.legacy.unitTopic: expected an MQTT topic without #, + or a slash at either end, got "a/#"',
      'sonkrag.yaml:22:11: textLog.format: expected classic or csv, got "clasic"; did you mean "classic"?',
      "sonkrag.yaml:23:6: log: expected a section with keys, got an empty list",
    ]);
  });

  it("of YAML itself have their place", () => {
    expect(mistakes("http: {port: 1}\nhttp: {port: 2}\n")).toEqual(["sonkrag.yaml:2:1: not valid YAML: Map keys must be unique"]);
    expect(mistakes("a: [1\nb: 2")[0]).toMatch(/^sonkrag\.yaml:2:\d+: not valid YAML: /);
    expect(mistakes("inverters:\n  - device: sim:\n")).toEqual([
      'sonkrag.yaml:2:13: not valid YAML: Nested mappings are not allowed in compact mappings; a value that ends in a colon needs quotes: "sim:"',
    ]);
    expect(mistakes("- a")).toEqual(["sonkrag.yaml:1:1: the file: expected a section with keys, got a list"]);
  });

  it("point at the value behind an alias", () => {
    expect(mistakes("http: &h\n  port: -1\nsite: {timeZone: UTC}\n")).toEqual([
      "sonkrag.yaml:2:9: http.port: expected a whole number from 0 to 65535, got -1",
    ]);
    expect(mistakes("site: &s {timeZone: UTC, x: 1}\nhttp: *s\n")).toHaveLength(3);
  });

  it("never show a password", () => {
    expect(mistakes("mqtt: {password: [hunter2]}").join()).not.toContain("hunter2");
    expect(mistakes("mqtt: {url: 'mqtt://me:hunter2@broker'}").join()).not.toContain("hunter2");
  });

  it("name the inverter that has the same id or device, however it is spelt", () => {
    expect(mistakes("inverters:\n  - device: /dev/ttyUSB0\n    id: a\n  - device: serial:/dev/ttyUSB0?baud=2400\n    id: a\n")).toEqual([
      "sonkrag.yaml:4:13: inverters[1].device: the same device as inverter 1 of the list",
      "sonkrag.yaml:5:9: inverters[1].id: the same id as inverter 1 of the list",
    ]);
  });

  it("of the command line name the flag", () => {
    expect(mistakes("poll: {fast: 5s}", { poll: "5", device: ["usb"], logLevel: "inf", mqtt: "broker" })).toEqual([
      expect.stringMatching(/^--device: inverters\[0\]\.device: expected one of auto/),
      expect.stringMatching(/^--poll: poll\.fast: expected a duration .*, got "5"$/),
      expect.stringMatching(/^--mqtt: mqtt\.url: expected a broker URL .*, got "broker"$/),
      '--log-level: log.level: expected debug or info or warn or error, got "inf"; did you mean "info"?',
    ]);
    expect(mistakes("", { http: "a:b" })).toEqual(['--http: expected HOST:PORT, PORT or off, got "a:b"']);
  });
});

describe("flags", () => {
  it("go over the file", () => {
    const config = load("http: {port: 1, host: '::'}\nmqtt: {url: mqtt://old, prefix: mine}\n", {
      http: "[::1]:0",
      mqtt: "mqtts://new",
      poll: "1s",
      logFormat: "json",
    });
    expect(config).toMatchObject({
      http: { host: "::1", port: 0 },
      mqtt: { url: "mqtts://new", prefix: "mine" },
      poll: { fastMs: 1000 },
      log: { format: "json" },
    });
  });

  it("switch outputs off, or back to the embedded broker", () => {
    expect(load("", { http: "off", mqtt: "off" })).toMatchObject({ http: { enabled: false }, mqtt: { enabled: false } });
    expect(load("mqtt: {url: mqtt://old}", { mqtt: "embedded" }).mqtt.url).toBeUndefined();
    expect(load("http: {host: '::', enabled: false}", { http: "81" }).http).toEqual({ enabled: true, host: "::", port: 81 });
  });

  it("replace the inverters and keep what the file says of the same device", () => {
    const yaml = "inverters:\n  - device: serial:/dev/ttyUSB0\n    id: garage\n  - device: sim\n";
    expect(load(yaml, { device: ["/dev/ttyUSB0", "tcp://h:1"] }).inverters).toEqual([
      { device: "serial:/dev/ttyUSB0", id: "garage" },
      { device: "tcp://h:1" },
    ]);
  });
});

describe("passwordFile", () => {
  it("gives the first line as the password", () => {
    writeFileSync(join(folder, "secret"), "hunter2\r\nmore\n");
    const { mqtt } = load("mqtt: {username: me, passwordFile: secret}");
    expect(mqtt.password).toBe("hunter2");
    expect(mqtt).not.toHaveProperty("passwordFile");
  });

  it("must be there and not empty", () => {
    expect(mistakes("mqtt: {passwordFile: none}")[0]).toMatch(/^none: expected the file of mqtt\.passwordFile, could not read it: ENOENT/);
    writeFileSync(join(folder, "empty"), "\n");
    expect(mistakes("mqtt: {passwordFile: empty}")).toEqual(["empty: expected a password on the first line, got an empty line"]);
  });
});
