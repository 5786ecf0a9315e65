import { choice } from "../field.ts";

// Enumerations that several commands use; source: protocol notes §7.

/** The same codes as some commands send them, with a zero in front. */
function ofTwoDigits<const Codes extends Readonly<Record<string, string>>>(codes: Codes): { readonly [Word in keyof Codes]: string } {
  return Object.fromEntries(Object.entries(codes).map(([word, code]) => [word, `0${code}`])) as { readonly [Word in keyof Codes]: string };
}

const batteryTypeCodes = {
  agm: "0",
  flooded: "1",
  userDefined: "2",
  pylontech: "3",
  shinheung: "4",
  weco: "5",
  soltaro: "6",
  bak: "7",
  lib: "8",
  lic: "9",
} as const;
export const batteryTypes = choice(batteryTypeCodes);
export const batteryTypesOfTwoDigits = choice(ofTwoDigits(batteryTypeCodes));

const inputVoltageRangeCodes = { appliance: "0", ups: "1" } as const;
export const inputVoltageRanges = choice(inputVoltageRangeCodes);
export const inputVoltageRangesOfTwoDigits = choice(ofTwoDigits(inputVoltageRangeCodes));

export const outputSourcePriorities = choice({ utilityFirst: "0", solarFirst: "1", sbu: "2" });

/** The common meaning; KING and a few LCD-ordered firmwares number them differently (notes §7). */
export const chargerSourcePriorities = choice({ utilityFirst: "0", solarFirst: "1", solarAndUtility: "2", onlySolar: "3" });

const outputModeCodes = {
  single: "0",
  parallel: "1",
  phase1Of3: "2",
  phase2Of3: "3",
  phase3Of3: "4",
  phase1Of2: "5",
  phase2Of2At120: "6",
  phase2Of2At180: "7",
} as const;
export const outputModes = choice(outputModeCodes);
export const outputModesOfTwoDigits = choice(ofTwoDigits(outputModeCodes));

/** The same, read with two digits as well: so QPIRI is printed in the papers, though every unit seen sends one. */
export const outputModesOfAnyWidth: typeof outputModes = {
  ...outputModes,
  decode: (raw) => outputModes.decode(/^0\d$/.test(raw) ? raw.slice(1) : raw),
};

/** Split-phase units number them in a way of their own; source: PI41 notes §3.5. */
const splitPhaseModeCodes = {
  single: "0",
  parallel: "1",
  phase1Of3: "2",
  phase2Of3: "3",
  phase3Of3: "4",
  parallelAt120: "5",
  parallelAt180: "6",
} as const;
export const splitPhaseModes = choice(splitPhaseModeCodes);
export const splitPhaseModesOfTwoDigits = choice(ofTwoDigits(splitPhaseModeCodes));

export const chargingStages = choice({ automatic: "00", twoStage: "01", threeStage: "02" });

export const machineTypes = choice({ gridTie: "00", offGrid: "01", hybrid: "10", offGrid2Trackers: "11", offGrid3Trackers: "20" });

export const topologies = choice({ transformerless: "0", transformer: "1" });

export const pvOkConditions = choice({ oneUnitWithPv: "0", allUnitsWithPv: "1" });

export const pvPowerBalances = choice({ limitedToChargeCurrent: "0", chargeAndLoad: "1" });

export const operationLogics = choice({ automatic: "0", onLine: "1", eco: "2" });

export const countryRegulations = choice({ india: "00", germany: "01", southAmerica: "02" });

export const operatingModes = choice({
  powerOn: "P",
  standby: "S",
  line: "L",
  battery: "B",
  fault: "F",
  powerSaving: "H",
  shutdown: "D",
  charge: "C",
  bypass: "Y",
  eco: "E",
});
