import type { Values } from "../model/reading.ts";
import type { ValuesOf } from "../protocol/command.ts";
import type { QPGSn } from "../protocol/pi30/parallel.ts";
import type { QPIGS, QPIGS2 } from "../protocol/pi30/status.ts";
import { warningBitsOf } from "../protocol/pi30/warnings.ts";
import type { SimulatedInverter } from "./inverter.ts";
import { pvVoltage } from "./pv.ts";

/**
 * What one unit of the simulated system shows, as typed values of the catalogue. Several units share one battery bank,
 * house and roof in nearly equal parts: each shows its part, and the parts add up to the whole.
 */
export interface Unit {
  readonly inverter: SimulatedInverter;
  /** 0 for the first. */
  readonly index: number;
  /** How many units there are. */
  readonly count: number;
}

/** No real unit is numbered so high. */
const simulatedPrefix = "99999999";

/** Fourteen digits; the nines mark it as simulated. */
export function serialNumberOf(index: number): string {
  return `${simulatedPrefix}${String(index + 1).padStart(6, "0")}`;
}

/** True for the serial number of a simulated unit, wherever it is served. */
export function isSimulated(serialNumber: string | undefined): boolean {
  return serialNumber?.startsWith(simulatedPrefix) === true;
}

/** The unit's part of a whole number that belongs to all; the parts add up exactly. */
function part({ index, count }: Unit, whole: number): number {
  // No two real units share equally: a fixed tilt of up to two in a hundred.
  const edge = (unit: number): number => (unit === 0 ? 0 : unit === count ? 1 : unit / count + (0.02 * Math.sin(unit * 2.4)) / count);
  return Math.round(edge(index + 1) * whole) - Math.round(edge(index) * whole);
}

const watts = (milliwatts: number): number => Math.round(milliwatts / 1000);
const oneDecimal = (value: number): number => Math.round(value * 10) / 10;

interface UnitPower {
  /** W, VA, and percent of one unit's rating. */
  readonly active: number;
  readonly apparent: number;
  readonly percent: number;
  /** A, whole, one of them 0. */
  readonly charge: number;
  readonly discharge: number;
}

/** A system of several units is as many times larger, so that each of them is as busy as one alone would be. */
function power(unit: Unit): UnitPower {
  const { inverter, count } = unit;
  const active = watts(part(unit, inverter.demand.milliwatts * count));
  const apparent = Math.max(active, watts(part(unit, inverter.demand.milliVoltAmperes * count)));
  const { ratedActivePower, ratedApparentPower } = inverter.ratings;
  const amperes = Math.round(part(unit, inverter.battery.milliamperes * count) / 1000);
  return {
    active,
    apparent,
    percent: Math.round(100 * Math.max(active / ratedActivePower, apparent / ratedApparentPower)),
    charge: Math.max(0, -amperes),
    discharge: Math.max(0, amperes),
  };
}

interface PvShown {
  readonly voltage: number;
  readonly current: number;
  readonly power: number;
}

function pv(unit: Unit, string: number): PvShown {
  const { inverter, count } = unit;
  const offer = inverter.offers[string];
  if (offer === undefined) return { voltage: 0, current: 0, power: 0 };
  const milliwatts = inverter.stringPower(string);
  const voltage = oneDecimal(pvVoltage(offer, milliwatts));
  const shown = watts(part(unit, milliwatts * count));
  return { voltage, current: voltage === 0 ? 0 : oneDecimal(shown / voltage), power: shown };
}

/** Charging bits: from the sun unless it all comes from the grid. */
function charging({ inverter: { flows } }: Unit): { solar: boolean; ac: boolean } {
  return { solar: flows.batteryIn > flows.acCharge, ac: flows.acCharge > 0 };
}

function busVoltage({ mode, offers, flows }: SimulatedInverter): number {
  if (mode === "line") return 418 + Math.round(flows.pv / 1e6);
  const highest = Math.max(0, ...offers.map(({ powerPointVoltage }) => powerPointVoltage));
  return Math.round(Math.max(382 + 4 * (flows.pv / 1e6), highest + 40));
}

export function statusOf(unit: Unit): ValuesOf<typeof QPIGS> {
  const { inverter } = unit;
  const { battery, grid } = inverter;
  const shown = power(unit);
  const first = pv(unit, 0);
  const from = charging(unit);
  const on = inverter.mode === "line" || inverter.mode === "battery";
  const deviceStatus = [
    ...(on ? (["loadOn"] as const) : []),
    ...(from.solar || from.ac ? (["charging"] as const) : []),
    ...(from.solar ? (["solarCharging"] as const) : []),
    ...(from.ac ? (["acCharging"] as const) : []),
  ];
  return {
    gridVoltage: grid.volts,
    gridFrequency: grid.hertz,
    outputVoltage: inverter.outputVolts,
    outputFrequency: inverter.outputHertz,
    loadApparentPower: shown.apparent,
    loadActivePower: shown.active,
    loadPercent: shown.percent,
    busVoltage: busVoltage(inverter),
    // The second decimal is always 0, as on real units.
    batteryVoltage: oneDecimal(battery.millivolts / 1000),
    batteryChargeCurrent: shown.charge,
    batterySoc: Math.round(battery.soc * 100),
    heatSinkTemperature: Math.max(0, Math.round(inverter.heatSink)),
    pv1Current: first.current,
    pv1Voltage: first.voltage,
    scc1BatteryVoltage: 0,
    batteryDischargeCurrent: shown.discharge,
    deviceStatus,
    fanOffsetVoltage: 0,
    eepromVersion: "00",
    pv1Power: first.power,
    chargeStatus: [...(inverter.charger.stage === "float" && (from.solar || from.ac) ? (["floatCharging"] as const) : []), "switchedOn"],
  };
}

/** QPIGS as older units send it: the current from the sun into the battery in place of the string's own. */
export function olderStatusOf(unit: Unit): ValuesOf<typeof QPIGS> {
  const { pv1Current: _, ...status } = statusOf(unit);
  const batteryVoltage = oneDecimal(unit.inverter.battery.millivolts / 1000);
  const { flows } = unit.inverter;
  const solar = flows.batteryIn - flows.acCharge;
  const pvChargeCurrent = Math.round(watts(part(unit, solar * unit.count)) / batteryVoltage);
  return { ...status, pvChargeCurrent, scc1BatteryVoltage: solar > 0 ? batteryVoltage : 0 };
}

export function secondStatusOf(unit: Unit): ValuesOf<typeof QPIGS2> {
  const second = pv(unit, 1);
  return { pv2Current: second.current, pv2Voltage: second.voltage, pv2Power: second.power };
}

/** The warnings as their bits, with the two digits of the fault code at positions 32 and 33, where a MAX has them. */
export function warningsOf({ inverter }: Unit): Values {
  const bits = warningBitsOf(inverter.warnings);
  return { warnings: inverter.warnings, warningBits: bits.slice(0, 32) + inverter.faultCode + bits.slice(34) };
}

/** The warnings of units that send 32 characters. */
export function shortWarningsOf({ inverter }: Unit): Values {
  return { warnings: inverter.warnings, warningBits: warningBitsOf(inverter.warnings).slice(0, 32) };
}

/** The record of unit `wanted` of the system; where there is none, a record of zeros with the system's totals. */
export function parallelOf(unit: Unit, wanted: number): ValuesOf<typeof QPGSn> {
  const { inverter, count } = unit;
  const { ratings, battery, grid } = inverter;
  const each = Array.from({ length: count }, (_, index) => power({ ...unit, index }));
  const sum = (of: (one: UnitPower) => number): number => each.reduce((total, one) => total + of(one), 0);
  const totals = {
    totalChargeCurrent: sum(({ charge }) => charge),
    totalLoadApparentPower: sum(({ apparent }) => apparent),
    totalLoadActivePower: sum(({ active }) => active),
    totalLoadPercent: Math.round(sum(({ percent }) => percent) / count),
  };
  const shown = each[wanted];
  if (shown === undefined) return { ...absentRecord, ...totals };
  const asked = { ...unit, index: wanted };
  const first = pv(asked, 0);
  const second = pv(asked, 1);
  const from = charging(unit);
  const unitStatus = [
    ...(inverter.offers.some(({ openVoltage }) => openVoltage > 0) ? (["solarChargerPresent"] as const) : []),
    ...(from.ac ? (["acCharging"] as const) : []),
    ...(from.solar ? (["solarCharging"] as const) : []),
    ...(inverter.warnings.includes("batteryUnderVoltageShutdown") ? (["batteryUnderVoltage"] as const) : []),
    ...(grid.present ? [] : (["lineLost"] as const)),
    ...(inverter.mode === "line" || inverter.mode === "battery" ? (["loadOn"] as const) : []),
  ];
  return {
    // A single MAX says "no" here and sends its data all the same.
    unitExists: count > 1,
    serialNumber: serialNumberOf(wanted),
    operatingMode: inverter.mode,
    faultCode: inverter.faultCode,
    gridVoltage: grid.volts,
    gridFrequency: grid.hertz,
    outputVoltage: inverter.outputVolts,
    outputFrequency: inverter.outputHertz,
    loadApparentPower: shown.apparent,
    loadActivePower: shown.active,
    loadPercent: shown.percent,
    batteryVoltage: battery.millivolts / 1000,
    batteryChargeCurrent: shown.charge,
    batterySoc: Math.round(battery.soc * 100),
    pv1Voltage: first.voltage,
    ...totals,
    unitStatus,
    outputMode: outputModeOf(unit),
    chargerSourcePriority: ratings.chargerSourcePriority,
    maxChargeCurrent: ratings.maxChargeCurrent,
    maxChargeCurrentLimit: 120,
    maxAcChargeCurrent: ratings.maxAcChargeCurrent,
    pv1Current: Math.round(first.current),
    batteryDischargeCurrent: shown.discharge,
    pv2Voltage: second.voltage,
    pv2Current: Math.round(second.current),
  };
}

export function outputModeOf({ inverter, count }: Unit): NonNullable<ValuesOf<typeof QPGSn>["outputMode"]> {
  return count > 1 ? "parallel" : inverter.ratings.outputMode;
}

/** What a real system sends for a number it does not have, apart from the totals. */
const absentRecord = {
  unitExists: false,
  serialNumber: "00000000000000",
  operatingMode: "powerOn",
  faultCode: "00",
  gridVoltage: 0,
  gridFrequency: 0,
  outputVoltage: 0,
  outputFrequency: 0,
  loadApparentPower: 0,
  loadActivePower: 0,
  loadPercent: 0,
  batteryVoltage: 0,
  batteryChargeCurrent: 0,
  batterySoc: 0,
  pv1Voltage: 0,
  unitStatus: [],
  outputMode: "single",
  chargerSourcePriority: "utilityFirst",
  maxChargeCurrent: 0,
  maxChargeCurrentLimit: 0,
  maxAcChargeCurrent: 0,
  pv1Current: 0,
  batteryDischargeCurrent: 0,
  pv2Voltage: 0,
  pv2Current: 0,
} as const;
