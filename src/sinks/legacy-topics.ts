/**
 * The JSON documents of the older Home Assistant add-on, for those who have automations on them. This is a foreign
 * format: its keys, its spelling and its texts are declared here, field by field of the raw payload, and nowhere else.
 */

/** One payload field as JSON text, or absent where the field has not the expected form. */
type Conversion = (field: string) => string | undefined;

type Entry = readonly [key: string, fieldIndex: number, conversion: Conversion];

export interface LegacyDocument {
  /** The command whose payload it is made of. */
  readonly command: string;
  /** With fewer fields the add-on published nothing. */
  readonly minFields: number;
  readonly entries: readonly Entry[];
}

const decimalForm = /^-?\d+(?:\.\d+)?$/;

const integer: Conversion = (field) => (/^\d+$/.test(field) ? field.replace(/^0+(?=\d)/, "") : undefined);

/** Always with a decimal point, so that a reader that guesses types sees one type. */
const decimal: Conversion = (field) => {
  if (!decimalForm.test(field)) return undefined;
  const number = Number(field);
  return Number.isInteger(number) ? `${number}.0` : String(number);
};

const text: Conversion = (field) => JSON.stringify(field);

const isLetter =
  (letter: string): Conversion =>
  (field) =>
    field === letter ? "1" : "0";

const word =
  (key: string, words: Readonly<Record<string, string>>): Conversion =>
  (field) =>
    JSON.stringify(Object.hasOwn(words, field) ? words[field] : `${key}_invalid(${field})`);

const choice = (key: string, fieldIndex: number, words: Readonly<Record<string, string>>): Entry => [key, fieldIndex, word(key, words)];

/** `power/axpert` by default. */
export const legacyParallel: LegacyDocument = {
  command: "QPGS0",
  minFields: 27,
  entries: [
    ["Gridmode", 2, isLetter("L")],
    ["SerialNumber", 1, integer],
    ["BatteryChargingCurrent", 12, integer],
    ["BatteryDischargeCurrent", 26, integer],
    ["TotalChargingCurrent", 15, integer],
    ["GridVoltage", 4, decimal],
    ["GridFrequency", 5, decimal],
    ["OutputVoltage", 6, decimal],
    ["OutputFrequency", 7, decimal],
    ["OutputAparentPower", 8, integer],
    ["OutputActivePower", 9, integer],
    ["LoadPercentage", 10, integer],
    ["BatteryVoltage", 11, decimal],
    ["BatteryCapacity", 13, decimal],
    ["PvInputVoltage", 14, decimal],
    ["TotalAcOutputApparentPower", 16, integer],
    ["TotalAcOutputActivePower", 17, integer],
    ["TotalAcOutputPercentage", 18, integer],
    ["OutputMode", 20, integer],
    ["ChargerSourcePriority", 21, integer],
    ["MaxChargeCurrent", 22, integer],
    ["MaxChargerRange", 23, integer],
    ["MaxAcChargerCurrent", 24, integer],
    ["PvInputCurrentForBattery", 25, integer],
    ["Solarmode", 2, isLetter("B")],
  ],
};

/** `power/axpert{sn}` by default. */
export const legacyStatus: LegacyDocument = {
  command: "QPIGS",
  minFields: 21,
  entries: [
    ["BusVoltage", 7, decimal],
    ["InverterHeatsinkTemperature", 11, decimal],
    ["BatteryVoltageFromScc", 14, decimal],
    ["PvInputCurrent", 12, decimal],
    ["PvInputVoltage", 13, decimal],
    ["PvInputPower", 19, integer],
    ["BatteryChargingCurrent", 9, integer],
    ["BatteryDischargeCurrent", 15, integer],
    ["DeviceStatus", 16, text],
  ],
};

/** `power/axpert_settings` by default. */
export const legacySettings: LegacyDocument = {
  command: "QPIRI",
  minFields: 21,
  entries: [
    ["AcInputVoltage", 0, decimal],
    ["AcInputCurrent", 1, decimal],
    ["AcOutputVoltage", 2, decimal],
    ["AcOutputFrequency", 3, decimal],
    ["AcOutputCurrent", 4, decimal],
    ["AcOutputApparentPower", 5, integer],
    ["AcOutputActivePower", 6, integer],
    ["BatteryVoltage", 7, decimal],
    ["BatteryRechargeVoltage", 8, decimal],
    ["BatteryUnderVoltage", 9, decimal],
    ["BatteryBulkVoltage", 10, decimal],
    ["BatteryFloatVoltage", 11, decimal],
    choice("BatteryType", 12, { "0": "AGM", "1": "Flooded", "2": "User", "3": "Lithium" }),
    ["MaxAcChargingCurrent", 13, integer],
    ["MaxChargingCurrent", 14, integer],
    choice("InputVoltageRange", 15, { "0": "Appliance", "1": "UPS" }),
    choice("OutputSourcePriority", 16, { "0": "utility", "1": "solar", "2": "battery" }),
    choice("ChargerSourcePriority", 17, { "0": "utility first", "1": "solar first", "2": "solar + utility", "3": "solar only" }),
    ["MaxParallelUnits", 18, integer],
    choice("MachineType", 19, { "00": "Grid tie", "01": "Off Grid", "10": "Hybrid" }),
    choice("Topology", 20, { "0": "transformerless", "1": "transformer" }),
    choice("OutputMode", 21, {
      "0": "single machine output",
      "1": "parallel output",
      "2": "Phase 1 of 3 Phase output",
      "3": "Phase 2 of 3 Phase output",
      "4": "Phase 3 of 3 Phase output",
    }),
    ["BatteryRedischargeVoltage", 22, decimal],
    choice("PvOkCondition", 23, {
      "0": "As long as one unit of inverters has connect PV, parallel system will consider PV OK",
      "1": "Only All of inverters have connect PV, parallel system will consider PV OK",
    }),
    choice("PvPowerBalance", 24, {
      "0": "PV input max current will be the max charged current",
      "1": "PV input max power will be the sum of the max charged power and loads power",
    }),
    ["MaxBatteryCvChargingTime", 25, integer],
  ],
};

/** The document as JSON text; absent when the payload has too few fields. A field that is missing or malformed is left out. */
export function legacyJson(document: LegacyDocument, payload: string): string | undefined {
  const fields = payload.split(" ");
  if (fields.length < document.minFields) return undefined;
  const members: string[] = [];
  for (const [key, fieldIndex, conversion] of document.entries) {
    const field = fields[fieldIndex];
    const value = field === undefined ? undefined : conversion(field);
    if (value !== undefined) members.push(`"${key}":${value}`);
  }
  return `{${members.join(",")}}`;
}
