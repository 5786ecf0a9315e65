import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, readdir, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SinkError } from "../../src/model/errors.ts";
import { isMissing } from "../../src/sinks/durable-file.ts";
import { MqttLog } from "../../src/sinks/mqtt-log.ts";
import type { MqttLogOptions } from "../../src/sinks/mqtt-log.ts";
import { makeCertificates } from "../support/certificates.ts";
import { Mosquitto, freePort } from "../support/mosquitto.ts";
import { eventually, recordingLogger } from "../support/readings.ts";
import { cli, ended, startCli } from "./cli.ts";

const run = promisify(execFile);
const urlOf = ({ port }: { readonly port: number }): string => `mqtt://127.0.0.1:${port}`;

let folder: string;
let logger: ReturnType<typeof recordingLogger>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-log-mqtt-"));
  logger = recordingLogger();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openLog = (broker: { readonly port: number }, options: Partial<MqttLogOptions> = {}): Promise<MqttLog> =>
  MqttLog.open({
    broker: { url: urlOf(broker), reconnectMs: 20, logger },
    topics: ["#"],
    folder,
    format: "json",
    timeZone: "UTC",
    retryMs: 5,
    ...options,
  });

async function openPublisher(broker: { readonly port: number }): Promise<MqttClient & AsyncDisposable> {
  const client = await connectAsync(urlOf(broker), { reconnectPeriod: 20 });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.endAsync(true) });
}

type Row = Record<string, unknown>;

/** All lines of all files, in order. */
async function rows(): Promise<Row[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  const numbered = names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(folder, name), "utf8");
    } catch (error) {
      // Compressed in this moment.
      if (isMissing(error)) return "";
      throw error;
    }
  };
  const texts = await Promise.all(numbered.map(read));
  return texts.flatMap((text) => text.split("\n").filter((line) => line !== "")).map((line) => JSON.parse(line) as Row);
}

/** What was written, without times: `topic=payload`, or `#event`. */
const told = async (): Promise<string[]> =>
  (await rows()).map(({ event, topic, payload }) => (typeof event === "string" ? `#${event}` : `${String(topic)}=${String(payload)}`));
const eventuallyTold = (what: string): Promise<void> => eventually(`${what} is written`, async () => (await told()).includes(what));

test("what has changed is written, with qos and retain; with all, every message", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  await publisher.publishAsync("home/kept", "before", { retain: true });
  {
    await using log = await openLog(broker, { topics: ["home/#"] });
    await eventuallyTold("home/kept=before");
    for (const payload of ["1", "1", "2", "2", "1"]) await publisher.publishAsync("home/a", payload, { qos: 1 });
    await publisher.publishAsync("elsewhere", "1");
    await publisher.publishAsync("home/bytes", Buffer.from([0xff, 0x00]));
    await publisher.publishAsync("home/end", "");
    await eventuallyTold("home/end=");
    expect(log.health).toMatchObject({ messages: 8, unchanged: 2, connected: true, linesDropped: 0 });
  }
  expect(await told()).toEqual([
    "#connected",
    "home/kept=before",
    "home/a=1",
    "home/a=2",
    "home/a=1",
    "home/bytes=/wA=",
    "home/end=",
    "#disconnected",
  ]);
  const [, kept, first] = await rows();
  expect(kept).toMatchObject({ qos: 0, retain: true });
  expect(first).toMatchObject({ qos: 1, retain: false });

  await using log = await openLog(broker, { topics: ["home/a", "home/#"], all: true });
  await eventually("listening", async () => (await told()).includes("#gap"));
  for (const payload of ["1", "1", "1"]) await publisher.publishAsync("home/a", payload, { qos: 1 });
  await eventually("three more", () => log.health.linesWritten === 4);
  // The retained message is no news, and topics that contain each other count once.
  expect((await told()).slice(8)).toEqual(["#gap", "home/a=1", "home/a=1", "home/a=1"]);
});

test("a broker that is killed and comes back: the gap is written, and what it had retained is no news unless it has changed", async () => {
  const store = await mkdtemp(join(tmpdir(), "sonkrag-broker-store-"));
  const persistent = ["persistence true", `persistence_location ${store}/`, "autosave_on_changes true", "autosave_interval 1"];
  await using broker = await Mosquitto.start(["allow_anonymous true", ...persistent]);
  await using publisher = await openPublisher(broker);
  await using log = await openLog(broker, { all: true });
  await eventuallyTold("#connected");
  for (const topic of ["same", "other"]) await publisher.publishAsync(topic, "1", { retain: true, qos: 1 });
  await eventuallyTold("other=1");
  const killedAt = Date.now();
  await broker.kill();
  await eventuallyTold("#disconnected");
  await broker.restart();
  await eventually("the publisher is back", () => publisher.connected);
  await publisher.publishAsync("other", "2", { retain: true, qos: 1 });
  await eventuallyTold("other=2");
  await eventually("the broker has sent again what it had", () => log.health.unchanged > 0);
  const gap = (await rows()).find(({ event }) => event === "gap");
  expect(gap?.["reason"]).toMatch(/closed the connection/);
  const [from, to] = [Date.parse(String(gap?.["from"])), Date.parse(String(gap?.["to"]))];
  expect(from).toBeGreaterThanOrEqual(killedAt);
  expect(to).toBeGreaterThan(from);
  expect((await told()).toSorted()).toEqual(["#connected", "#disconnected", "#gap", "other=1", "other=2", "same=1"]);
  expect(log.health).toMatchObject({ linesDropped: 0, connected: true });
  await rm(store, { recursive: true });
});

test("a connection that dies in silence: the gap begins with the last that was heard", async () => {
  await using broker = await Mosquitto.start();
  await using log = await openLog(broker, { broker: { url: urlOf(broker), keepaliveS: 1, reconnectMs: 20, logger } });
  await eventuallyTold("#connected");
  const stoppedAt = Date.now();
  broker.signal("SIGSTOP");
  await eventuallyTold("#disconnected");
  broker.signal("SIGCONT");
  await eventuallyTold("#gap");
  const gap = (await rows()).find(({ event }) => event === "gap");
  expect(Date.parse(String(gap?.["from"]))).toBeLessThanOrEqual(stoppedAt + 50);
  expect(gap?.["reason"]).toMatch(/does not answer any more/);
  expect(log.health.everConnected).toBe(true);
});

test("a full disk: told once, the rest goes on in order, what was lost is counted in the file and is news when it comes again", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  const disk = { isFull: false };
  const openForAppend = async (path: string): Promise<FileHandle> => {
    if (disk.isFull) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    return await open(path, "a");
  };
  await using log = await openLog(broker, { openForAppend, bufferLines: 3 });
  await eventuallyTold("#connected");
  disk.isFull = true;
  for (let index = 1; index <= 8; index++) await publisher.publishAsync(`t${index}`, "1", { qos: 1 });
  await eventually("taken in", () => log.health.messages === 8 && log.health.linesDropped > 0);
  disk.isFull = false;
  await eventuallyTold("t8=1");
  const lost = log.health.linesDropped;
  expect(await told()).toEqual(["#connected", "#lost", ...Array.from({ length: 8 - lost }, (_, index) => `t${lost + index + 1}=1`)]);
  expect((await rows())[1]).toMatchObject({ lines: lost, reason: "the disk could not be written" });
  await publisher.publishAsync("t1", "1");
  await eventuallyTold("t1=1");
  expect(logger.texts("error").filter((text) => text.includes("the disk is full"))).toHaveLength(1);
});

test("more topics than are remembered: memory is bounded, and it is told once", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  await using log = await openLog(broker, { maxTopics: 50 });
  await eventuallyTold("#connected");
  for (let round = 0; round < 2; round++)
    for (let index = 0; index < 100; index++) await publisher.publishAsync(`t${index}`, "1", { qos: 1 });
  await eventually("all came", () => log.health.messages === 200);
  expect(log.health.unchanged).toBe(0);
  expect(logger.texts("warn")).toEqual([expect.stringMatching(/more than 50 topics/)]);
});

test("a broker that refuses subscriptions: the others are written; with none left it ends with the reason", async () => {
  const aedes = await Aedes.createBroker();
  aedes.authorizeSubscribe = (_client, subscription, callback) =>
    callback(null, subscription.topic.startsWith("secret") ? null : subscription);
  const server = createServer((socket) => aedes.handle(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  {
    await using _log = await openLog({ port }, { topics: ["secret/a", "public/#"] });
    await eventuallyTold("#connected");
    expect(logger.texts("error")).toEqual([
      expect.stringMatching(/does not let this client subscribe to secret\/a; the other topics are written/),
    ]);
  }
  {
    await using log = await openLog({ port }, { topics: ["secret/a"] });
    await expect(log.run({ signal })).rejects.toThrow(SinkError);
  }
  server.close();
  await new Promise<void>((resolve) => aedes.close(resolve));
});

const logArgs = (broker: { readonly port: number }, ...more: readonly string[]): string[] => {
  const common = ["--broker", urlOf(broker), "--folder", folder, "--format", "json", "--time-zone", "UTC"];
  return ["log-mqtt", "#", ...common, ...more];
};

test("the program killed with -9 in mid-stream, its last line torn: mended, nothing doubled, the gap is written", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  await publisher.publishAsync("kept", "1", { retain: true });
  let sent = 0;
  for (let round = 0; round < 3; round++) {
    const child = startCli(logArgs(broker));
    const exit = ended(child);
    await eventually(
      "it listens",
      async () => (await told()).filter((line) => line === "#connected" || line === "#gap").length > 2 * round,
      20_000,
    );
    const first = sent;
    await eventually("lines are written", async () => {
      await publisher.publishAsync("count", String(++sent), { qos: 1 });
      return (await told()).includes(`count=${first + 20 + round}`);
    });
    child.kill("SIGKILL");
    expect((await exit).exit).toBe("SIGKILL");
    const [name = ""] = (await readdir(folder)).filter((each) => each.endsWith(".jsonl"));
    await writeFile(join(folder, name), `{"at":"2026-06-01T10:00:00.000Z","topic":"torn${round}`, { flag: "a" });
    await expect(rows()).rejects.toThrow(SyntaxError);
    const mending = await cli(logArgs(broker, "--once"));
    expect(mending.exit).toBe(0);
  }
  const lines = await told();
  const counts = lines.filter((line) => line.startsWith("count="));
  expect(new Set(counts).size).toBe(counts.length);
  expect(counts.length).toBeGreaterThan(60);
  expect(lines.filter((line) => line === "kept=1")).toHaveLength(1);
  expect(lines.filter((line) => line === "#gap")).toHaveLength(5);
  const gaps = (await rows()).filter(({ event }) => event === "gap");
  expect(gaps.every(({ reason }) => reason === "the log was not running")).toBe(true);
  const torn = await readFile(join(folder, (await readdir(folder)).find((name) => name.endsWith(".torn")) ?? ""), "utf8");
  expect(torn.split("\n").filter((line) => line !== "")).toHaveLength(3);
}, 60_000);

test("Ctrl-C and SIGTERM end it with everything written", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  for (const [round, signal] of (["SIGINT", "SIGTERM"] as const).entries()) {
    const child = startCli(logArgs(broker, "--all"));
    const exit = ended(child);
    await eventually(
      "it listens",
      async () => (await told()).filter((line) => line === "#connected" || line === "#gap").length > round,
      20_000,
    );
    for (let index = 0; index < 300; index++) await publisher.publishAsync(signal, String(index), { qos: 1 });
    // Its own message behind the others has reached it: so have they.
    await eventuallyTold(`${signal}=299`);
    child.kill(signal);
    const { exit: code, stdout, stderr } = await exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/300 messages, 0 of them nothing new; 302 lines written, 0 lost/);
    expect((await told()).at(-1)).toBe("#disconnected");
    expect((await rows()).at(-1)).toMatchObject({ reason: "stopped" });
  }
  expect((await told()).filter((line) => line.startsWith("SIG"))).toHaveLength(600);
}, 60_000);

test("--once writes what the broker has retained; as text by default", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  for (const topic of ["a", "b"]) await publisher.publishAsync(topic, "1\n2", { retain: true, qos: 1 });
  const { exit, stdout } = await cli([
    "log-mqtt",
    "+",
    "--once",
    "--broker",
    urlOf(broker),
    "--folder",
    folder,
    "--name",
    "house",
    "--time-zone",
    "UTC",
  ]);
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
  const [name = ""] = (await readdir(folder)).filter((each) => each.endsWith(".log"));
  expect(name).toMatch(/^house-\d{4}-\d{2}-\d{2}\.log$/);
  const lines = (await readFile(join(folder, name), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => line.split("\t").slice(1))).toEqual([
    ["#connected", "{}"],
    ["a", String.raw`1\n2`],
    ["b", String.raw`1\n2`],
    ["#disconnected", '{"reason":"stopped"}'],
  ]);
});

test("user and password: the right ones work, wrong ones end it with the reason; none is taken from the command line", async () => {
  const passwords = join(folder, "passwords");
  await run("mosquitto_passwd", ["-b", "-c", passwords, "sonkrag", "right"]);
  await writeFile(join(folder, "right"), "right\nsecond line\n");
  await writeFile(join(folder, "wrong"), "wrong\n");
  await using broker = await Mosquitto.start(["allow_anonymous false", `password_file ${passwords}`]);
  const login = (file: string): string[] => logArgs(broker, "--once", "--user", "sonkrag", "--password-file", join(folder, file));
  expect((await cli(login("right"))).exit).toBe(0);
  const wrong = await cli(login("wrong"));
  expect(wrong.exit).toBe(1);
  expect(wrong.stderr).toMatch(/^sonkrag: The MQTT broker at mqtt:.*user name or password/m);
  const missing = await cli(login("missing"));
  expect(missing.exit).toBe(2);
  expect(missing.stderr).toMatch(/missing: expected the file of --password-file/);
  const inUrl = await cli(["log-mqtt", "#", "--broker", "mqtt://me:topsecret@127.0.0.1", "--folder", folder]);
  expect(inUrl.exit).toBe(2);
  expect(inUrl.stderr).toMatch(/use --password-file/);
  expect(inUrl.stderr).not.toMatch(/topsecret/);
}, 30_000);

test("TLS with an own authority and a client certificate; an unknown authority ends it with the reason", async () => {
  await makeCertificates(folder);
  const file = (name: string): string => join(folder, name);
  const files = [`cafile ${file("ca.pem")}`, `certfile ${file("server.pem")}`, `keyfile ${file("server.key")}`];
  await using broker = await Mosquitto.start(["allow_anonymous true", "require_certificate true", ...files]);
  const args = ["log-mqtt", "#", "--once", "--broker", `mqtts://localhost:${broker.port}`, "--folder", folder, "--format", "json"];
  const trusted = await cli([...args, "--ca", "ca.pem", "--cert", "client.pem", "--key", "client.key"], { cwd: folder });
  expect(trusted.exit).toBe(0);
  expect(await told()).toEqual(["#connected", "#disconnected"]);
  const unknown = await cli(args);
  expect(unknown.exit).toBe(1);
  expect(unknown.stderr).toMatch(/^sonkrag: The MQTT broker at mqtts:.* its certificate is not signed by a known authority/m);
}, 30_000);

test("the next day begins a new file; finished ones are compressed, and only so many are kept", async () => {
  await using broker = await Mosquitto.start();
  await using publisher = await openPublisher(broker);
  let now = Date.UTC(2026, 5, 1, 23, 59);
  await using log = await openLog(broker, { compress: true, keep: { files: 3 }, now: () => now });
  await eventuallyTold("#connected");
  for (let day = 1; day <= 4; day++) {
    await publisher.publishAsync("day", String(day), { qos: 1 });
    await eventuallyTold(`day=${day}`);
    now += 86_400_000;
  }
  await publisher.publishAsync("day", "5", { qos: 1 });
  const kept = ["mqtt-2026-06-03.jsonl.gz", "mqtt-2026-06-04.jsonl.gz", "mqtt-2026-06-05.jsonl"];
  await eventually("tidied", async () => JSON.stringify((await readdir(folder)).toSorted()) === JSON.stringify(kept));
  expect(log.currentFile).toBe(join(folder, "mqtt-2026-06-05.jsonl"));
});

test.each([
  [["#", "--once"], 1, /refused the connection: nothing listens there/],
  [["#", "--duration", "300ms"], 1, /refused the connection: nothing listens there/],
  [["a/#/b"], 2, /Expected # alone and at the end of a topic, as in power\/#, got "a\/#\/b"/],
  [["#", "--broker", "http://x"], 2, /Expected the broker as mqtt:\/\//],
  [["#", "--ca", "missing.pem"], 2, /Expected mqtts:\/\/ or wss:\/\/ for the broker/],
  [["#", "--broker", "mqtts://localhost", "--ca", "missing.pem"], 2, /Expected a readable ca file/],
  [["#", "--keep", "soon"], 2, /Expected a number of files such as 30, or of days such as 90d/],
  [["#", "--max-size", "10"], 2, /Expected a size such as 500kB/],
  [["#", "--duration", "9999h"], 2, /Expected a duration such as 30s/],
  [["#", "--name", "../x"], 2, /--name: expected letters/],
  [["#", "--time-zone", "Mars"], 2, /Expected an IANA time zone/],
  [["#", "--folder", "/dev/null/none"], 2, /expected a folder for data that can be written at \/dev\/null\/none/],
  [[], 2, /missing required argument 'topics'/],
])("%j ends with %i and says why", async (args, code, words) => {
  const nobody = `mqtt://127.0.0.1:${await freePort()}`;
  const { exit, stderr } = await cli(["log-mqtt", "--broker", nobody, "--folder", folder, ...args]);
  expect({ exit, stderr }).toEqual({ exit: code, stderr: expect.stringMatching(words) as unknown });
});

test("two of them do not write the same files", async () => {
  await using broker = await Mosquitto.start();
  const child = startCli(logArgs(broker));
  const exit = ended(child);
  await eventually("it listens", async () => (await told()).includes("#connected"), 20_000);
  const second = await cli(logArgs(broker, "--once"));
  expect(second.exit).toBe(2);
  expect(second.stderr).toMatch(new RegExp(`is in use by process ${child.pid} .*--folder`));
  child.kill("SIGTERM");
  expect((await exit).exit).toBe(0);
});
