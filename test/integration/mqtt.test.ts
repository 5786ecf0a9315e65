import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { Aedes } from "aedes";
import { expect, test } from "vitest";
import { EmbeddedBroker } from "../../src/app/broker.ts";
import { ConfigError } from "../../src/model/errors.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { MqttSink } from "../../src/sinks/mqtt.ts";
import type { MqttOptions } from "../../src/sinks/mqtt.ts";
import { makeCertificates } from "../support/certificates.ts";
import { Listener } from "../support/listener.ts";
import { Mosquitto, freePort } from "../support/mosquitto.ts";
import { eventually, online, payloads, readingOf, realInverter, recordingLogger, silent, simulatedInverter } from "../support/readings.ts";

const run = promisify(execFile);
const urlOf = (broker: Mosquitto): string => `mqtt://127.0.0.1:${broker.port}`;
const openSink = (broker: Mosquitto, options: Partial<MqttOptions> = {}): Promise<MqttSink> =>
  MqttSink.open({ url: urlOf(broker), logger: silentLogger, reconnectMs: 20, stateIntervalMs: 50, ...options });
const connected = (sink: MqttSink): Promise<void> => eventually("connected", () => sink.health.connected);
const at = Date.UTC(2026, 0, 1, 12);

test("the older add-on's three topics carry the payloads' values, not retained by default", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await Listener.open(urlOf(broker));
  await using sink = await openSink(broker);
  await connected(sink);
  for (const [command, payload] of Object.entries(payloads)) sink.reading(readingOf(at, { command, payload }), realInverter);
  await eventually("three topics", () => listener.count("power/axpert_settings") === 1);
  expect(listener.json("power/axpert")).toMatchObject({ SerialNumber: 92931905106458, GridVoltage: 232, OutputMode: 1, Solarmode: 1 });
  expect(listener.json("power/axpert92931905106458")).toMatchObject({ BusVoltage: 418, DeviceStatus: "00010101" });
  expect(listener.json("power/axpert_settings")).toMatchObject({ BatteryType: "User", MaxParallelUnits: 9 });
  await using late = await Listener.open(urlOf(broker));
  await eventually("the retained ones", () => late.count("sonkrag/v1/axpert-1/state") > 0);
  expect(late.heard.filter(({ topic }) => topic.startsWith("power/"))).toEqual([]);
});

test("topic names, retaining and the prefix are configurable; the older topics can be switched off", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await Listener.open(urlOf(broker));
  {
    await using sink = await openSink(broker, { prefix: "house/pv", legacy: { parallelTopic: "solar/{sn}/all", retain: true } });
    await connected(sink);
    sink.reading(readingOf(at, { command: "QPGS0", payload: payloads.QPGS0 }), realInverter);
    await eventually("both", () => listener.count("solar/92931905106458/all") === 1 && listener.count("house/pv/axpert-1/state") > 0);
  }
  await using sink = await openSink(broker, { prefix: "quiet", legacy: { enabled: false } });
  await connected(sink);
  sink.reading(readingOf(at), simulatedInverter);
  await eventually("state", () => listener.count("quiet/sim-1/state") > 0);
  expect(listener.heard.filter(({ topic }) => topic.startsWith("power/"))).toEqual([]);
  await using late = await Listener.open(urlOf(broker));
  await eventually("retained", () => late.last("solar/92931905106458/all")?.retained === true);
});

test("a topic without a serial number belongs to the first inverter; one with it waits until the number is known", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await Listener.open(urlOf(broker));
  await using sink = await openSink(broker);
  await connected(sink);
  const { serialNumber: _unknown, ...unnamed } = realInverter;
  sink.reading(readingOf(at), unnamed);
  const second = { ...realInverter, id: "axpert-2", serialNumber: "92931905106463" };
  sink.reading(readingOf(at, { command: "QPGS0", payload: payloads.QPGS0, inverter: "axpert-2" }), second);
  sink.reading(readingOf(at, { inverter: "axpert-2" }), second);
  await eventually("the second's own topic", () => listener.count("power/axpert92931905106463") === 1);
  expect(listener.heard.map(({ topic }) => topic).filter((topic) => topic.startsWith("power/axpert"))).toEqual([
    "power/axpert92931905106463",
  ]);
});

test("state and availability are retained; a silent device is offline and says why", async () => {
  await using broker = await Mosquitto.start();
  await using sink = await openSink(broker);
  await connected(sink);
  sink.status(online, realInverter);
  sink.reading(readingOf(at), realInverter);
  sink.status(silent, realInverter);
  await using listener = await Listener.open(urlOf(broker));
  await eventually("state", () => listener.count("sonkrag/v1/axpert-1/state") >= 1);
  await eventually("silent", () => (listener.json("sonkrag/v1/axpert-1/state")?.["status"] as { state?: string })?.state === "silent");
  expect(listener.last("sonkrag/v1/axpert-1/availability")).toMatchObject({ text: "offline" });
  expect(listener.last("sonkrag/v1/status")).toEqual({ topic: "sonkrag/v1/status", text: "online", retained: true });
  expect(listener.json("sonkrag/v1/axpert-1/state")).toMatchObject({
    inverter: "axpert-1",
    simulated: false,
    status: { message: "The inverter does not answer." },
    values: { batteryVoltage: { value: 52, unit: "V", at: "2026-01-01T12:00:00.000Z", command: "QPIGS", origin: "measured" } },
  });
});

test("the state comes at most once per interval, with the latest values", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await Listener.open(urlOf(broker));
  await using sink = await openSink(broker, { stateIntervalMs: 200 });
  await connected(sink);
  for (let index = 0; index < 500; index++)
    sink.reading(readingOf(at + index, { values: { gridVoltage: index }, derived: {} }), realInverter);
  const voltage = (): unknown =>
    (listener.json("sonkrag/v1/axpert-1/state")?.["values"] as { gridVoltage?: { value: number } })?.gridVoltage?.value;
  await eventually("the latest value", () => voltage() === 499);
  expect(listener.count("sonkrag/v1/axpert-1/state")).toBe(2);
});

test("a simulated inverter is marked on the older topics' level too; a real one takes the mark away", async () => {
  await using broker = await Mosquitto.start();
  {
    await using sink = await openSink(broker);
    await connected(sink);
    sink.reading(readingOf(at, { inverter: "sim-1" }), simulatedInverter);
  }
  {
    await using listener = await Listener.open(urlOf(broker));
    await eventually("notice", () => listener.count("power/simulated") > 0 && listener.count("sonkrag/v1/sim-1/state") > 0);
    expect(listener.last("power/simulated")?.text).toBe("These topics come from sonkrag's simulated inverter; nothing here is real.");
    expect(listener.json("sonkrag/v1/sim-1/state")?.["simulated"]).toBe(true);
  }
  await using sink = await openSink(broker);
  await connected(sink);
  sink.reading(readingOf(at), realInverter);
  await sink[Symbol.asyncDispose]();
  await using listener = await Listener.open(urlOf(broker));
  await eventually("the retained ones", () => listener.count("sonkrag/v1/axpert-1/state") > 0);
  expect(listener.count("power/simulated")).toBe(0);
});

test("closing says offline for us and for each device", async () => {
  await using broker = await Mosquitto.start();
  const sink = await openSink(broker);
  await connected(sink);
  sink.status(online, realInverter);
  await sink[Symbol.asyncDispose]();
  await using listener = await Listener.open(urlOf(broker));
  await eventually("offline", () => listener.heard.length >= 3);
  expect(listener.last("sonkrag/v1/status")?.text).toBe("offline");
  expect(listener.last("sonkrag/v1/axpert-1/availability")?.text).toBe("offline");
});

test("a process that dies leaves its last will", async () => {
  await using broker = await Mosquitto.start();
  await using listener = await Listener.open(urlOf(broker));
  await using wire = await openWire(broker);
  await using sink = await openSink(broker, { url: wire.url });
  await eventually("online", () => listener.last("sonkrag/v1/status")?.text === "online");
  expect(sink.health.connected).toBe(true);
  // What a kill does to the connection: it ends without a farewell.
  wire.cut();
  await eventually("the will", () => listener.heard.some(({ topic, text }) => topic === "sonkrag/v1/status" && text === "offline"));
});

test("broker killed with -9 and started again: comes back by itself, with the newest state and nothing old", async () => {
  await using broker = await Mosquitto.start();
  const logger = recordingLogger();
  await using sink = await openSink(broker, { logger });
  await connected(sink);
  sink.status(online, realInverter);
  sink.reading(readingOf(at, { values: { gridVoltage: 1 }, derived: {} }), realInverter);
  await broker.kill();
  await eventually("noticed", () => !sink.health.connected);
  expect(sink.health.trouble).toMatch(/closed the connection/);
  for (let index = 2; index <= 1_000; index++) {
    sink.reading(readingOf(at + index, { values: { gridVoltage: index }, derived: {} }), realInverter);
  }
  await broker.restart();
  await using listener = await Listener.open(urlOf(broker));
  await eventually("state is back", () => listener.count("sonkrag/v1/axpert-1/state") > 0);
  expect(listener.json("sonkrag/v1/axpert-1/state")).toMatchObject({ values: { gridVoltage: { value: 1_000 } } });
  await eventually("all retained topics are back", () => listener.last("sonkrag/v1/status")?.text === "online");
  expect(listener.last("sonkrag/v1/axpert-1/availability")?.text).toBe("online");
  expect(listener.count("power/axpert92931905106458")).toBeLessThanOrEqual(1);
  expect(logger.texts("warn")).toHaveLength(1);
  expect(logger.texts("info").at(-1)).toMatch(/^Connected to the MQTT broker at mqtt:\/\/127\.0\.0\.1:\d+ again after \d+ s$/);
});

test("a broker that comes up after us is found; until then one plain line", async () => {
  const port = await freePort();
  const logger = recordingLogger();
  await using sink = await MqttSink.open({ url: `mqtt://user:secret@127.0.0.1:${port}`, logger, reconnectMs: 10 });
  await eventually("several tries", () => sink.health.trouble?.includes("refused the connection") === true);
  await using broker = await EmbeddedBroker.open({ port, logger: silentLogger });
  await eventually("connected", () => sink.health.connected);
  expect(broker.port).toBe(port);
  expect(logger.texts("warn")).toEqual([
    `The MQTT broker at mqtt://127.0.0.1:${port} refused the connection: nothing listens there, or a firewall forbids it. ` +
      "Everything else goes on; the connection is tried again by itself",
  ]);
  expect(logger.texts().join()).not.toContain("secret");
});

test("a wrong password is named as such; the right one works", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-password-"));
  const file = join(folder, "passwords");
  await run("mosquitto_passwd", ["-b", "-c", file, "sonkrag", "right"]);
  await using broker = await Mosquitto.start(["allow_anonymous false", `password_file ${file}`]);
  const logger = recordingLogger();
  {
    await using wrong = await openSink(broker, { username: "sonkrag", password: "wrong", logger });
    await eventually("told", () => logger.texts("error").length > 0);
    expect(wrong.health.connected).toBe(false);
  }
  expect(logger.texts("error")).toEqual([expect.stringMatching(/user name or password/)]);
  await using right = await openSink(broker, { username: "sonkrag", password: "right" });
  await connected(right);
  await rm(folder, { recursive: true });
});

test("TLS with an own authority and a client certificate; an unknown authority is refused and named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-tls-"));
  const file = (name: string): string => join(folder, name);
  await makeCertificates(folder);
  await using broker = await Mosquitto.start([
    "allow_anonymous true",
    `cafile ${file("ca.pem")}`,
    `certfile ${file("server.pem")}`,
    `keyfile ${file("server.key")}`,
    "require_certificate true",
  ]);
  const url = `mqtts://localhost:${broker.port}`;
  const tls = { url, ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") };
  {
    await using sink = await openSink(broker, tls);
    await connected(sink);
  }
  const logger = recordingLogger();
  {
    await using sink = await openSink(broker, { url, logger });
    await eventually("told", () => logger.texts("error").length > 0);
    expect(sink.health.connected).toBe(false);
  }
  expect(logger.texts("error")).toEqual([
    expect.stringMatching(/could not be trusted over TLS: its certificate is not signed by a known authority/),
  ]);

  await expect(openSink(broker, { url, ca: file("missing.pem") })).rejects.toThrow(ConfigError);
  await expect(openSink(broker, { ca: file("ca.pem") })).rejects.toThrow(/Expected mqtts:\/\/ or wss:\/\//);
  await expect(openSink(broker, { url, cert: file("client.pem") })).rejects.toThrow(/got only the certificate/);
  await rm(folder, { recursive: true });
});

test("MQTT over WebSocket", async () => {
  const broker = await Aedes.createBroker();
  // The library that the MQTT client brings along; mosquitto's own WebSocket support is missing on many machines.
  const { WebSocketServer, createWebSocketStream } = createRequire(import.meta.resolve("mqtt"))("ws") as WebSocketLibrary;
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const server = new WebSocketServer({ server: http, path: "/mqtt" });
  server.on("connection", (socket) => broker.handle(createWebSocketStream(socket)));
  {
    await using sink = await MqttSink.open({
      url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/mqtt`,
      logger: silentLogger,
    });
    await connected(sink);
    expect(sink.address).toMatch(/^ws:.*\/mqtt$/);
  }
  server.close();
  http.close();
  await new Promise<void>((resolve) => broker.close(resolve));
});

test.each(["redis://x", "mqtt://", "nonsense", "http://user:secret@host"])("the address %s is refused", async (url) => {
  const opening = MqttSink.open({ url, logger: silentLogger });
  await expect(opening).rejects.toThrow(ConfigError);
  await expect(opening).rejects.not.toThrow(/secret/);
});

test("a broker that hangs holds up neither the readings nor the memory nor the end", async () => {
  await using broker = await Mosquitto.start();
  const sink = await openSink(broker, { stateIntervalMs: 0 });
  await connected(sink);
  broker.signal("SIGSTOP");
  const values = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`metric${index}`, index]));
  const before = performance.now();
  for (let index = 0; index < 20_000; index++) sink.reading(readingOf(at + index, { values }), realInverter);
  expect(performance.now() - before).toBeLessThan(10_000);
  // The kernel takes some megabytes of it; after that only the latest of each topic waits.
  expect(sink.health.messagesSent).toBeLessThan(5_000);
  expect(sink.health.messagesOutdated).toBeGreaterThan(30_000);
  const closing = performance.now();
  await sink[Symbol.asyncDispose]();
  expect(performance.now() - closing).toBeLessThan(1_000);
  broker.signal("SIGCONT");
});

test("an address where something else listens does not hold up the end either", async () => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sink = await MqttSink.open({ url: `mqtt://127.0.0.1:${port}`, logger: silentLogger });
  sink.reading(readingOf(at), realInverter);
  const closing = performance.now();
  await sink[Symbol.asyncDispose]();
  expect(performance.now() - closing).toBeLessThan(1_000);
  server.close();
});

test("mosquitto's own tools read the embedded broker", async () => {
  await using broker = await EmbeddedBroker.open({ port: 0, logger: silentLogger });
  await using sink = await MqttSink.open({ url: broker.url, logger: silentLogger });
  await connected(sink);
  const tool = spawn("mosquitto_sub", ["-h", broker.host, "-p", String(broker.port), "-t", "power/#", "-C", "1", "-v"]);
  let output = "";
  tool.stdout.on("data", (data: Buffer) => (output += data.toString()));
  const exit = once(tool, "exit");
  let second = 0;
  await eventually("a message arrives", () => {
    sink.reading(readingOf(at + ++second), realInverter);
    return output.includes("power/axpert92931905106458 {");
  });
  expect(await exit).toEqual([0, null]);
});

interface WebSocketLibrary {
  readonly WebSocketServer: new (options: { server: HttpServer; path: string }) => {
    on(event: "connection", listener: (socket: unknown) => void): void;
    close(): void;
  };
  readonly createWebSocketStream: (socket: unknown) => Duplex;
}

/** A wire to the broker that a test can cut. */
async function openWire(broker: Mosquitto): Promise<{ readonly url: string; cut(): void } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(broker.port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    [Symbol.asyncDispose]: async () => cut(),
  };
}
