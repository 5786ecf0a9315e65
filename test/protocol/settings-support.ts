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

/** A unit that answers everything, so that nothing is left out for want of an answer; a user-defined battery, 10 A to 120 A. */
const replies: Readonly<Record<string, string>> = {
  QPIGS: "230.0 49.9 230.0 49.9 0805 0751 020 448 29.00 000 100 0037 02.3 271.1 00.00 00007 00010000 00 00 00647 011 0 00 0000",
  QPIRI: "230.0 34.7 230.0 50.0 34.7 8000 8000 48.0 46.0 42.0 56.4 54.0 2 010 040 0 2 3 9 01 0 1 54.0 1 1 480 0 120",
  QFLAG: "EabcdjkluvDxyz",
  QMCHGCR: "010 020 030 040 050 060 070 080 090 100 110 120",
  QMUCHGCR: "002 010 020 030 040 050 060 070 080 090 100 110 120",
  QMSCHGCR: "010 020 030 040",
  QPGS0:
    "1 92931905106458 B 00 232.0 50.00 229.3 50.02 0412 0323 008 52.2 000 030 299.6 000 00895 00713 007 10100010 1 1 060 080 60 00 000",
  QBEQI: "1 030 030 080 021 55.40 224 030 0 0234",
  QBATCD: "111",
  QCST: "02",
  QT: "20210726122606",
  QLT: "00012345",
  QDOP: "1 3 0 0 02.5 44.0 999 20 050 090 020 030 08 18",
  QLED: "1 1 2 5 3 148000211255255255000255255",
  QCVT: "240",
};

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
  { battery = 48, unit = 0, wide = false, lowVoltage = false, values = {} }: FactOptions = {},
): UnitFacts {
  const answers = Object.entries(replies).map(([command, payload]) => decoded(command, payload));
  return {
    family,
    unit,
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
