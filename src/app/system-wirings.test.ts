import fc from "fast-check";
import { expect, test } from "vitest";
import { clone, pollMs, record, SystemBench, status } from "../../test/support/system-bench.ts";
import type { InverterInfo, Values } from "../model/reading.ts";

const modes = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;

/** What happens to a house, one thing after another. */
type Happening =
  | { readonly kind: "round"; readonly cable: number }
  | { readonly kind: "own"; readonly cable: number }
  | { readonly kind: "power"; readonly unit: number; readonly on: boolean }
  | { readonly kind: "restart"; readonly cables: readonly number[] }
  | { readonly kind: "rewire"; readonly places: readonly number[] }
  | { readonly kind: "link"; readonly cable: number; readonly up: boolean };

const happening = (units: number): fc.Arbitrary<Happening> => {
  const unit = fc.nat({ max: units - 1 });
  const all = Array.from({ length: units }, (_, index) => index);
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("round" as const), cable: unit }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("own" as const), cable: unit }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("power" as const), unit, on: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("restart" as const),
        cables: fc.subarray(all, { minLength: 1 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("rewire" as const),
        places: fc.shuffledSubarray(all, { minLength: units, maxLength: units }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("link" as const), cable: unit, up: fc.boolean() }) },
  );
};

/**
 * Units of which each has a load of its own, so that the sum shows which are in it and how often. `movesUp`: whether the
 * numbers behind a unit that is off move up.
 */
class House {
  readonly #bench: SystemBench;
  readonly #units: number;
  readonly #areClones: boolean;
  readonly #movesUp: boolean;
  readonly #on: boolean[];
  #cables = new Map<number, { readonly info: InverterInfo; up: boolean }>();
  /** Where the cable of each unit is plugged in. */
  #places: readonly number[] = [0, 1, 2, 3];
  /** Id by unit, once it is known. */
  readonly #ids = new Map<number, string>();

  constructor(bench: SystemBench, options: { readonly units: number; readonly areClones: boolean; readonly movesUp: boolean }) {
    this.#bench = bench;
    this.#units = options.units;
    this.#areClones = options.areClones;
    this.#movesUp = options.movesUp;
    this.#on = Array.from({ length: options.units }, () => true);
  }

  #serial(unit: number): string {
    return this.#areClones ? clone : `9293190510640${unit}`;
  }

  #load(unit: number): number {
    return 2 ** (unit + 4);
  }

  #recordOf(unit: number): Values {
    return record(this.#serial(unit), this.#load(unit), this.#areClones ? { outputMode: modes[unit]! } : {});
  }

  async happen(what: Happening): Promise<void> {
    const bench = this.#bench;
    bench.now += 5000;
    if (what.kind === "restart") return await this.#start(what.cables);
    if (what.kind === "rewire") {
      this.#places = what.places;
      this.#on.fill(true);
      return await this.#start(what.places);
    }
    if (what.kind === "power") {
      this.#on[what.unit] = what.on;
      const cable = this.#cables.get(what.unit);
      if (cable !== undefined) this.#link(what.unit, what.on);
      return;
    }
    if (what.kind === "link") return this.#link(what.cable, what.up);
    const cable = this.#cables.get(what.cable);
    if (cable?.up !== true || this.#on[what.cable] !== true) return;
    if (what.kind === "own") {
      bench.say(cable.info, "QPIGS", status(this.#load(what.cable)));
      return;
    }
    const all = Array.from({ length: this.#units }, (_, unit) => (this.#on[unit] === true ? this.#recordOf(unit) : undefined));
    bench.now += pollMs;
    bench.tell(cable.info, this.#movesUp ? all.filter((each) => each !== undefined) : all);
  }

  async #start(cables: readonly number[]): Promise<void> {
    const bench = this.#bench;
    await bench.restart();
    for (const unit of cables) bench.registry.expect(this.#place(unit));
    const answering = cables.filter((unit) => this.#on[unit] === true);
    const plugged = (unit: number): InverterInfo =>
      bench.plug(this.#place(unit), this.#serial(unit), this.#areClones ? modes[unit] : "parallel");
    this.#cables = new Map(answering.map((unit) => [unit, { info: plugged(unit), up: true }]));
  }

  #place(unit: number): string {
    return `usb-${this.#places[unit]}`;
  }

  #link(unit: number, up: boolean): void {
    const cable = this.#cables.get(unit);
    if (cable === undefined || (up && this.#on[unit] !== true)) return;
    cable.up = up;
    if (!up) this.#bench.registry.gone(this.#place(unit));
    this.#bench.link(cable.info, up ? "online" : "silent", up ? "" : "It does not answer.");
  }

  /** Each unit is in the sum at most once, there are no more units than there are, and each keeps its id. */
  check(): void {
    const { members, totals, expected } = this.#bench.system.state();
    const loads = members.flatMap(({ values }) =>
      values["loadActivePower"]?.live === true ? [Number(values["loadActivePower"].value)] : [],
    );
    expect(new Set(loads).size).toBe(loads.length);
    expect(totals["loadActivePower"]?.value ?? 0).toBe(loads.reduce((sum, each) => sum + each, 0));
    expect(totals["loadActivePower"]?.complete ?? false).toBe(loads.length === expected && loads.length > 0);
    expect(members.length).toBeLessThanOrEqual(this.#units);
    for (const { id, values } of members) {
      const load = values["loadActivePower"]?.value;
      if (typeof load !== "number") continue;
      const unit = Math.log2(load) - 4;
      expect(this.#ids.get(unit) ?? id).toBe(id);
      this.#ids.set(unit, id);
    }
  }
}

test.each([
  ["serial numbers of their own, numbers that stay", { areClones: false, movesUp: false }],
  ["serial numbers of their own, numbers that move up", { areClones: false, movesUp: true }],
  ["one serial number and a phase each, numbers that stay", { areClones: true, movesUp: false }],
  ["one serial number and a phase each, numbers that move up", { areClones: true, movesUp: true }],
])("whatever is wired, switched and started anew, units with %s are counted once and keep their ids", async (_, options) => {
  const units = options.areClones ? 3 : 4;
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: units - 1 }), fc.array(happening(units), { minLength: 5, maxLength: 40 }), async (first, happenings) => {
      await using bench = await SystemBench.open();
      const house = new House(bench, { units, ...options });
      await house.happen({ kind: "restart", cables: [first] });
      for (const what of happenings) {
        await house.happen(what);
        house.check();
      }
    }),
    { numRuns: 20 },
  );
});
