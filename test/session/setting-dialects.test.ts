import { describe, expect, it } from "vitest";
import { silentLogger } from "../../src/model/logger.ts";
import type { Allowed, SettingValue } from "../../src/model/setting.ts";
import { settings } from "../../src/protocol/pi30/settings/catalogue.ts";
import type { Setting } from "../../src/protocol/setting.ts";
import { UnitControl, type UnitOutcome } from "../../src/session/control.ts";
import { Line } from "../../src/session/line.ts";
import type { JournalEntry } from "../../src/sim/journal.ts";
import type { SettingDialect } from "../../src/sim/profile.ts";
import { findProfile, modelNames } from "../../src/sim/profiles.ts";
import { Simulation } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

interface Tried {
  readonly setting: Setting;
  readonly value: SettingValue;
  readonly outcome: UnitOutcome;
  readonly ms: number;
  /** What came to the unit, and what it made of it. */
  readonly came: readonly JournalEntry[];
}

const texts = ["#a020f0", "2026-07-01T12:00:00", "05-23"];

/** Values that this unit offers and does not have, some of which may not fit its other settings. */
function others(allowed: Allowed, present: SettingValue | undefined): readonly SettingValue[] {
  const values =
    allowed.kind === "list"
      ? allowed.values
      : allowed.kind === "range"
        ? [0.5, 0.75, 1, 0].map((part) => allowed.min + allowed.step * Math.floor((part * (allowed.max - allowed.min)) / allowed.step))
        : texts.filter((text) => new RegExp(allowed.pattern).test(text));
  return values.filter((value) => value !== present);
}

/** Changes every setting that the unit offers, one after the other on one unit. */
async function changeAll(model: string, dialect: SettingDialect): Promise<Tried[]> {
  const clock = new VirtualClock(Date.UTC(2026, 5, 21, 10));
  const { lines, journal } = new Simulation({ clock, model, settings: dialect });
  const stop = new AbortController();
  const { signal } = stop;
  const line = new Line({ clock, open: lines[0]!.open, logger: silentLogger, random: () => 0.5, onStatus: () => undefined });
  const running = line.run({ signal });
  const control = new UnitControl({ line, clock, facts: () => ({ family: findProfile(model).family, unit: 0, wide: false }) });
  const tried: Tried[] = [];
  for (const setting of settings) {
    const [state] = await control.read([setting], { signal });
    for (const value of state?.allowed === undefined ? [] : others(state.allowed, state.value)) {
      const [began, before] = [clock.monotonic(), journal.setters];
      const outcome = await control.change(setting, value, { signal, beforeWrite: async () => undefined });
      const came = journal.entries.slice(journal.entries.length - (journal.setters - before));
      tried.push({ setting, value, outcome, ms: clock.monotonic() - began, came });
      if (came.length > 0) break;
    }
  }
  stop.abort(new Error("enough"));
  await running;
  return tried;
}

/** How it has to end, by what the unit did. */
function expected(
  { setting, came, outcome }: Tried,
  dialect: SettingDialect,
): readonly [kind: UnitOutcome["kind"], by?: "us" | "inverter"] {
  if (came.length === 0) return outcome.kind === "unchanged" ? ["unchanged"] : ["refused", "us"];
  if (came.every(({ answer }) => answer === "nak")) return ["refused", "inverter"];
  const isDone = came.some(({ answer }) => answer === "ack") && (dialect === "obeys" || dialect === "late");
  return isDone && setting.readBack !== undefined ? ["applied"] : ["unconfirmed"];
}

const fourWays = ["max", "vm2", "vm4-twin", "hs", "king"];
const cases = modelNames.flatMap((model) =>
  (fourWays.includes(model) ? (["obeys", "refuses", "ignores", "late"] as const) : (["obeys"] as const)).map(
    (way) => [model, way] as const,
  ),
);

describe("every setting that a unit offers ends within 30 s as the unit treated it", () => {
  it.each(cases)("%s %s", { timeout: 120_000 }, async (model, dialect) => {
    const tried = await changeAll(model, dialect);
    const seen = tried.map(({ setting, value, outcome: { kind, by }, ms, came }) => ({
      what: `${setting.info.name} = ${String(value)}`,
      ended: by === undefined ? [kind] : [kind, by],
      inTime: ms <= 30_000,
      acks: came.filter(({ answer }) => answer === "ack").length <= 1,
    }));
    expect(seen).toEqual(
      tried.map((one) => ({
        what: `${one.setting.info.name} = ${String(one.value)}`,
        ended: expected(one, dialect),
        inTime: true,
        acks: true,
      })),
    );
    const sent = tried.filter(({ came }) => came.length > 0);
    expect(sent.length).toBeGreaterThan(model === "mystery" ? 8 : 12);
    if (dialect === "late")
      expect(Math.min(...sent.filter(({ outcome }) => outcome.kind === "applied").map(({ ms }) => ms))).toBeGreaterThan(20_000);
  });
});
