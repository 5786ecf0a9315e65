import { describe, expect, test } from "vitest";
import { ConfigError } from "../model/errors.ts";
import { LocalTime } from "../model/local-time.ts";
import { bucketMs, type EnergyBucket, type FlowEnergies } from "./flow.ts";
import { billOf, checkTariff, Prices, type Tariff } from "./tariff.ts";

const johannesburg = LocalTime.of("Africa/Johannesburg");
const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"] as const;

/** In the manner of a South African one: winter dearer than summer, peaks on weekdays, holidays like Sundays. */
const timeOfUse: Tariff = {
  currency: "ZAR",
  rates: [
    {
      name: "peak",
      perKwh: 4,
      days: weekdays,
      hours: [
        { from: "07:00", to: "10:00" },
        { from: "18:00", to: "20:00" },
      ],
    },
    { name: "night", perKwh: 1.5, hours: [{ from: "22:00", to: "06:00" }] },
    { name: "standard", perKwh: 2 },
  ],
  seasons: [
    {
      name: "winter",
      from: "06-01",
      to: "08-31",
      rates: [
        { name: "winter peak", perKwh: 8, days: weekdays, hours: [{ from: "06:00", to: "09:00" }] },
        { name: "winter standard", perKwh: 3 },
      ],
    },
  ],
  holidays: ["2026-12-25", "01-01"],
  perDay: 10,
  feedIn: [{ name: "feed-in", perKwh: 0.8 }],
  gramsPerKwh: 900,
};

describe("a rate", () => {
  const prices = new Prices(timeOfUse, johannesburg);

  test.each([
    ["2026-11-25T07:00", "peak"],
    ["2026-11-25T09:59", "peak"],
    ["2026-11-25T10:00", "standard"],
    ["2026-11-25T22:00", "night"],
    ["2026-11-25T05:59", "night"],
    ["2026-11-25T06:00", "standard"],
    // Saturday.
    ["2026-11-28T08:00", "standard"],
    // A Friday that is a holiday, and a Thursday that is one every year.
    ["2026-12-25T08:00", "standard"],
    ["2032-01-01T08:00", "standard"],
    ["2026-12-18T08:00", "peak"],
    ["2026-06-01T06:00", "winter peak"],
    ["2026-08-31T23:45", "winter standard"],
    ["2026-09-01T00:00", "night"],
  ])("at %s is %s", (time, name) => {
    const [date = "", clock = ""] = time.split("T");
    expect(prices.importAt(johannesburg.at(date, clock))?.name).toBe(name);
  });

  test("of a season over New Year holds on both sides", () => {
    const { seasons: [winter] = [] } = timeOfUse;
    const south = new Prices({ ...timeOfUse, seasons: [{ ...winter!, from: "12-01", to: "02-15" }] }, johannesburg);
    const names = ["2026-12-01", "2026-02-15", "2026-02-16", "2026-11-30"].map(
      (date) => south.importAt(johannesburg.at(date, "12:00"))?.name,
    );
    expect(names).toEqual(["winter standard", "winter standard", "standard", "standard"]);
  });
});

describe("a bill", () => {
  const bucket = (time: string, flows: Partial<Record<"load" | "gridImport" | "gridExport", number>>): EnergyBucket => ({
    at: johannesburg.at("2026-11-25", time),
    flows: Object.fromEntries(
      Object.entries(flows).map(([key, wattHours]) => [
        key,
        { wattHours, coveredMs: bucketMs, origin: key === "gridImport" ? "estimated" : "measured" },
      ]),
    ) as FlowEnergies,
  });
  const buckets = [
    bucket("08:00", { load: 2000, gridImport: 500, gridExport: 0 }),
    bucket("12:00", { load: 1000, gridImport: 0, gridExport: 3000 }),
    bucket("23:00", { load: 500, gridImport: 2500, gridExport: 0 }),
    // Grid not known: not in the bill.
    bucket("13:00", { load: 9000 }),
  ];

  test("has every rate, feed-in, the fixed charge, and what was saved against all from the grid", () => {
    const bill = billOf(buckets, timeOfUse, { local: johannesburg });
    expect(bill.byRate).toEqual({
      peak: { wattHours: 500, amount: 2 },
      standard: { wattHours: 0, amount: 0 },
      night: { wattHours: 2500, amount: 3.75 },
    });
    expect(bill).toMatchObject({ imported: 5.75, fixed: 10, estimated: true, coveredMs: 3 * bucketMs });
    expect(bill.fedIn).toBeCloseTo(2.4, 9);
    expect(bill.cost).toBeCloseTo(13.35, 9);
    expect(bill.allFromGrid).toBeCloseTo(8 + 2 + 0.75 + 10, 9);
    expect(bill.saving).toBeCloseTo(20.75 - 13.35, 9);
    expect(bill.grams).toBeCloseTo(2700, 9);
    expect(bill.gramsSaved).toBeCloseTo(450, 9);
  });

  test("at one flat price is that price", () => {
    const flat: Tariff = { currency: "€", rates: [{ name: "flat", perKwh: 0.3 }] };
    const bill = billOf(buckets, flat, { local: johannesburg });
    expect(bill.cost).toBeCloseTo(0.9, 9);
    expect(bill.saving).toBeCloseTo(0.15, 9);
    expect(bill).not.toHaveProperty("grams");
  });
});

describe("a tariff", () => {
  test("that is whole is taken", () => {
    expect(() => checkTariff(timeOfUse)).not.toThrow();
  });

  test.each<[string, Tariff, RegExp]>([
    ["a moment without a rate", { ...timeOfUse, rates: timeOfUse.rates.slice(0, 2) }, /monday 06:00/],
    [
      "a time off the quarter",
      { ...timeOfUse, rates: [{ name: "odd", perKwh: 1, hours: [{ from: "07:10", to: "08:00" }] }] },
      /got "07:10"/,
    ],
    ["a season that is none", { ...timeOfUse, seasons: [{ ...timeOfUse.seasons![0]!, to: "08-32" }] }, /winter.*got "08-32"/],
    ["a holiday that is none", { ...timeOfUse, holidays: ["25.12."] }, /got "25\.12\."/],
  ])("with %s is refused with the place", (_, tariff, message) => {
    expect(() => checkTariff(tariff)).toThrow(ConfigError);
    expect(() => checkTariff(tariff)).toThrow(message);
  });
});
