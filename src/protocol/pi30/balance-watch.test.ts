import { describe, expect, it } from "vitest";
import type { Reading, Values } from "../../model/reading.ts";
import { BalanceWatch } from "./balance-watch.ts";

const MINUTE_MS = 60_000;

function reading(command: string, values: Values, derived: Values = {}): Reading {
  return { inverter: "unit", at: 0, command, payload: "", values, derived, tail: [] };
}

class Bench {
  readonly watch = new BalanceWatch();
  now = 0;

  take(what: Reading): Reading {
    return this.watch.take(what, { monotonicMs: this.now, hasSecond: false });
  }

  /** Polls every half minute; gives the last status as it is to be published. */
  poll(minutes: number, pv1Power: number, mode = "battery"): Reading {
    let last = reading("QPIGS", {});
    for (let count = 0; count < 2 * minutes; count++) {
      this.now += MINUTE_MS / 2;
      this.take(reading("QMOD", { operatingMode: mode }));
      const status = { pv1Power, loadActivePower: 600, loadApparentPower: 600, batteryVoltage: 52, deviceStatus: ["acCharging"] };
      last = this.take(reading("QPIGS", status, { batteryPower: 0 }));
    }
    return last;
  }
}

describe("the watch", () => {
  it("marks PV power after an hour of failing, and not before", () => {
    const bench = new Bench();
    expect(bench.poll(59, 2000)).not.toHaveProperty("estimated");
    expect(bench.watch.state).toMatchObject({ state: "notYet" });
    expect(bench.poll(3, 2000)).toMatchObject({ estimated: ["pv1Power"] });
    expect(bench.watch.state).toMatchObject({ state: "fails", watts: expect.any(Number) as number });
    expect(bench.watch.state.checkedMs).toBeGreaterThanOrEqual(60 * MINUTE_MS);
    expect(bench.watch.state.checkedMs).toBeLessThan(62 * MINUTE_MS);
  });

  it("does not count the time in which nothing can be told", () => {
    const bench = new Bench();
    bench.poll(40, 2000);
    bench.poll(600, 2000, "line");
    expect(bench.watch.state).toMatchObject({ state: "notYet", untold: expect.stringMatching("grid") as string });
    bench.poll(25, 2000);
    expect(bench.watch.state.state).toBe("fails");
  });

  it("takes a part of an hour for no failure, and trusts again what fits again", () => {
    const bench = new Bench();
    bench.poll(30, 2000);
    bench.poll(60, 650);
    expect(bench.watch.state).toMatchObject({ state: "holds" });
    bench.poll(60, 2000);
    expect(bench.watch.state.state).toBe("fails");
    expect(bench.poll(10, 650)).toHaveProperty("estimated");
    expect(bench.poll(45, 650)).not.toHaveProperty("estimated");
  });

  it("lets one reading stand for no more than two minutes", () => {
    const bench = new Bench();
    bench.poll(5, 2000);
    bench.now += 5 * 60 * MINUTE_MS;
    bench.poll(5, 2000);
    expect(bench.watch.state.checkedMs).toBeLessThan(13 * MINUTE_MS);
  });

  it("marks nothing in the record of a parallel unit, and forgets", () => {
    const bench = new Bench();
    bench.poll(70, 2000);
    expect(bench.take(reading("QPGS0", { pv1Power: 2000 }))).not.toHaveProperty("estimated");
    expect(bench.take(reading("QPIGS2", { pv2Power: 2000 }))).toHaveProperty("estimated", ["pv2Power"]);
    bench.watch.forget();
    expect(bench.watch.state).toMatchObject({ state: "notYet", checkedMs: 0 });
  });
});
