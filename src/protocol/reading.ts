import type { Value, Values } from "../model/reading.ts";
import { modelNames } from "./pi30/models.ts";

/** Exact consequences of the values of one reply; nothing is guessed and nothing is carried over from another reply. */
export function derive(values: Values): Values {
  const derived: Record<string, Value> = {};
  const number = (name: string): number | undefined => (typeof values[name] === "number" ? values[name] : undefined);
  const charge = number("batteryChargeCurrent");
  const discharge = number("batteryDischargeCurrent");
  const voltage = number("batteryVoltage");
  if (charge !== undefined && discharge !== undefined) {
    derived["batteryCurrent"] = discharge - charge;
    // Adding 0 turns the -0 of a charging battery at 0 V into 0.
    if (voltage !== undefined) derived["batteryPower"] = Math.round(voltage * (discharge - charge)) + 0;
  }
  // A QPIGS of 17 fields carries no PV power: the current is then the battery-side one on the older units and the
  // panel-side one on the newer (notes §8.8), and each goes with the voltage of its own side. The solar charger's battery
  // voltage marks a QPIGS: the whole-ampere current of QPGSn does not say which side it is on.
  const chargerVoltage = number("scc1BatteryVoltage");
  if (number("pv1Power") === undefined && chargerVoltage !== undefined) {
    const current = number("pvChargeCurrent");
    const isNight = current === 0 && number("pv1Voltage") === 0;
    // A current at 0 V is one whose voltage is not told, except where there is neither current nor sun.
    const power = isNight ? 0 : (product(current, chargerVoltage || undefined) ?? product(number("pv1Current"), number("pv1Voltage")));
    if (power !== undefined) derived["pv1Power"] = Math.round(power);
  }
  const model = values["modelNumber"];
  const name = typeof model === "string" && Object.hasOwn(modelNames, model) ? modelNames[model] : undefined;
  if (name !== undefined) derived["modelByNumber"] = name;
  return derived;
}

function product(current: number | undefined, voltage: number | undefined): number | undefined {
  return current === undefined || voltage === undefined ? undefined : current * voltage;
}
