/** One string of panels at its tracker. */
export interface PvString {
  /** Peak power under 1000 W/m² and 25 °C cells, W. */
  readonly peakWatts: number;
  /** Voltage at the power point under the same conditions, V. */
  readonly voltage: number;
  /** Where the tracker wakes, V; below it takes nothing. 120 by default, as in a MAX. */
  readonly startVoltage?: number;
}

/** What a string could give at this moment. */
export interface PvOffer {
  /** mW, whole. */
  readonly milliwatts: number;
  /** At the power point, V; 0 in the dark. */
  readonly powerPointVoltage: number;
  /** With no load, V; 0 in the dark. */
  readonly openVoltage: number;
}

/** The offer of a string in this light (W/m² on the roof) and air temperature (°C). */
export function pvOffer(string: PvString, irradiance: number, airTemperature: number): PvOffer {
  if (irradiance < 1) return { milliwatts: 0, powerPointVoltage: 0, openVoltage: 0 };
  const cellTemperature = airTemperature + 0.028 * irradiance;
  const warmth = cellTemperature - 25;
  // Voltage hardly depends on light until there is almost none; dawn shows as a climb through the first 30 W/m².
  const dawn = 1 - Math.exp(-irradiance / 9);
  const voltage = string.voltage * (1 - 0.0034 * warmth) * (1 + 0.035 * Math.log(irradiance / 1000)) * dawn;
  const openVoltage = Math.max(0, voltage * 1.21);
  const powerPointVoltage = Math.max(0, voltage);
  const watts = string.peakWatts * (irradiance / 1000) * (1 - 0.0038 * warmth) * 0.96;
  const milliwatts = powerPointVoltage < (string.startVoltage ?? 120) ? 0 : Math.max(0, Math.round(watts * 1000));
  return { milliwatts, powerPointVoltage, openVoltage };
}

/** The voltage a string stands at while only `milliwatts` of its offer are taken: it slides toward the open voltage. */
export function pvVoltage(offer: PvOffer, milliwatts: number): number {
  if (offer.milliwatts === 0) return offer.openVoltage;
  const taken = Math.min(1, milliwatts / offer.milliwatts);
  // Near the power point the curve is steep, so a little less power is already a good step up in voltage.
  return offer.powerPointVoltage + (offer.openVoltage - offer.powerPointVoltage) * Math.sqrt(1 - taken);
}
