import { metric } from "../../model/metric.ts";
import { layout, query, type Cadence } from "../command.ts";
import { field, fixedInt, type Field } from "../field.ts";

/**
 * Eight digits, in Wh. The dates are those of the unit's own clock (`QT`); only units whose display has a clock count.
 * None of the replies says which counter it is, so all have one shape.
 */
const counter = <const F extends Field>(code: string, title: string, cadence: Cadence, of: F) =>
  query(code, { title, source: "notes §8.18", cadence, shape: "energy", layouts: [layout([1, 1], [of])] });

const wattHours = fixedInt(8);

export const QET = counter("QET", "PV energy, total", "slow", field(metric.pvEnergyTotal, wattHours));
export const QEYyyyy = counter("QEYyyyy", "PV energy of a year", "onDemand", field(metric.pvEnergyOfYear, wattHours));
export const QEMyyyymm = counter("QEMyyyymm", "PV energy of a month", "onDemand", field(metric.pvEnergyOfMonth, wattHours));
export const QEDyyyymmdd = counter("QEDyyyymmdd", "PV energy of a day", "onDemand", field(metric.pvEnergyOfDay, wattHours));
export const QLT = counter("QLT", "Load energy, total", "slow", field(metric.loadEnergyTotal, wattHours));
export const QLYyyyy = counter("QLYyyyy", "Load energy of a year", "onDemand", field(metric.loadEnergyOfYear, wattHours));
export const QLMyyyymm = counter("QLMyyyymm", "Load energy of a month", "onDemand", field(metric.loadEnergyOfMonth, wattHours));
export const QLDyyyymmdd = counter("QLDyyyymmdd", "Load energy of a day", "onDemand", field(metric.loadEnergyOfDay, wattHours));
