import type { Value, Values } from "../model/reading.ts";

/** Exact consequences of the values of one reply; nothing is guessed and nothing is carried over from another reply. */
export function derive(values: Values): Values {
  const derived: Record<string, Value> = {};
  const number = (name: string): number | undefined => (typeof values[name] === "number" ? values[name] : undefined);
  const charge = number("batteryChargeCurrent");
  const discharge = number("batteryDischargeCurrent");
  const voltage = number("batteryVoltage");
  if (charge !== undefined && discharge !== undefined) {
    derived["batteryCurrent"] = discharge - charge;
    if (voltage !== undefined) derived["batteryPower"] = Math.round(voltage * (discharge - charge));
  }
  // Replies of 17 fields carry no PV power: the current is then the battery-side one on the older units and the
  // panel-side one on the newer (notes §8.8), and each goes with the voltage of its own side.
  if (number("pv1Power") === undefined) {
    const power = product(number("pvChargeCurrent"), number("scc1BatteryVoltage")) ?? product(number("pv1Current"), number("pv1Voltage"));
    if (power !== undefined) derived["pv1Power"] = Math.round(power);
  }
  return derived;
}

function product(current: number | undefined, voltage: number | undefined): number | undefined {
  return current === undefined || voltage === undefined ? undefined : current * voltage;
}
