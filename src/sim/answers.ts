import type { Values } from "../model/reading.ts";
import { batteryTypes, inputVoltageRanges } from "../protocol/pi30/choices.ts";
import { QPGSn } from "../protocol/pi30/parallel.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { warningBitsOf } from "../protocol/pi30/warnings.ts";
import { patched } from "./form.ts";
import type { SimulatedInverter } from "./inverter.ts";
import type { Member } from "./member.ts";
import { timeText, type Counted } from "./meter.ts";
import { pvVoltage } from "./pv.ts";

/**
 * What one unit of the simulated system shows. Several units share one battery bank, house and roof in nearly equal
 * parts: each shows its part, and the parts add up to the whole.
 */
export interface Unit {
  readonly inverter: SimulatedInverter;
  readonly member: Member;
  /** All of the system, in the order of their numbers. */
  readonly members: readonly Member[];
}

/** No real unit is numbered so high. */
const simulatedPrefix = "99999999";

/** The nines mark it as simulated; `length` is 13 or 14 digits on real units. */
export function serialNumberOf(index: number, length = 14): string {
  return `${simulatedPrefix}${String(index + 1).padStart(length - simulatedPrefix.length, "0")}`;
}

/** True for the serial number of a simulated unit, wherever it is served. */
export function isSimulated(serialNumber: string | undefined): boolean {
  return serialNumber?.startsWith(simulatedPrefix) === true;
}

/** Whether its single phases carry different loads. */
const isUneven = ({ members }: Unit): boolean => members.some(({ outputMode }) => outputMode.startsWith("phase"));

/** The unit's part of a whole number that belongs to all that are on; the parts add up exactly. */
function part(unit: Unit, whole: number, among: readonly Member[] = unit.members.filter(({ powered }) => powered)): number {
  const position = among.indexOf(unit.member);
  if (position < 0) return 0;
  // No two real units share equally: a fixed tilt of up to two in a hundred, far more between phases.
  const tilt = isUneven(unit) ? 0.2 : 0.02;
  const edge = (n: number): number => (n === 0 ? 0 : n === among.length ? 1 : (n + tilt * Math.sin(n * 2.4)) / among.length);
  return Math.round(edge(position + 1) * whole) - Math.round(edge(position) * whole);
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
  const { inverter, members } = unit;
  const active = watts(part(unit, inverter.demand.milliwatts * members.length));
  const apparent = Math.max(active, watts(part(unit, inverter.demand.milliVoltAmperes * members.length)));
  const { ratedActivePower, ratedApparentPower } = inverter.ratings;
  const amperes = Math.round(part(unit, inverter.battery.milliamperes * members.length) / 1000);
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
  const { inverter, members } = unit;
  const offer = inverter.offers[string];
  if (offer === undefined) return { voltage: 0, current: 0, power: 0 };
  const milliwatts = inverter.stringPower(string);
  const voltage = oneDecimal(pvVoltage(offer, milliwatts));
  const shown = watts(part(unit, milliwatts * members.length));
  return { voltage, current: voltage === 0 ? 0 : oneDecimal(shown / voltage), power: shown };
}

/** Charging bits: from the sun unless it all comes from the grid. */
function charging({ inverter: { flows } }: Unit): { solar: boolean; ac: boolean } {
  return { solar: flows.batteryIn > flows.acCharge, ac: flows.acCharge > 0 };
}

/** W that the unit charges from the grid. */
const acChargePower = (unit: Unit): number => watts(part(unit, unit.inverter.flows.acCharge * unit.members.length));

function busVoltage({ mode, offers, flows }: SimulatedInverter): number {
  if (mode === "line") return 418 + Math.round(flows.pv / 1e6);
  const highest = Math.max(0, ...offers.map(({ powerPointVoltage }) => powerPointVoltage));
  return Math.round(Math.max(382 + 4 * (flows.pv / 1e6), highest + 40));
}

/** The second decimal is always 0, as on real units. */
const batteryVolts = ({ inverter: { battery } }: Unit): number => oneDecimal(battery.millivolts / 1000);

/** QPIGS in every form: which of two meanings of a place is sent, the profile decides. */
function statusOf(unit: Unit): Values {
  const { inverter } = unit;
  const { battery, grid } = inverter;
  const shown = power(unit);
  const first = pv(unit, 0);
  const from = charging(unit);
  const on = inverter.mode === "line" || inverter.mode === "battery";
  const deviceStatus = [
    ...(on ? ["loadOn"] : []),
    ...(from.solar || from.ac ? ["charging"] : []),
    ...(from.solar ? ["solarCharging"] : []),
    ...(from.ac ? ["acCharging"] : []),
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
    batteryVoltage: batteryVolts(unit),
    batteryChargeCurrent: shown.charge,
    batterySoc: Math.round(battery.soc * 100),
    heatSinkTemperature: Math.max(0, Math.round(inverter.heatSink)),
    // The raw number of the sensor falls as it gets warmer.
    heatSinkRaw: Math.round(800 - 4.5 * inverter.heatSink),
    pv1Current: first.current,
    pv1Voltage: first.voltage,
    batteryDischargeCurrent: shown.discharge,
    deviceStatus,
    pv1Power: first.power,
    chargeStatus: [...(inverter.charger.stage === "float" && (from.solar || from.ac) ? ["floatCharging"] : []), "switchedOn"],
  };
}

function secondStatusOf(unit: Unit): Values {
  const [first, second, third] = [pv(unit, 0), pv(unit, 1), pv(unit, 2)] as const;
  return {
    pv2Current: second.current,
    pv2Voltage: second.voltage,
    pv2Power: second.power,
    scc2BatteryVoltage: batteryVolts(unit),
    solarChargerStatus: [...(second.power > 0 ? ["scc2Charging"] : []), ...(third.power > 0 ? ["scc3Charging"] : [])],
    acChargeCurrent: Math.round(acChargePower(unit) / batteryVolts(unit)),
    acChargePower: acChargePower(unit),
    pv3Current: third.current,
    pv3Voltage: third.voltage,
    scc3BatteryVoltage: batteryVolts(unit),
    pv3Power: third.power,
    pvPower: first.power + second.power + third.power,
  };
}

/**
 * The warnings as characters, as many as the profile sends, with the two digits of the fault code where it has them.
 * What it always sends behind the common positions, it sends here too.
 */
function warningsOf({ inverter, member }: Unit, form: string): string {
  const digits = member.profile.faultDigitsAt;
  const standing = warningBitsOf(inverter.warnings).padEnd(form.length, "0");
  const bits = Array.from(form, (always, position) => (position >= 30 && always === "1" ? "1" : (standing[position] ?? "0"))).join("");
  if (digits === undefined || inverter.faultCode === "00") return bits;
  return bits.slice(0, digits) + inverter.faultCode + bits.slice(digits + 2);
}

/** The record of unit `wanted` of the system; where there is none that is on, a record of zeros with the system's totals. */
function parallelOf(unit: Unit, wanted: number): Values {
  const { inverter, members } = unit;
  const { battery, grid } = inverter;
  const each = members.map((member) => power({ ...unit, member }));
  const sum = (of: (one: UnitPower) => number): number => each.reduce((total, one) => total + of(one), 0);
  const totals = {
    totalChargeCurrent: sum(({ charge }) => charge),
    totalLoadApparentPower: sum(({ apparent }) => apparent),
    totalLoadActivePower: sum(({ active }) => active),
    totalLoadPercent: Math.round(sum(({ percent }) => percent) / members.filter(({ powered }) => powered).length),
  };
  const member = members[wanted];
  if (member?.powered !== true) return { ...absentRecord, ...totals };
  const asked = { ...unit, member };
  const shown = power(asked);
  const first = pv(asked, 0);
  const second = pv(asked, 1);
  const from = charging(unit);
  const unitStatus = [
    ...(inverter.offers.some(({ openVoltage }) => openVoltage > 0) ? ["solarChargerPresent"] : []),
    ...(from.ac ? ["acCharging"] : []),
    ...(from.solar ? ["solarCharging"] : []),
    ...(inverter.warnings.includes("batteryUnderVoltageShutdown") ? ["batteryUnderVoltage"] : []),
    ...(grid.present ? [] : ["lineLost"]),
    ...(inverter.mode === "line" || inverter.mode === "battery" ? ["loadOn"] : []),
  ];
  return {
    ...member.shown(QPGSn),
    // A single MAX says "no" here and sends its data all the same.
    unitExists: members.length > 1 || member.shown(QPGSn)["unitExists"] === true,
    serialNumber: member.serialNumber,
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
    pv1Current: Math.round(first.current),
    batteryDischargeCurrent: shown.discharge,
    pv2Voltage: second.voltage,
    pv2Current: Math.round(second.current),
  };
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
  unitStatus: [] as readonly string[],
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

/** The further strings of a unit, as QP2GSn of the Plus Tri has them. */
function furtherStringsOf(unit: Unit, wanted: number, form: string): string {
  const member = unit.members[wanted];
  const asked = member?.powered === true ? { ...unit, member } : undefined;
  const [first, second, third] = [0, 1, 2].map((string) => (asked ? pv(asked, string) : { voltage: 0, current: 0, power: 0 }));
  return patched(form, {
    0: asked ? 1 : 0,
    1: first?.power ?? 0,
    2: second?.voltage ?? 0,
    3: second?.current ?? 0,
    4: second?.power ?? 0,
    5: third?.voltage ?? 0,
    6: third?.current ?? 0,
    7: third?.power ?? 0,
  });
}

/** Wh counted by this unit since it was made, or in a part of that time. */
function counted(unit: Unit, of: Counted, date: string): string {
  const { inverter, members } = unit;
  // Every member's own, whether the others are on or off.
  return String(part(unit, inverter.meter.wattHours(of, date) * members.length, members)).padStart(8, "0");
}

/** The undocumented status: solar power, heat sink and charge stage, wherever this form has them. */
function internalStatusOf(unit: Unit, form: string): string {
  const solar = pv(unit, 0).power;
  const stage = unit.inverter.flows.batteryIn === 0 ? 10 : { bulk: 11, absorption: 12, float: 13 }[unit.inverter.charger.stage];
  const heatSink = Math.max(0, Math.round(unit.inverter.heatSink));
  return form.split(" ").length === 18
    ? patched(form, { 9: heatSink, 16: solar, 17: stage })
    : patched(form, { 6: heatSink, 13: solar, 16: stage });
}

/**
 * What the physics knows of the answer to a query, as values of the catalogue or as the payload itself; absent where
 * the unit's settings alone decide. `argument` is what stands behind the code: a number or a date.
 */
export function liveAnswer(unit: Unit, code: string, argument: string, form: string): Values | string | undefined {
  const { inverter, member } = unit;
  switch (code) {
    case "QPIGS":
      return { ...statusOf(unit), ...solarCharger(unit, form) };
    case "QPIGS2":
      return secondStatusOf(unit);
    case "QMOD":
      return { operatingMode: inverter.mode };
    case "QPIWS":
      return warningsOf(unit, form);
    case "QPGSn":
      return parallelOf(unit, Number(argument));
    case "QP2GSn":
      return furtherStringsOf(unit, Number(argument), form);
    case "QID":
      return member.serialNumber;
    case "QSID":
      return String(member.serialNumber.length) + member.serialNumber + form.slice(2 + member.serialNumber.length);
    case "QT":
      return timeText(inverter.localTime + member.clockAheadMs);
    case "QET":
    case "QEYyyyy":
    case "QEMyyyymm":
    case "QEDyyyymmdd":
      return counted(unit, "pv", argument);
    case "QLT":
    case "QLYyyyy":
    case "QLMyyyymm":
    case "QLDyyyymmdd":
      return counted(unit, "load", argument);
    case "QBMS":
      return form.includes(" ") ? patched(form, { 1: Math.round(inverter.battery.soc * 100) }) : form;
    case "QBV":
      return patched(form, { 0: batteryVolts(unit), 1: Math.round(inverter.battery.soc * 100) });
    case "QBT":
      return `0${batteryTypes.encode((member.shown(QPIRI)["batteryType"] ?? "agm") as "agm")}`;
    case "QGR":
      return `0${inputVoltageRanges.encode(inverter.ratings.inputVoltageRange)}`;
    case "Q1":
      return internalStatusOf(unit, form);
    default:
      return undefined;
  }
}

/**
 * What the solar charger says of itself. Units whose charger measures the battery's voltage, while it works, tell its whole
 * current, with what goes on to the output (capture of an MKS: 14 A at 57.45 V, 12 A of it into the battery); the others send
 * zeros for the voltage, and the current into the battery alone.
 */
function solarCharger(unit: Unit, form: string): Values {
  const { flows } = unit.inverter;
  const whole = Number(form.split(" ")[14] ?? 0) > 0;
  const milliwatts = whole ? flows.pv - flows.losses.pvConverter : flows.batteryIn - flows.acCharge;
  const volts = batteryVolts(unit);
  const pvChargeCurrent = Math.round(watts(part(unit, milliwatts * unit.members.length)) / volts);
  return whole ? { pvChargeCurrent, scc1BatteryVoltage: flows.pv > 0 ? volts : 0 } : { pvChargeCurrent };
}
