import { describe, expect, it } from "vitest";
import { encodeCommand } from "../protocol/encode.ts";
import { FrameDecoder } from "../protocol/frame.ts";
import { Meter, timeText } from "./meter.ts";
import { Simulation } from "./transport.ts";
import { VirtualClock } from "./virtual-clock.ts";

const wattHour = 3_600_000;

describe("Meter", () => {
  it("adds up days to months, years and the total without loss", () => {
    const meter = new Meter();
    // Half a watt-hour each: a sum of rounded days would be 0.
    for (let day = 0; day < 400; day += 1) meter.count(Date.UTC(2026, 0, 1 + day, 12), 1, { pv: wattHour / 2, load: wattHour * 2 });
    expect(meter.wattHours("pv", "20260115")).toBe(0);
    expect(meter.wattHours("pv", "202601")).toBe(15);
    expect(meter.wattHours("pv", "2026")).toBe(182);
    expect(meter.wattHours("pv", "")).toBe(200);
    expect(meter.wattHours("load", "202602")).toBe(56);
    expect(meter.wattHours("load", "2025")).toBe(0);
    meter.erase();
    expect(meter.wattHours("load", "")).toBe(0);
  });

  it("writes times as the unit does", () => {
    expect(timeText(Date.UTC(2021, 6, 26, 12, 26, 6, 999))).toBe("20210726122606");
  });
});

describe("the counters of a simulated unit", () => {
  const start = Date.UTC(2026, 0, 30, 21, 30);

  async function ask(simulation: Simulation, unit: number, ...commands: readonly string[]): Promise<string[]> {
    const { signal } = new AbortController();
    const transport = await simulation.lines[unit]!.open({ signal });
    const bodies: string[] = [];
    for (const command of commands) {
      await transport.write(encodeCommand(command), { signal });
      for (const part of new FrameDecoder().push(transport.take())) if (part.kind === "frame") bodies.push(part.body);
    }
    return bodies;
  }

  it("tell the energy of its life by local dates, to the Wh, and nothing for other dates", async () => {
    const clock = new VirtualClock(start);
    const simulation = new Simulation({ clock, baud: 0, speed: 3600 });
    await clock.sleep(60_000, { signal: new AbortController().signal });
    const dates = ["20260130", "20260131", "20260201", "20260202"];
    const days = (await ask(simulation, 0, ...dates.map((date) => `QED${date}`))).map(Number);
    const [total, year, january, february, before] = (await ask(simulation, 0, "QET", "QEY2026", "QEM202601", "QEM202602", "QEY2015")).map(
      Number,
    );
    expect(total).toBe(Math.floor(simulation.inverter.energy.pv / wattHour));
    expect([year, before]).toEqual([total, 0]);
    expect(Math.abs(days.reduce((sum, day) => sum + day, 0) - (total ?? 0))).toBeLessThan(dates.length);
    expect(days[0]).toBe(0);
    expect(days[1]).toBeGreaterThan(3000);
    expect(Math.abs((january ?? 0) + (february ?? 0) - (total ?? 0))).toBeLessThan(2);
    expect(await ask(simulation, 0, "QLT")).toEqual([String(Math.floor(simulation.inverter.energy.load / wattHour)).padStart(8, "0")]);
    // 60 simulated hours later, two hours ahead of UTC.
    expect(await ask(simulation, 0, "QT")).toEqual(["20260202113000"]);
  });

  it("are each unit's own, can be erased, and the clock can be set", async () => {
    const clock = new VirtualClock(start + 14 * 3_600_000);
    const simulation = new Simulation({ clock, baud: 0, speed: 3600, units: 2 });
    await clock.sleep(3000, { signal: new AbortController().signal });
    const [first] = await ask(simulation, 0, "QLT");
    const [second] = await ask(simulation, 1, "QLT");
    expect(Number(first) + Number(second)).toBe(2 * Math.floor(simulation.inverter.energy.load / wattHour));
    expect(first).not.toBe(second);
    expect(await ask(simulation, 0, "DAT270101000000", "QT")).toEqual(["ACK", "20270101000000"]);
    expect((await ask(simulation, 1, "QT"))[0]).toMatch(/^20260131/);
    expect(await ask(simulation, 0, "RTEY", "QLT")).toEqual(["ACK", "00000000"]);
  });
});
