import { describe, expect, it } from "vitest";
import { Disk, Inverter, Life, namedSetting, startControl, Wall } from "../../../test/support/mortal-control.ts";
import type { Evidence } from "../../model/journal.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";

/* Clones share a serial number. Their cables are changed while the program is not running. */

const { signal } = new AbortController();
const minuteMs = 60_000;
const garage: Evidence = { model: "VM-5000", firmware: "00043.19", pvEnergyTotal: 9_000_000 };

function machine() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const inverter = new Inverter("garage", clock);
  inverter.serialNumber = "55355535553555";
  inverter.evidence = garage;
  inverter.values.set("priority", "grid");
  const disk = new Disk();
  const wall = new Wall(clock);
  const start = async () =>
    await startControl({ life: new Life(), disk, wall, inverters: [inverter], settings: [namedSetting("priority")] });
  const pass = async (ms: number): Promise<void> => await clock.sleep(ms, { signal });
  const leased = async (): Promise<void> => {
    const { service, end } = await start();
    const until = { forMs: minuteMs, next: "battery" };
    await service.change({ id: "1", inverter: "garage", setting: "priority", value: "solar", actor: { via: "cli" }, until }, { signal });
    await end();
  };
  return { inverter, disk, start, pass, leased };
}

describe("the end of a lease, and undo,", () => {
  it.each<[string, Evidence, RegExp]>([
    ["another firmware", { ...garage, firmware: "00043.20" }, /firmware was 00043.19 and is 00043.20; were cables changed/],
    ["another model", { ...garage, model: "VM-3000" }, /model was VM-5000 and is VM-3000/],
    ["an energy counter that stands lower", { ...garage, pvEnergyTotal: 8_999_999 }, /counter was at 9000000 Wh and is at 8999999 Wh/],
    ["a counter that is not known yet", { model: "VM-5000", firmware: "00043.19" }, /not known yet which is there/],
  ])("are held back from a unit with %s", async (_, evidence, reason) => {
    const { inverter, start, pass, leased } = machine();
    await leased();
    inverter.evidence = evidence;
    const { service, end } = await start();
    await pass(5 * minuteMs);
    expect(inverter.commands).toHaveLength(1);
    expect(service.leases).toMatchObject([{ overdue: true, trouble: expect.stringMatching(reason) as string }]);
    await expect(service.undo("garage", { actor: { via: "cli" }, signal })).rejects.toThrow(reason);
    // The right one is back.
    inverter.evidence = { ...garage, pvEnergyTotal: 9_000_500 };
    await pass(15 * minuteMs);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });

  it("are not held back where all that is told fits, and from a unit that never told a counter", async () => {
    for (const [then, now] of [
      [garage, { ...garage, pvEnergyTotal: 9_100_000 }],
      [{ firmware: "1" }, { firmware: "1", pvEnergyTotal: 7 }],
      [undefined, garage],
    ] as const) {
      const { inverter, start, pass, leased } = machine();
      inverter.evidence = then;
      await leased();
      inverter.evidence = now;
      const { end } = await start();
      await pass(2 * minuteMs);
      expect(inverter.value("priority")).toBe("battery");
      await end();
    }
  });

  it("heed nothing but the serial number where that is the unit's own", async () => {
    const { inverter, disk, start, pass, leased } = machine();
    inverter.serialNumber = "92931905106458";
    await leased();
    expect(disk.lines.join()).not.toContain("evidence");
    inverter.evidence = { firmware: "00099.01", pvEnergyTotal: 0 };
    const { end } = await start();
    await pass(2 * minuteMs);
    expect(inverter.value("priority")).toBe("battery");
    await end();
  });
});
