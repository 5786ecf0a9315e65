import { z } from "zod";
import { fillMethods } from "../energy/gaps.ts";
import { checkTariff, dayKinds, type Tariff } from "../energy/tariff.ts";
import { ConfigError } from "../model/errors.ts";
import { choice, duration, section, text, yesNo } from "./config-kinds.ts";

const isSection = ({ value }: { readonly value: unknown }) => typeof value === "object" && value !== null;

const above = (description: string, min: number) => {
  const error = min > 0 ? `expected a number of at least ${min}` : "expected a number that is not negative";
  return z.number({ error }).min(min, error).describe(description);
};

const list = <Item extends z.ZodType>(description: string, item: Item) => z.array(item, { error: "expected a list" }).describe(description);

const price = (description: string) => z.number({ error: "expected a price" }).describe(description);

const day = z.enum(dayKinds, { error: `expected one of ${dayKinds.join(", ")}` });

const rate = section("A price and when it holds.", {
  name: text("For people.").meta({ examples: ["peak"] }),
  perKwh: price("In the tariff's currency for a kilowatt-hour.").meta({ examples: [4.2] }),
  days: list("Days on which it holds; all if absent. A holiday is none of the days of the week.", day)
    .optional()
    .meta({ examples: [["saturday", "sunday", "holiday"]] }),
  hours: list(
    "When of the day it holds; all day if absent.",
    section("From, to: `HH:MM` on a quarter of an hour.", {
      from: text("Its start.").meta({ examples: ["06:00"] }),
      to: text("Its end; `24:00` is that of the day.").meta({ examples: ["08:00"] }),
    }),
  )
    .optional()
    .meta({ examples: [[{ from: "06:00", to: "08:00" }]] }),
});

const rates = (description: string) => list(description, rate).min(1, "expected at least one rate");

const tariff = section("What electricity costs; no costs are told if absent.", {
  currency: text("As it is to be shown.").meta({ examples: ["ZAR"] }),
  rates: rates("Prices; the first that holds counts, and one must hold at every moment.").meta({
    examples: [[{ name: "all day", perKwh: 2.5 }]],
  }),
  seasons: list(
    "Parts of the year with rates of their own; the first in which a day lies counts.",
    section("A part of the year.", {
      name: text("For people.").meta({ examples: ["winter"] }),
      from: text("First day, `MM-DD`.").meta({ examples: ["06-01"] }),
      to: text("Last day, `MM-DD`.").meta({ examples: ["08-31"] }),
      rates: rates("As above.").meta({ examples: [[{ name: "winter", perKwh: 3.1 }]] }),
    }),
  )
    .optional()
    .meta({ examples: [[{ name: "winter", from: "06-01", to: "08-31", rates: [{ name: "winter", perKwh: 3.1 }] }]] }),
  holidays: list("`YYYY-MM-DD`, or `MM-DD` for every year.", text("A day."))
    .optional()
    .meta({ examples: [["12-25"]] }),
  perDay: price("Fixed charge of a day.")
    .optional()
    .meta({ examples: [7.5] }),
  feedIn: rates("What is paid for a kilowatt-hour that is fed in; nothing if absent.")
    .optional()
    .meta({ examples: [[{ name: "feed-in", perKwh: 0.9 }]] }),
}).transform((given, context): Tariff => {
  // What is absent was not there at all, as the type of a tariff wants it.
  const whole = given as Tariff;
  try {
    checkTariff(whole);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    context.addIssue({ code: "custom", message: error.message.replace(/^Tariff: /, "") });
  }
  return whole;
});

/** What only the owner knows of the site's energy. */
export const energy = section("What reports about energy need to know of the site.", {
  battery: section("The battery, all banks together.", {
    capacityAh: above("Capacity in Ah. Absent: cycles are unknown.", 1)
      .optional()
      .meta({ examples: [200] }),
    capacityWh: above("Capacity in Wh, in place of `capacityAh`.", 10)
      .optional()
      .meta({ examples: [10_240] }),
  })
    .refine((given) => given.capacityAh === undefined || given.capacityWh === undefined, {
      path: ["capacityWh"],
      error: "expected either capacityAh or capacityWh, got both",
      when: isSection,
    })
    .prefault({}),
  neverFeedsIn: yesNo("The inverters never feed into the grid, so that all PV energy is used here.", false),
  gramsPerKwh: above("CO₂ of a kilowatt-hour from the grid, in g; CO₂ is not told if absent.", 0)
    .optional()
    .meta({ examples: [400] }),
  fill: choice(
    "What stands in for time without readings, told beside what was counted: `hold` the power before the gap, `linear` a straight line over it.",
    fillMethods,
    "none",
  ),
  fillUpTo: duration("A longer gap stays a gap.", "1h", "1min", "24h"),
  tariff: tariff.optional(),
});

export type EnergyConfig = z.output<typeof energy>;
