import { expect, test } from "vitest";
import type { Values } from "../model/reading.ts";
import type { Answer } from "./powers.ts";
import { freshSampler, knownNames, takeAnswer, type Sample, type SamplerOptions } from "./sampler.ts";

const options: SamplerOptions = { freshMs: 60_000 };
const answer = (at: number, command: string, values: Values): Answer => ({ at, command, values });
const status = (at: number, load: number): Answer =>
  answer(at, "QPIGS", { loadActivePower: load, gridVoltage: 0, pv1Power: 100, batteryVoltage: 50, outputVoltage: 230 });
const record = (at: number, load: number): Answer =>
  answer(at, "QPGS1", { unitExists: true, serialNumber: "92931905106458", loadActivePower: load, pv1Voltage: 300 });

function samples(answers: readonly Answer[], more: Partial<SamplerOptions> = {}): Sample[] {
  let state = freshSampler;
  return answers.flatMap((each) => {
    const taken = takeAnswer(state, each, { ...options, ...more });
    state = taken.state;
    return taken.sample === undefined ? [] : [taken.sample];
  });
}

test("a sample comes with each status, with what else was told lately", () => {
  const day = 86_400_000;
  const second = answer(1000, "QPIGS2", { pv2Power: 40 });
  const found = samples([status(0, 500), second, status(5000, 510), status(70_000, 520), status(day + 1001, 530)]);
  expect(found.map(({ at, powers }) => [at, powers.load?.watts, powers.pv?.watts, powers.pv2?.watts])).toEqual([
    [0, 500, 100, undefined],
    [5000, 510, 140, 40],
    // One string alone is never taken for both, until the unit has not told of a second one for a day.
    [70_000, 520, undefined, undefined],
    [day + 1001, 530, 100, undefined],
  ]);
});

test("a second status that is known before it is heard makes the PV total unknown until then", () => {
  const known = new Set(["pv1Power", "pv2Power"]);
  const found = samples([status(0, 500), answer(1000, "QPIGS2", { pv2Power: 40 }), status(5000, 510), status(70_000, 520)], { known });
  expect(found.map(({ powers }) => powers.pv?.watts)).toEqual([undefined, 140, undefined]);
});

test("a record counts only while the unit itself is not heard", () => {
  const found = samples([status(0, 500), record(1000, 900), record(61_000, 910), status(62_000, 520), record(63_000, 900)]);
  expect(found.map(({ at, powers }) => [at, powers.load?.watts])).toEqual([
    [0, 500],
    [61_000, 910],
    [62_000, 520],
  ]);
});

test("the record of a unit that is not there is nothing, and what has no power in it changes nothing", () => {
  const nobody = answer(0, "QPGS2", { unitExists: false, serialNumber: "00000000000000", loadActivePower: 0 });
  expect(samples([nobody])).toEqual([]);
  const state = takeAnswer(freshSampler, status(0, 500), options).state;
  expect(takeAnswer(state, answer(1000, "QPIRI", { batteryType: "user" }), options).state).toBe(state);
});

test("only what is needed is kept", () => {
  expect(Object.keys(takeAnswer(freshSampler, status(0, 500), options).state.answers["QPIGS"]!.values)).not.toContain("outputVoltage");
});

test("what a unit tells is known from its own series, not from records of others", () => {
  const series = (command: string, name: string) => ({ inverter: "one", command, name, origin: "measured", type: "number" }) as const;
  expect([
    ...knownNames([
      series("QPIGS", "pv1Power"),
      series("QPIGS", "outputVoltage"),
      series("QPGS1", "unitExists"),
      series("QPGS1", "pv2Voltage"),
    ]),
  ]).toEqual(["pv1Power"]);
});
