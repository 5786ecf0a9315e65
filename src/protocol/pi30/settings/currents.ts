import { metric, type Metric } from "../../../model/metric.ts";
import type { Query } from "../../command.ts";
import { numberOf, type Effect, type Setting, type UnitMake } from "../../setting.ts";
import { QMCHGCR, QMSCHGCR, QMUCHGCR } from "../currents.ts";
import { findFamily } from "../families.ts";
import type { CurrentCommand, CurrentForm, Family } from "../family.ts";
import { QPIRI } from "../ratings.ts";
import { QPIGS } from "../status.ts";
import { argumentOf, called, define, isNumber, lacking, locked, plainly, type Declaration } from "./kinds.ts";

/** How each form reads and writes a current in A; absent where the form cannot say it without doubt. */
const forms: Readonly<
  Record<CurrentForm, { write(amps: number, unit: number): string | undefined; read(text: string, unit: number): number | undefined }>
> = {
  NNN: {
    write: (amps) => digits(amps, 3),
    read: (text) => (/^\d{3}$/.test(text) ? Number(text) : undefined),
  },
  mNN: {
    write: (amps, unit) => (amps < 100 ? `${unit}${digits(amps, 2)}` : undefined),
    read: (text, unit) => (/^\d{3}$/.test(text) && Number(text[0]) === unit ? Number(text.slice(1)) : undefined),
  },
  mNNN: {
    write: (amps, unit) => `${unit}${digits(amps, 3)}`,
    read: (text, unit) => (/^\d{4}$/.test(text) && Number(text[0]) === unit ? Number(text.slice(1)) : undefined),
  },
  // 100 A and more would be "unit 1, 0 A" to a unit that expects its number in front.
  "0NN": {
    write: (amps, unit) => (amps < 100 && unit === 0 ? `0${digits(amps, 2)}` : undefined),
    read: (text, unit) => (/^0\d\d$/.test(text) && unit === 0 ? Number(text) : undefined),
  },
};

const digits = (amps: number, width: number): string => String(amps).padStart(width, "0");
const isCurrent = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 999;

interface Current {
  readonly commands: (family: Family) => readonly CurrentCommand[];
  /** Tells the currents that this unit takes. */
  readonly offered: Query;
  readonly offeredAs: Metric;
  /** Whether QPIRI tells the present value. */
  readonly read: boolean;
}

function currentSetting(of: Metric, declaration: Declaration, { commands: commandsOf, offered, offeredAs, read }: Current): Setting {
  const commands = (value: unknown, { family, unit }: UnitMake): string[] => {
    if (!isCurrent(value)) return [];
    const sent = commandsOf(findFamily(family)).map(([code, form]) => {
      const argument = forms[form].write(value, unit);
      return argument === undefined ? undefined : code + argument;
    });
    return [...new Set(sent.filter((command) => command !== undefined))];
  };
  return define(
    called(of),
    { ...declaration, needs: [offered] },
    {
      shape: "NNN, mNN or mNNN: the current in A, with the unit's number in front",
      readBack: read ? plainly({ query: QPIRI, key: of.key }, isNumber) : undefined,
      values(facts) {
        const family = findFamily(facts.family);
        if (commandsOf(family).length === 0) return lacking(`no command for it is known of this model (${family.title})`);
        const listed = facts.values[offeredAs.key];
        if (!Array.isArray(listed))
          return locked(`this unit does not tell which currents it takes (no answer to ${offered.code}), and no other can be sent safely`);
        const values = (listed as readonly unknown[]).filter((amps): amps is number => commands(amps, facts).length > 0);
        return values.length > 0
          ? { kind: "list", values }
          : locked("none of the currents it lists can be said to this unit without doubt");
      },
      commands,
      parse(command, { family, unit }) {
        for (const [code, form] of commandsOf(findFamily(family))) {
          const argument = argumentOf(code, command);
          const amps = argument === undefined ? undefined : forms[form].read(argument, unit);
          if (amps !== undefined) return amps;
        }
        return undefined;
      },
    },
  );
}

/** The battery's current as whole amperes may be one above the limit by rounding. */
const ROUNDING_A = 1;

function limits(isFrom: (status: readonly string[]) => boolean): Effect {
  return {
    queries: [QPIGS],
    seen(values, value) {
      const status = values[metric.deviceStatus.key];
      const amps = numberOf(values, metric.batteryChargeCurrent.key);
      if (typeof value !== "number" || amps === undefined || amps === 0) return undefined;
      if (!Array.isArray(status) || !isFrom(status as readonly string[])) return undefined;
      return amps <= value + ROUNDING_A;
    },
    describe: (value) => `the battery is charged with no more than ${String(value)} A`,
  };
}

const maxChargeCurrent = currentSetting(
  metric.maxChargeCurrent,
  {
    code: "MNCHGC",
    explanation:
      "The most that sun and grid together may charge the battery with. Keep to what the battery's maker allows; in a parallel system it holds for each unit.",
    topic: "charging",
    level: "everyday",
    lcdProgram: 2,
    source: "notes §9.2: MCHGC on the first models, MNCHGC on all",
    effect: limits((status) => status.includes("charging")),
  },
  { commands: ({ chargeCurrent }) => chargeCurrent, offered: QMCHGCR, offeredAs: metric.selectableChargeCurrents, read: true },
);

const maxAcChargeCurrent = currentSetting(
  metric.maxAcChargeCurrent,
  {
    code: "MUCHGC",
    explanation: "The most that the grid may charge the battery with. A smaller max. charge current holds for the grid as well.",
    topic: "charging",
    level: "everyday",
    lcdProgram: 11,
    source: "notes §9.2",
    effect: limits((status) => status.includes("acCharging") && !status.includes("solarCharging")),
  },
  { commands: ({ acChargeCurrent }) => acChargeCurrent, offered: QMUCHGCR, offeredAs: metric.selectableAcChargeCurrents, read: true },
);

const maxSolarChargeCurrent = currentSetting(
  metric.maxSolarChargeCurrent,
  {
    code: "MSCHGC",
    explanation: "The most that the sun may charge the battery with, on models with several solar chargers. It cannot be read back.",
    topic: "charging",
    level: "everyday",
    source: "notes §9.2; D15",
    papers: ["D15"],
  },
  {
    commands: ({ solarChargeCurrent }) => solarChargeCurrent,
    offered: QMSCHGCR,
    offeredAs: metric.selectableSolarChargeCurrents,
    read: false,
  },
);

export const currentSettings: readonly Setting[] = [maxChargeCurrent, maxAcChargeCurrent, maxSolarChargeCurrent];
