import { describe, expect, test } from "vitest";
import type { Outcome, OutcomeKind, SettingState } from "../../src/model/control.ts";
import type { SettingValue } from "../../src/model/setting.ts";
import { settingDialects, type SettingDialect } from "../../src/sim/profile.ts";
import { controlledUnit } from "../support/controlled-unit.ts";

/*
 * Scenario 9 of the acceptance list. Given four ways of inverters with settings (obeys, refuses, acknowledges but ignores,
 * applies after 20 s); when the user sets the utility charge current to 30 A; then the right command is chosen, the verdict
 * is the right one within 30 s, the true value is shown, and old value, new value, who and verdict are in the journal.
 */

const withinMs = 30_000;
const verdicts: Readonly<Record<SettingDialect, OutcomeKind>> = {
  obeys: "applied",
  refuses: "refused",
  ignores: "unconfirmed",
  late: "applied",
};
const anybody = () => ({ signal: new AbortController().signal });

describe.each(settingDialects)("an inverter that %s", (dialect) => {
  test.each(["command line", "API"] as const)("the charge current from the %s", async (way) => {
    await using unit = await controlledUnit({ settings: dialect });
    const before = await unit.service.setting("garage", "maxAcChargeCurrent", anybody());
    const wanted = before.value === 20 ? 10 : 20;
    const outcome =
      way === "API"
        ? ((await (await unit.viaApi("maxAcChargeCurrent", { value: wanted, by: "tablet" })).json()) as Outcome)
        : await unit.viaCli("maxAcChargeCurrent", `${wanted} A`);
    expect(outcome.endedAt - outcome.startedAt).toBeLessThanOrEqual(withinMs);
    expect(outcome).toMatchObject({ kind: verdicts[dialect], before: before.value });
    const isApplied = verdicts[dialect] === "applied";
    expect(outcome.after).toBe(isApplied ? wanted : before.value);

    // The right encoding, and never twice.
    const setters = unit.simulation.journal.entries.filter(({ command }) => command.startsWith("MUCHGC"));
    expect(setters.map(({ command }) => command).slice(0, 1)).toEqual([`MUCHGC0${wanted}`]);
    if (dialect !== "refuses") expect(setters).toHaveLength(1);

    const shown = (await unit.methods["settings"]?.({}, anybody())) as { readonly settings: readonly SettingState[] };
    expect(shown.settings.find(({ info }) => info.name === "maxAcChargeCurrent")?.value).toBe(isApplied ? wanted : before.value);
    const [entry] = await unit.service.page({ limit: 1 });
    expect(entry).toMatchObject({
      kind: "outcome",
      outcome: {
        kind: verdicts[dialect],
        before: before.value,
        change: { value: wanted, actor: way === "API" ? { via: "http" } : { via: "cli", name: "anna" } },
      },
    });
  });

  test("every setting of the unit", { timeout: 120_000 }, async () => {
    await using unit = await controlledUnit({
      settings: dialect,
      control: { enabled: true, level: "expert", budget: { perHour: 60, perDay: 500 } },
    });
    const states = await unit.service.settings("garage", anybody());
    const wrong: unknown[] = [];
    const ours: string[] = [];
    let tried = 0;
    for (const { info, allowed, value } of states.toSorted((one, other) => place(one) - place(other))) {
      const other = allowed && anotherValue(allowed, value);
      if (other === undefined) continue;
      tried++;
      const confirm = info.confirm === undefined ? {} : { confirm: info.confirm };
      const outcome =
        tried % 2 === 0
          ? ((await (await unit.viaApi(info.name, { value: other, ...confirm })).json()) as Outcome)
          : ((await unit.methods["set"]?.({ setting: info.name, value: other, ...confirm }, anybody())) as Outcome);
      const tookMs = outcome.endedAt - outcome.startedAt;
      // A value may be refused by us beside the others that are set; nothing must leave then.
      const isOurs = outcome.kind === "refused" && outcome.by === "us" && outcome.written.length === 0;
      if (isOurs) ours.push(`${info.name}: ${outcome.reason}`);
      // The counters of a new unit are empty already.
      if (info.form === "action" && outcome.kind === "unchanged") continue;
      const expected = value === undefined && dialect !== "refuses" ? "unconfirmed" : verdicts[dialect];
      if (tookMs > withinMs || (!isOurs && outcome.kind !== expected)) wrong.push({ tookMs, outcome, expected });
    }
    expect(wrong).toEqual([]);
    // One voltage is moved against its neighbour, or equalization is asked for after it was switched off.
    expect(ours.slice(1)).toEqual([]);
    expect(tried).toBeGreaterThan(25);
  });
});

/** Another battery type locks the voltages, and a reset changes everything: they come last. */
const place = ({ info }: SettingState): number => (info.topic === "reset" ? 2 : info.name === "batteryType" ? 1 : 0);

/** Another value that the unit takes, near the present one. */
function anotherValue(allowed: NonNullable<SettingState["allowed"]>, value: SettingValue | undefined): SettingValue | undefined {
  if (allowed.kind === "list") return allowed.values.find((each) => each !== value);
  if (allowed.kind === "text" || typeof value !== "number") return undefined;
  const steps = [value - allowed.step, value + allowed.step, allowed.min];
  const found = steps.find((each) => each >= allowed.min && each <= allowed.max && each !== value);
  return found === undefined ? undefined : Math.round(found * 10) / 10;
}
