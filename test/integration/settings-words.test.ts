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
