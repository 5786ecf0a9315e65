import { describe, expect, it } from "vitest";
import { silentLogger } from "../model/logger.ts";
import { modelNames } from "../sim/profiles.ts";
import { Simulation } from "../sim/transport.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { LoneUnit } from "./lone-unit.ts";
import { planOf } from "./plan.ts";

const plan = planOf({ fastMs: 5000, mediumMs: 15_000, slowMs: 60_000 });

describe("a unit that is read alone", () => {
  const conditions = modelNames.flatMap((model) => [
    { model, hid: false },
    { model, hid: true },
  ]);
  it.each(conditions)("$model, over USB: $hid: is known, and nothing is found where nothing is wrong", async ({ model, hid }) => {
    const clock = new VirtualClock(Date.UTC(2026, 5, 1, 10));
    const [line] = new Simulation({ clock, model, hid }).lines;
    const unit = new LoneUnit({ open: line!.open, device: "sim:", simulated: true, clock, logger: silentLogger, plan });
    const stop = new AbortController();
    const running = unit.run({ signal: stop.signal });
    const found: unknown[] = [];
    for (let seconds = 0; seconds < 240; seconds += 20) {
      await clock.sleep(20_000, { signal: stop.signal });
      found.push(...unit.link.findings);
    }
    stop.abort(new Error("enough"));
    await running;
    expect(found).toEqual([]);
    expect(unit.card?.card.complete).toBe(true);
    expect(unit.link.commands["QPIGS"]?.accepted).toBeGreaterThan(40);
    expect(unit.recorder.statuses.at(-1)?.state).toBe("online");
  });
});
