import { describe, expect, test } from "vitest";
import { exampleOf } from "../protocol/command.ts";
import { pi30 } from "../protocol/pi30/dialect.ts";
import { planOf, staleAfterMs, unaskedOf } from "./plan.ts";

const periods = { fastMs: 5000, mediumMs: 15_000, slowMs: 60_000 };

describe("the plan", () => {
  const plan = planOf(periods);
  const commands = plan.map(({ request }) => request.command);

  test("asks every inquiry of the catalogue that is worth it by itself, the live values first", () => {
    const wanted = pi30.filter(({ cadence }) => cadence !== "onDemand").map((query) => exampleOf(query).command);
    const watched = plan.filter(({ request }) => request.query.cadence !== "onDemand").map(({ request }) => request.command);
    expect(watched.toSorted()).toEqual(wanted.toSorted());
    expect(commands).toContain("QPGS0");
    expect(commands).not.toContain("QED20241022");
    expect(commands[0]).toBe("QPIGS");
    const pace = plan.map(({ everyMs }) => everyMs);
    expect(pace).toEqual(pace.toSorted((a, b) => a - b));
  });

  test("asks each at its own pace; what never changes, once a day", () => {
    const every = Object.fromEntries(plan.map(({ request, everyMs }) => [request.command, everyMs]));
    expect(every).toMatchObject({ QPIGS: 5000, QPGS0: 15_000, QPIRI: 60_000, QID: 86_400_000, QPI: 86_400_000 });
  });

  test("finds out at the end, once a day, whether the unit knows the others; those that want a date apart", () => {
    const probes = plan.filter(({ request }) => request.query.cadence === "onDemand");
    expect(probes.every(({ everyMs }) => everyMs === 86_400_000)).toBe(true);
    const late = Object.fromEntries(probes.map(({ request, probe }) => [request.command, probe]));
    // The Wi-Fi state tells a MAX II from a MAX.
    expect(late).toMatchObject({ QBOOT: true, QWFS: undefined });
    expect(plan.slice(-probes.length)).toEqual(probes);
  });

  test("can only ask: nothing in it is a setting", () => {
    expect(plan.every(({ request }) => request.query.kind === "query" && /^(Q|VERFW:)/.test(request.command))).toBe(true);
  });

  test("can be cut down to a choice, which keeps its order and pace", () => {
    const some = planOf({ ...periods, only: ["QPIRI", "QPIGS"] });
    expect(some.map(({ request, everyMs }) => [request.command, everyMs])).toEqual([
      ["QPIGS", 5000],
      ["QPIRI", 60_000],
    ]);
  });
});

test("of a card without a word of a command it is told that it was not asked yet", () => {
  const answered = { support: "answers", failures: 0, at: 0 } as const;
  const card = { commands: { QPIGS: answered, QET: { support: "silent", failures: 1, at: 0 } } } as const;
  expect(unaskedOf(card, { ...periods, only: ["QPIGS", "QET", "QLT", "QBOOT"] })).toEqual(["QLT", "QBOOT"]);
});

describe("a reading is live", () => {
  test.each([
    ["QPIGS", 15_000],
    ["QPGS0", 45_000],
    ["QPGS3", 45_000],
    ["QPIRI", 180_000],
    ["QPI", 3 * 86_400_000],
  ])("for three periods: %s", (command, ms) => {
    expect(staleAfterMs(command, planOf(periods))).toBe(ms);
  });

  test("at least as long as it takes to find out that an answer is lost", () => {
    expect(staleAfterMs("QPIGS", planOf({ ...periods, fastMs: 0 }))).toBe(10_000);
    expect(staleAfterMs("QPIGS", planOf({ ...periods, fastMs: 1000 }))).toBe(10_000);
  });

  test("for three days when it is not polled at all", () => {
    expect(staleAfterMs("QPIRI", planOf({ ...periods, only: ["QPIGS"] }))).toBe(3 * 86_400_000);
  });
});
