import type { Allowed } from "../../model/setting.ts";
import type { CodeTable, CurrentCommand, Family, FamilyRule, LedTable, VoltageSheet } from "./family.ts";
import { meantByRevo, revoPayloads } from "./revo.ts";

/** Source of every fact here: protocol notes §6.1, §7, §8.5, §9 and §12. */

const steps = (min: number, max: number, step: number, also?: readonly number[]): Allowed => ({
  kind: "range",
  min,
  max,
  step,
  ...(also && { also }),
});
const list = (...values: readonly number[]): Allowed => ({ kind: "list", values });

/** 0 stands for "when the battery is full". */
const full = [0];
const rechargeAt12 = list(11, 11.3, 11.5, 11.8, 12, 12.3, 12.5, 12.8);
const redischargeAt12 = list(0, 12, 12.3, 12.5, 12.8, 13, 13.3, 13.5, 13.8, 14, 14.3, 14.5);

/**
 * The narrowest ranges of all papers. Of charging 24 V no older paper tells: the upper ends are half of those for 48 V,
 * which are below what the 24 V papers allow.
 */
const narrow: VoltageSheet = {
  recharge: { 12: rechargeAt12, 24: steps(22, 25.5, 0.5), 48: steps(44, 51, 1) },
  redischarge: { 12: redischargeAt12, 24: steps(24, 29, 0.5, full), 48: steps(48, 58, 1, full) },
  cutOff: { 24: steps(21, 24, 0.1), 48: steps(42, 48, 0.1) },
  charge: { 24: steps(25, 29.2, 0.1), 48: steps(48, 58.4, 0.1) },
  equalization: { 24: steps(25, 30.5, 0.1), 48: steps(48, 61, 0.1) },
};

/** The widest range of any paper: for units whose user has allowed them. The unit itself refuses what it does not take. */
export const widestVoltages: VoltageSheet = {
  recharge: { 12: rechargeAt12, 24: steps(22, 28.5, 0.5), 48: steps(44, 57, 1) },
  redischarge: { 12: redischargeAt12, 24: steps(24, 33, 0.5, full), 48: steps(48, 64, 1, full) },
  cutOff: { 24: steps(20, 27, 0.1), 48: steps(40, 54, 0.1) },
  charge: { 24: steps(24, 32, 0.1), 48: steps(48, 64, 0.1) },
  equalization: { 24: steps(24, 32, 0.1), 48: steps(48, 64, 0.1) },
};

const olderVoltages: VoltageSheet = { ...narrow, cutOff: { ...narrow.cutOff, 48: steps(40, 48, 0.1) } };
const vm3Voltages: VoltageSheet = {
  ...narrow,
  charge: { 24: steps(25, 31.5, 0.1), 48: steps(48, 61, 0.1) },
  equalization: { 24: steps(25, 31.5, 0.1), 48: steps(48, 61, 0.1) },
};
const mks2Voltages: VoltageSheet = {
  recharge: { ...narrow.recharge, 48: widestVoltages.recharge[48]! },
  redischarge: { ...narrow.redischarge, 48: widestVoltages.redischarge[48]! },
  cutOff: { ...narrow.cutOff, 48: widestVoltages.cutOff[48]! },
  charge: { ...narrow.charge, 48: widestVoltages.charge[48]! },
  equalization: { ...narrow.equalization, 48: widestVoltages.equalization[48]! },
};

const outputPriorities: CodeTable = { "00": "utilityFirst", "01": "solarFirst", "02": "sbu" };
/**
 * In the order of the unit's own display, found out by an owner of a VMII-4000; that of the charger is also what OMPP
 * has for model 045, and a unit of that kind was captured with code 0, which the papers of newer models do not have.
 */
const outputPrioritiesOfDisplay: CodeTable = { "00": "solarFirst", "01": "sbu" };

const chargerPriorities: CodeTable = { "00": "utilityFirst", "01": "solarFirst", "02": "solarAndUtility", "03": "onlySolar" };
const newerChargerPriorities = ["01", "02", "03"];
const chargerPrioritiesOfDisplay: CodeTable = { "00": "solarFirst", "01": "solarAndUtility", "02": "onlySolar" };
/** SBL or SLB: what the sun does first, charge the battery or feed the load; UCB or UDC: whether the grid may charge. */
const kingChargerPriorities: CodeTable = {
  "00": "batteryFirstGridMayCharge",
  "01": "batteryFirstOnlySolar",
  "02": "loadFirstGridMayCharge",
  "03": "loadFirstOnlySolar",
};

/** What every reading of three digits agrees on comes first; behind it the form that newer units want. */
const carefulChargeCurrent: readonly CurrentCommand[] = [
  ["MNCHGC", "0NN"],
  ["MNCHGC", "mNNN"],
  ["MCHGC", "0NN"],
];
const carefulAcChargeCurrent: readonly CurrentCommand[] = [
  ["MUCHGC", "0NN"],
  ["MUCHGC", "mNNN"],
];

const upTo = (last: number): readonly string[] => Array.from({ length: last + 1 }, (_, code) => String(code).padStart(2, "0"));

const anyCvChargeTime = steps(0, 900, 5);
const discharge30To120 = list(0, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120);
const discharge30To150 = steps(30, 150, 10, [0]);

const ledOfMax: LedTable = {
  effects: { "0": "breathing", "2": "solid", "3": "rightScrolling" },
  brightness: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  colours: [2, 3],
  presentations: {},
};
const ledOfMax2: LedTable = {
  effects: { "0": "cycling", "1": "wheel", "2": "chasing", "3": "solid" },
  brightness: [0, 1, 2],
  colours: [],
  presentations: { "0": "pvPower", "1": "batterySoc", "2": "loadPercent", "3": "energySource", "4": "batteryChargeOrDischarge" },
};
const noLed: LedTable = { effects: {}, brightness: [], colours: [], presentations: {} };

/** The common denominator: whatever is not known of a unit is taken from here. */
export const unknownFamily: Family = {
  key: "unknown",
  title: "Unknown model",
  papers: [],
  rules: [],
  chargeCurrent: carefulChargeCurrent,
  acChargeCurrent: carefulAcChargeCurrent,
  solarChargeCurrent: [],
  outputPriorities,
  chargerPriorities,
  voltages: narrow,
  batteryTypes: upTo(2),
  outputVoltage: [],
  outputModeForm: "NN",
  cvChargeTime: anyCvChargeTime,
  cvChargeTimeBy: "QPIRI",
  maxDischargeCurrent: discharge30To120,
  led: noLed,
};

const older: Family = {
  ...unknownFamily,
  key: "older",
  title: "First models without a model name (HS, MS, KS, MKS)",
  papers: ["D14", "D4K", "D15"],
  rules: [{ fields: { QPIRI: [25] }, lacks: ["QMN", "QBEQI"] }],
  chargeCurrent: [
    ["MCHGC", "0NN"],
    ["MNCHGC", "mNNN"],
  ],
};

const mks2: Family = {
  ...unknownFamily,
  key: "mks2",
  title: "MKS II",
  papers: ["DMK2"],
  rules: [{ modelNumbers: ["022", "025"] }, { modelName: /^MKS(2|II)-/ }],
  chargeCurrent: [["MNCHGC", "mNNN"]],
  acChargeCurrent: [
    ["MUCHGC", "mNNN"],
    ["MUCHGC", "mNN"],
  ],
  chargerPrioritiesTaken: newerChargerPriorities,
  voltages: mks2Voltages,
  batteryTypes: upTo(6),
  outputVoltage: ["POPV"],
  led: ledOfMax,
  // Printed of MKS III in the same paper. An MKS II of Phocos shows a steady 1 at position 31, which is no first digit.
  faultDigitsAt: { 24: 32, 48: 32 },
};

/** MKS III and IV: no paper prints ranges for them. */
const mks3: Family = {
  ...mks2,
  key: "mks3",
  title: "MKS III",
  papers: ["DMK2", "DTWIN"],
  rules: [{ modelNumbers: ["042"] }, { modelName: /^MKS(III|3)-/ }],
  voltages: narrow,
  batteryTypes: upTo(9),
};

/** `MKS2-8000` is what an 8 kW MAX calls itself; an MKS II has 5 kW. */
const maxRules: readonly FamilyRule[] = [{ modelNumbers: ["043", "044"] }, { modelName: /^MAX/ }, { modelName: /^MKS2-(7200|8000)$/ }];
const maxThatAnswers = (command: string): readonly FamilyRule[] => maxRules.map((rule) => ({ ...rule, answers: [command] }));

const max: Family = {
  ...unknownFamily,
  key: "max",
  title: "MAX 3.6 to 8 kW",
  papers: ["DMAX"],
  rules: maxRules,
  chargeCurrent: [["MNCHGC", "mNNN"]],
  acChargeCurrent: [
    ["MUCHGC", "mNN"],
    ["MUCHGC", "mNNN"],
  ],
  chargerPrioritiesTaken: newerChargerPriorities,
  batteryTypes: upTo(9),
  outputVoltage: ["V"],
  maxDischargeCurrent: discharge30To150,
  led: ledOfMax,
  faultDigitsAt: { 24: 31, 48: 32 },
};

const vm3: Family = {
  ...unknownFamily,
  key: "vm3",
  title: "VM III, PIP-GK",
  papers: ["DGK", "DTWIN"],
  rules: [{ modelNumbers: ["027", "028", "037"] }, { modelName: /^VM(III|3)-/ }],
  chargeCurrent: [
    ["MNCHGC", "NNN"],
    ["MNCHGC", "mNNN"],
  ],
  acChargeCurrent: [
    ["MUCHGC", "NNN"],
    ["MUCHGC", "mNNN"],
  ],
  chargerPrioritiesTaken: newerChargerPriorities,
  voltages: vm3Voltages,
  batteryTypes: upTo(9),
  outputVoltage: ["V"],
  faultDigitsAt: { 24: 31, 48: 31 },
};

const vm4: Family = {
  ...vm3,
  key: "vm4",
  title: "VM IV",
  papers: ["DMAX2"],
  rules: [{ modelName: /^VM(IV|4)-/ }],
  voltages: narrow,
  maxDischargeCurrent: discharge30To150,
  led: ledOfMax2,
};

const vm2: Family = {
  ...unknownFamily,
  key: "vm2",
  title: "VM II",
  rules: [{ modelNumbers: ["029", "030"] }, { modelName: /^VM(II|2)-/ }],
};

/** Looked through from first to last: what is special stands before what is general. */
export const families: readonly Family[] = [
  {
    ...unknownFamily,
    key: "revo",
    title: "SOROTEC Revo and relatives, another protocol under the name PI30",
    closed: "a Revo is set by commands of its own, which change everything at once: set it at the unit",
    renamed: meantByRevo,
    rules: [{ answers: ["QLITH0"] }, ...revoPayloads.map((pattern): FamilyRule => ({ payload: [["QPIGS", pattern]] }))],
  },
  {
    ...unknownFamily,
    key: "split-phase",
    title: "Split-phase unit that says PI30 and means PI41",
    closed: "a split-phase unit numbers its output modes in another way, and what it takes is not known well enough: set it at the unit",
    isSplitPhase: true,
    papers: ["DPI41"],
    rules: [{ fields: { QPIGS2: [11] } }, { modelNumbers: ["026"] }],
  },
  {
    ...unknownFamily,
    key: "clone",
    title: "Clone with voltages of unknown meaning behind its ratings (PowMr, Fronus)",
    rules: [{ payload: [["QPIRI", /^(\S+ ){25}\d+\.\d/]] }],
  },
  {
    ...mks2,
    key: "phocos",
    title: "Phocos PSW-H (MKS II with discharge limit)",
    papers: ["DMK2"],
    batteryTypes: upTo(6),
    rules: [{ modelNumbers: ["031", "038", "039"] }, { fields: { QPIRI: [29] }, modelName: /^MKS2-5000$/ }],
    // A steady 1 stands at position 31 of one unit.
    faultDigitsAt: undefined,
  },
  {
    ...mks2,
    key: "king",
    title: "KING",
    papers: ["DGK", "DMK2", "DTWIN"],
    rules: [{ modelNumbers: ["023", "024", "035", "036"] }, { modelName: /^KING/ }],
    acChargeCurrent: [
      ["MUCHGC", "mNN"],
      ["MUCHGC", "mNNN"],
    ],
    chargerPriorities: kingChargerPriorities,
    chargerPrioritiesTaken: Object.keys(kingChargerPriorities),
    voltages: widestVoltages,
    batteryTypes: upTo(9),
    outputVoltage: [],
  },
  {
    ...vm4,
    key: "vm4-twin",
    title: "VM IV with a second output",
    papers: ["DMAX2", "DTWIN"],
    rules: vm4.rules.map((rule) => ({ ...rule, answers: ["QDOP"] })),
  },
  vm4,
  {
    ...mks3,
    key: "mks4",
    title: "MKS IV",
    papers: ["DMAX2"],
    rules: [{ modelName: /^MKS(IV|4)-/ }],
    acChargeCurrent: max.acChargeCurrent,
    maxDischargeCurrent: discharge30To150,
    led: ledOfMax2,
  },
  vm3,
  {
    ...vm2,
    key: "vm2-4000",
    title: "VM II 4000, codes in the order of its display",
    rules: [{ modelName: /^VMII-4000$/ }],
    outputPriorities: outputPrioritiesOfDisplay,
    chargerPriorities: chargerPrioritiesOfDisplay,
  },
  vm2,
  {
    ...max,
    key: "lv6548",
    title: "LV 6.5 kW and MAX LV, 120 V",
    rules: [{ modelNumbers: ["045"] }],
    chargerPriorities: chargerPrioritiesOfDisplay,
    chargerPrioritiesTaken: Object.keys(chargerPrioritiesOfDisplay),
  },
  {
    ...max,
    key: "max-twin",
    title: "MAX with a second output",
    papers: ["DMAX2", "DTWIN"],
    rules: maxThatAnswers("QDOP"),
    led: ledOfMax2,
  },
  {
    ...max,
    key: "max2",
    title: "MAX II",
    papers: ["DMAX2"],
    rules: maxThatAnswers("QWFS"),
    led: ledOfMax2,
    faultDigitsAt: { 24: 32, 48: 32 },
  },
  max,
  {
    ...older,
    key: "plus",
    title: "Plus Duo, Plus Tri",
    papers: ["D15"],
    rules: [{ modelNumbers: ["018"] }, { fields: { QPIRI: [25], QPIGS2: [12] } }],
    swapsDefaultCurrents: true,
    chargeCurrent: [
      ["MCHGC", "NNN"],
      ["MNCHGC", "mNNN"],
    ],
    acChargeCurrent: [["MUCHGC", "NNN"]],
    solarChargeCurrent: [["MSCHGC", "NNN"]],
    voltages: olderVoltages,
    cvChargeTime: list(0, 10, 20, 40, 60, 90, 120, 150, 180, 210, 240, 255),
    cvChargeTimeBy: "QCVT",
  },
  mks3,
  mks2,
  {
    ...older,
    key: "hs",
    title: "HS, MS, MSX of the first generation",
    papers: ["D14"],
    rules: [{ fields: { QPIRI: [25], QPIGS: [17] }, lacks: ["QMN", "QBEQI"] }],
    chargeCurrent: [
      ["MCHGC", "mNN"],
      ["MNCHGC", "mNNN"],
    ],
    acChargeCurrent: [["MUCHGC", "mNN"]],
    voltages: olderVoltages,
    outputModeForm: "mN",
  },
  {
    ...older,
    key: "mks",
    title: "KS, MKS",
    papers: ["D4K"],
    rules: [{ modelNumbers: ["010", "011", "012", "013", "014", "015"] }],
    chargeCurrent: [
      ["MCHGC", "NNN"],
      ["MNCHGC", "mNNN"],
    ],
    acChargeCurrent: [["MUCHGC", "NNN"]],
    voltages: olderVoltages,
  },
  older,
];
