import { readFileSync } from "node:fs";
import type { Values } from "../../src/model/reading.ts";
import type { Allowed, SettingValue } from "../../src/model/setting.ts";
import type { NotOffered, Setting, UnitFacts } from "../../src/protocol/setting.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { families, unknownFamily } from "../../src/protocol/pi30/family-list.ts";

/** The values of a payload; throws where it is none of this command. */
export function decoded(command: string, payload: string): Values {
  const reply = decodeReply(findRequest(command), { body: payload });
  if (reply.kind !== "data") throw new Error(`expected data of ${command}, got ${reply.kind}`);
  return reply.values;
}

const unit = JSON.parse(readFileSync(new URL("../fixtures/settings-unit.json", import.meta.url), "utf8")) as {
  readonly replies: Readonly<Record<string, string>>;
};
const answers = Object.entries(unit.replies).map(([command, payload]) => decoded(command, payload));

export type Battery = 12 | 24 | 48;

const rated: Readonly<Record<Battery, Values>> = {
  12: {
    ratedBatteryVoltage: 12,
    batteryRechargeVoltage: 11.5,
    batteryCutOffVoltage: 10.5,
    batteryBulkVoltage: 14.1,
    batteryFloatVoltage: 13.5,
    batteryRedischargeVoltage: 13.5,
  },
  24: {
    ratedBatteryVoltage: 24,
    batteryRechargeVoltage: 23,
    batteryCutOffVoltage: 21,
    batteryBulkVoltage: 28.2,
    batteryFloatVoltage: 27,
    batteryRedischargeVoltage: 27,
    equalizationVoltage: 29.2,
  },
  48: {},
};

export interface FactOptions {
  readonly battery?: Battery;
  readonly unit?: number;
  readonly wide?: boolean;
  readonly lowVoltage?: boolean;
  /** In place of what the unit above answers. */
  readonly values?: Values;
}

export function factsOf(
  family: string,
  { battery = 48, unit: number = 0, wide = false, lowVoltage = false, values = {} }: FactOptions = {},
): UnitFacts {
  return {
    family,
    unit: number,
    wide,
    values: Object.assign({}, ...answers, rated[battery], lowVoltage ? { ratedOutputVoltage: 120 } : {}, values) as Values,
  };
}

/** Every value there is; of a text, a few. */
export function valuesOf(allowed: Allowed | NotOffered, { info }: Setting): readonly SettingValue[] {
  switch (allowed.kind) {
    case "none":
      return [];
    case "list":
      return allowed.values;
    case "range": {
      const count = Math.round((allowed.max - allowed.min) / allowed.step);
      const steps = Array.from({ length: count + 1 }, (_, index) => Number((allowed.min + index * allowed.step).toFixed(2)));
      return [...(allowed.also ?? []), ...steps];
    }
    case "text": {
      const examples = texts[info.name];
      if (!examples) throw new Error(`expected examples of ${info.name}`);
      return examples;
    }
  }
}

const colours = ["#000000", "#a020f0", "#ffffff", "#0102ff"];
const texts: Readonly<Record<string, readonly string[]>> = {
  unitClock: ["2024-10-22T15:30:00", "2000-01-01T00:00:00", "2099-12-31T23:59:59", "2028-02-29T12:00:00"],
  ledColourLine: colours,
  ledColourAvr: colours,
  ledColourBattery: colours,
  secondOutputHours: ["00-23", "08-18", "22-06"],
};

export const familyKeys: readonly string[] = [...families, unknownFamily].map(({ key }) => key);
