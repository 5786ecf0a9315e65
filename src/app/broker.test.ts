import { connect as connectSocket, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { connectAsync } from "mqtt";
import { expect, test } from "vitest";
import { silentLogger } from "../model/logger.ts";
import { EmbeddedBroker } from "./broker.ts";

test("serves retained messages on loopback and closes at once although clients stay", async () => {
  const broker = await EmbeddedBroker.open({ port: 0, logger: silentLogger });
  expect(broker.url).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
  const publisher = await connectAsync(broker.url, { reconnectPeriod: 0 });
  await publisher.publishAsync("a/b", "kept", { retain: true, qos: 1 });
  const subscriber = await connectAsync(broker.url, { reconnectPeriod: 0, clientId: "a-name-that-is-longer-than-23-characters" });
  const message = new Promise((resolve) => subscriber.once("message", (topic, payload) => resolve([topic, payload.toString()])));
  await subscriber.subscribeAsync("a/#");
  expect(await message).toEqual(["a/b", "kept"]);
  const halfOpen = connectSocket(broker.port, broker.host);
  await once(halfOpen, "connect");

  const before = performance.now();
  await broker[Symbol.asyncDispose]();
  expect(performance.now() - before).toBeLessThan(500);
  await Promise.all([publisher.endAsync(true), subscriber.endAsync(true)]);
  halfOpen.destroy();
});

test("a taken port: the next free one, or a plain message", async () => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const { port } = squatter.address() as AddressInfo;
  await using broker = await EmbeddedBroker.open({ port, fallbackPorts: true, logger: silentLogger });
  expect(broker.port).toBeGreaterThan(port);
  expect(broker.port).toBeLessThanOrEqual(port + 20);
  await expect(EmbeddedBroker.open({ port, logger: silentLogger })).rejects.toThrow(
    new RegExp(`Expected port ${port} to be free on 127.0.0.1 for the embedded MQTT broker, got: .*EADDRINUSE`),
  );
  squatter.close();
});
