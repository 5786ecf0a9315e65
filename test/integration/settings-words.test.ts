import { expect, test } from "vitest";
import type { SettingState } from "../../src/model/control.ts";
import { controlledUnit } from "../support/controlled-unit.ts";

const anybody = (): { readonly signal: AbortSignal } => ({ signal: new AbortController().signal });

test("a switch takes on and off from everybody, and has one value in the journal", async () => {
  await using unit = await controlledUnit();
  const { value: before } = await unit.service.setting("garage", "buzzer", anybody());
  const [word, value] = before === true ? ["off", false] : ["on", true];
  expect(await (await unit.viaApi("buzzer", { value: word })).json()).toMatchObject({ kind: "applied", change: { value } });
  expect(await unit.viaCli("buzzer", word)).toMatchObject({ kind: "unchanged", change: { value } });
  expect(await (await unit.viaApi("buzzer", { value })).json()).toMatchObject({ kind: "unchanged" });
  expect(await (await unit.viaApi("buzzer", { value: "maybe" })).json()).toMatchObject({
    kind: "refused",
    reason: 'expected on, off, got "maybe"',
  });
});

test("what is done once has no value, also where an answer tells whether it is done", async () => {
  await using unit = await controlledUnit();
  const states: readonly SettingState[] = await unit.service.settings("garage", anybody());
  const actions = states.filter(({ info }) => info.form === "action");
  expect(actions.map(({ info }) => info.name)).toEqual(expect.arrayContaining(["eraseEnergyCounters", "factoryReset"]));
  expect(actions.filter(({ value }) => value !== undefined)).toEqual([]);
  const erase = actions.find(({ info }) => info.name === "eraseEnergyCounters");
  expect(erase?.allowed).toEqual({ kind: "list", values: [true] });
});

test("the latest readings tell the settings at once, each with its time; what a change has touched is the new value", async () => {
  await using unit = await controlledUnit();
  await unit.wait(120_000);
  const told = async (params: object): Promise<{ readonly tookMs: number; readonly states: readonly SettingState[] }> => {
    const before = unit.clock.monotonic();
    const method = unit.methods["settings"];
    if (method === undefined) throw new TypeError("expected a method settings");
    const { settings } = (await method(params, anybody())) as { readonly settings: readonly SettingState[] };
    return { tookMs: unit.clock.monotonic() - before, states: settings };
  };
  // The first may have to ask what is never polled; from then on everything is known.
  await told({ latest: true });
  await unit.wait(20_000);
  const now = unit.clock.now();
  const latest = await told({ latest: true });
  expect(latest.tookMs).toBe(0);
  const ages = latest.states.flatMap(({ at }) => (at === undefined ? [] : [now - at]));
  expect(ages.length).toBeGreaterThan(30);
  expect(Math.min(...ages)).toBeGreaterThan(0);

  const fresh = await told({});
  expect(fresh.tookMs).toBeGreaterThan(1000);
  // A clock goes on.
  const timeless = (states: readonly SettingState[]): unknown[] =>
    states.filter(({ info }) => info.topic !== "clock").map((state) => ({ ...state, at: undefined }));
  expect(timeless(latest.states)).toEqual(timeless(fresh.states));

  const buzzerOf = (states: readonly SettingState[]) => states.find(({ info }) => info.name === "buzzer");
  const before = buzzerOf(fresh.states)?.value;
  expect(await unit.viaCli("buzzer", before === true ? "off" : "on")).toMatchObject({ kind: "applied" });
  const after = await told({ latest: true });
  expect(after.tookMs).toBe(0);
  expect(buzzerOf(after.states)?.value).toBe(before !== true);
});
