import { afterEach, beforeEach, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { serials, SystemBench, status } from "../../test/support/system-bench.ts";
import type { InverterInfo } from "../model/reading.ts";
import type { SystemState } from "../model/system.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { SystemWatch } from "./system-watch.ts";

let bench: SystemBench;
beforeEach(async () => {
  bench = await SystemBench.open();
});
afterEach(() => bench[Symbol.asyncDispose]());

const never = new AbortController().signal;
const infoOf = (id: string): InverterInfo => ({ id, device: `serial:/dev/${id}`, simulated: false });

test("says every change once a second at most, tells of what grows old by itself, and logs alarms once", async () => {
  const clock = new VirtualClock(bench.now);
  const logger = recordingLogger();
  const states: SystemState[] = [];
  const watch = new SystemWatch({
    known: bench.registry,
    clock,
    logger,
    staleAfterMs: () => 15_000,
    onState: (state) => states.push(state),
  });
  const stop = new AbortController();
  const running = watch.run({ signal: stop.signal });
  const [a, b] = [infoOf("a"), { ...infoOf("b"), serialNumber: serials.b }];
  const say = (info: InverterInfo, watts: number): void =>
    watch.reading(
      { inverter: info.id, at: clock.now(), command: "QPIGS", payload: "", values: status(watts), derived: {}, tail: [] },
      info,
    );
  for (const info of [a, b]) watch.status({ state: "online", since: clock.now(), message: "" }, info);
  say(b, 200);
  for (let second = 0; second < 30; second++) {
    say(a, 100);
    await clock.sleep(1000, { signal: never });
  }
  expect(states.length).toBeLessThanOrEqual(31);
  expect(states.at(-1)).toMatchObject({ expected: 2, answering: 1, totals: { loadActivePower: { value: 100, complete: false } } });
  expect(states.some(({ answering }) => answering === 2)).toBe(true);
  const missing = "System: b is missing. Nothing comes from its cable. Totals are without it.";
  expect(logger.texts("warn")).toEqual([missing]);
  const count = states.length;
  stop.abort(new Error("the test is over"));
  await running;
  say(b, 200);
  await clock.sleep(5000, { signal: never });
  expect(states).toHaveLength(count);
});

test("an alarm whose words change goes on: the new words are logged, and over it is once", async () => {
  const clock = new VirtualClock(bench.now);
  const logger = recordingLogger();
  let alarms: SystemState["alarms"] = [];
  const watch = new SystemWatch({
    known: bench.registry,
    clock,
    logger,
    staleAfterMs: () => 3_600_000,
    onState: (state) => (alarms = state.alarms),
  });
  const stop = new AbortController();
  const running = watch.run({ signal: stop.signal });
  const say = async (id: string, batteryBulkVoltage: number, batteryFloatVoltage: number): Promise<void> => {
    const values = { outputMode: "parallel", batteryBulkVoltage, batteryFloatVoltage };
    watch.reading({ inverter: id, at: clock.now(), command: "QPIRI", payload: "", values, derived: {}, tail: [] }, infoOf(id));
    await clock.sleep(2000, { signal: never });
  };
  const bulk = (a: number, b: number): string =>
    `System: Bulk charging voltage differs: ${a} V on a, ${b} V on b. Units of one system need the same.`;
  for (const id of ["a", "b"]) watch.status({ state: "online", since: clock.now(), message: "" }, infoOf(id));
  await say("a", 56.4, 54);
  await say("b", 55.2, 54);
  const since = alarms[0]?.since;
  await say("b", 54.8, 54);
  expect(logger.texts()).toEqual([bulk(56.4, 55.2), bulk(56.4, 54.8)]);
  expect(alarms).toMatchObject([{ code: "settings-differ", about: "batteryBulkVoltage", since }]);
  // One setting is mended while another goes wrong: these are two alarms.
  await say("b", 56.4, 53.6);
  const float = "System: Float charging voltage differs: 54 V on a, 53.6 V on b. Units of one system need the same.";
  expect(logger.texts().slice(2)).toEqual([float, bulk(56.4, 54.8).replace("System: ", "System: over: ")]);
  stop.abort(new Error("the test is over"));
  await running;
});

test("an inverter that only the page knows of is expected, until the page forgets it", async () => {
  const clock = new VirtualClock(bench.now);
  const states: SystemState[] = [];
  const heard: string[] = [];
  const watch = new SystemWatch({
    known: bench.registry,
    clock,
    logger: recordingLogger(),
    staleAfterMs: () => 15_000,
    onState: (state) => states.push(state),
  });
  const page = watch.beside({
    name: "page",
    reading: () => heard.push("reading"),
    status: (_, { id }) => heard.push(`${id} status`),
    forget: (id) => heard.push(`${id} forgotten`),
  });
  const stop = new AbortController();
  const running = watch.run({ signal: stop.signal });
  page.status({ state: "lost", since: clock.now(), message: "No such port." }, infoOf("inverter-1"));
  await clock.sleep(1500, { signal: never });
  expect(states.at(-1)).toMatchObject({ expected: 1, answering: 0 });
  page.forget("inverter-1");
  await clock.sleep(1500, { signal: never });
  expect(states.at(-1)).toMatchObject({ expected: 0 });
  expect(heard).toEqual(["inverter-1 status", "inverter-1 forgotten"]);
  stop.abort(new Error("the test is over"));
  await running;
});
