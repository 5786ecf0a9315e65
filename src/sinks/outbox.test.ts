import { expect, test } from "vitest";
import { Outbox } from "./outbox.ts";
import type { Publisher } from "./outbox.ts";

/** A broker connection that takes everything at once until it is told to be slow. */
class FakeConnection implements Publisher {
  connected = true;
  isSlow = false;
  readonly sent: string[] = [];
  readonly #held: (() => void)[] = [];

  publish(topic: string, payload: string, options: { readonly retain: boolean }, done: () => void): void {
    this.sent.push(`${topic}${options.retain ? " (retained)" : ""}: ${payload}`);
    if (this.isSlow) this.#held.push(done);
    else done();
  }

  drain(): void {
    for (const done of this.#held.splice(0)) done();
  }
}

test("connected: messages go out at once and in order", () => {
  const outbox = new Outbox();
  const connection = new FakeConnection();
  outbox.connected(connection);
  outbox.post("a", "1", { retain: false });
  outbox.post("a", "2", { retain: false });
  outbox.post("b", "3", { retain: true });
  expect(connection.sent).toEqual(["a: 1", "a: 2", "b (retained): 3"]);
  expect(outbox.sent).toBe(3);
});

test("broker away: only the latest of each topic is kept, and sent once it is back", () => {
  const outbox = new Outbox();
  for (let value = 0; value < 1_000; value++) outbox.post("a", String(value), { retain: false });
  outbox.post("b", "x", { retain: false });
  const connection = new FakeConnection();
  outbox.connected(connection);
  expect(connection.sent).toEqual(["a: 999", "b: x"]);
  expect(outbox.outdated).toBe(999);
});

test("broker away too long: what is no longer live is not sent", () => {
  let now = 0;
  const outbox = new Outbox(() => now);
  outbox.post("old", "1", { retain: false, maxAgeMs: 15_000 });
  now = 10_000;
  outbox.post("young", "2", { retain: false, maxAgeMs: 15_000 });
  now = 20_000;
  const connection = new FakeConnection();
  outbox.connected(connection);
  expect(connection.sent).toEqual(["young: 2"]);
});

test("what the broker is to remember is sent again after every reconnect, as it is then", () => {
  let value = 1;
  const outbox = new Outbox();
  const first = new FakeConnection();
  outbox.connected(first);
  outbox.post("state", () => String(value), { retain: true, repeat: true });
  outbox.post("live", "1", { retain: false });
  outbox.disconnected();
  value = 2;
  const second = new FakeConnection();
  outbox.connected(second);
  expect(first.sent).toEqual(["state (retained): 1", "live: 1"]);
  expect(second.sent).toEqual(["state (retained): 2"]);
});

test("slow broker: nothing piles up, the latest follows when it takes more", () => {
  const outbox = new Outbox();
  const connection = new FakeConnection();
  connection.isSlow = true;
  outbox.connected(connection);
  for (let value = 0; value < 100; value++) outbox.post("a", String(value), { retain: false });
  expect(connection.sent).toEqual(["a: 0"]);
  connection.drain();
  expect(connection.sent).toEqual(["a: 0", "a: 99"]);
});

test("an answer of the connection before does not unblock the present one", () => {
  const outbox = new Outbox();
  const before = new FakeConnection();
  before.isSlow = true;
  outbox.connected(before);
  outbox.post("a", "1", { retain: false });
  const present = new FakeConnection();
  present.isSlow = true;
  outbox.connected(present);
  outbox.post("a", "2", { retain: false });
  outbox.post("a", "3", { retain: false });
  before.drain();
  expect(present.sent).toEqual(["a: 2"]);
});

test("a payload is not made before it is sent", () => {
  let made = 0;
  const outbox = new Outbox();
  const make = (): string => String(++made);
  for (let index = 0; index < 10; index++) outbox.post("a", make, { retain: false });
  expect(made).toBe(0);
  outbox.connected(new FakeConnection());
  expect(made).toBe(1);
});

test("idle waits for a slow broker, not for one that is away", async () => {
  const outbox = new Outbox();
  outbox.post("a", "1", { retain: false });
  await outbox.idle();
  const connection = new FakeConnection();
  connection.isSlow = true;
  outbox.connected(connection);
  let isIdle = false;
  const idle = outbox.idle().then(() => (isIdle = true));
  await Promise.resolve();
  expect(isIdle).toBe(false);
  connection.drain();
  await idle;
  expect(isIdle).toBe(true);
});
