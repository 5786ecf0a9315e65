/**
 * The registry of everything that is measured, rated or set. A metric is declared here once; decoding, encoding,
 * HTTP, MQTT, the page and the text log take its key, unit, digits and label from this declaration.
 *
 * Signs follow the field's convention: grid + is import, battery + is discharge.
 */

export type Unit = "V" | "A" | "W" | "VA" | "Hz" | "%" | "°C" | "Wh" | "mV" | "min";

/** What a person looks for it under; also the order of the sections on a screen. */
export type MetricGroup = "pv" | "battery" | "grid" | "output" | "inverter" | "settings" | "identity";

export interface Metric<Key extends string = string> {
  readonly key: Key;
  readonly label: string;
  readonly group: MetricGroup;
  /** `instant`: true at one moment; `cumulative`: only ever counts up; `setting`: changes when a person changes it; `fact`: fixed for the unit. */
  readonly kind: "instant" | "cumulative" | "setting" | "fact";
  readonly unit?: Unit;
  /** Decimals worth showing. */
  readonly digits?: number;
  /** Inclusive physical limits; a number outside them is never a value. */
  readonly range?: readonly [min: number, max: number];
  /** What a positive number means, where the number can be negative. */
  readonly positive?: "import" | "discharge";
}

type Declaration = Omit<Metric, "key">;

const volts = (label: string, group: MetricGroup, max: number, digits = 1): Declaration => ({
  label,
  group,
  kind: "instant",
  unit: "V",
  digits,
  range: [0, max],
});
const amps = (label: string, group: MetricGroup, max = 999, digits = 0): Declaration => ({
  label,
  group,
  kind: "instant",
  unit: "A",
  digits,
  range: [0, max],
});
const watts = (label: string, group: MetricGroup): Declaration => ({
  label,
  group,
  kind: "instant",
  unit: "W",
  digits: 0,
  range: [0, 99_999],
});
const voltAmps = (label: string, group: MetricGroup): Declaration => ({ ...watts(label, group), unit: "VA" });
const hertz = (label: string, group: MetricGroup): Declaration => ({
  label,
  group,
  kind: "instant",
  unit: "Hz",
  digits: 1,
  range: [0, 100],
});
const percent = (label: string, group: MetricGroup, max: number): Declaration => ({
  label,
  group,
  kind: "instant",
  unit: "%",
  digits: 0,
  range: [0, max],
});
const state = (label: string, group: MetricGroup): Declaration => ({ label, group, kind: "instant" });
const set = (declaration: Declaration): Declaration => ({ ...declaration, group: "settings", kind: "setting" });
const rated = (declaration: Declaration): Declaration => ({ ...declaration, group: "identity", kind: "fact" });
const fact = (label: string): Declaration => ({ label, group: "identity", kind: "fact" });

const declarations = {
  // Live status
  gridVoltage: volts("Grid voltage", "grid", 500),
  gridFrequency: hertz("Grid frequency", "grid"),
  outputVoltage: volts("Output voltage", "output", 500),
  outputFrequency: hertz("Output frequency", "output"),
  loadApparentPower: voltAmps("Load apparent power", "output"),
  loadActivePower: watts("Load", "output"),
  loadPercent: percent("Load level", "output", 300),
  busVoltage: volts("Bus voltage", "inverter", 999, 0),
  batteryVoltage: volts("Battery voltage", "battery", 99.99, 2),
  batteryChargeCurrent: amps("Battery charge current", "battery"),
  batteryDischargeCurrent: amps("Battery discharge current", "battery"),
  batterySoc: percent("Battery SoC", "battery", 100),
  heatSinkTemperature: { label: "Heat sink temperature", group: "inverter", kind: "instant", unit: "°C", digits: 0, range: [0, 150] },
  heatSinkRaw: { label: "Heat sink sensor (raw)", group: "inverter", kind: "instant", digits: 0, range: [151, 9999] },
  pv1Current: amps("PV1 current", "pv", 99.9, 1),
  pvChargeCurrent: amps("PV charge current", "pv"),
  pv1Voltage: volts("PV1 voltage", "pv", 999.9),
  pv1Power: watts("PV1 power", "pv"),
  scc1BatteryVoltage: volts("Battery voltage at solar charger 1", "battery", 99.99, 2),
  deviceStatus: state("Device status", "inverter"),
  fanOffsetVoltage: {
    label: "Battery voltage offset for fans on",
    group: "inverter",
    kind: "instant",
    unit: "mV",
    digits: 0,
    range: [0, 990],
  },
  eepromVersion: fact("EEPROM version"),
  chargeStatus: state("Charge status", "battery"),
  solarFeedToGrid: state("Solar feed to grid", "grid"),
  countryRegulation: state("Country regulation", "grid"),
  solarFeedPower: watts("Solar feed-in power", "grid"),
  gridInputCurrent: amps("Grid input current", "grid", 99.9, 1),
  operatingMode: state("Mode", "inverter"),

  // Further PV inputs and the second AC phase
  pv2Current: amps("PV2 current", "pv", 999, 1),
  pv2Voltage: volts("PV2 voltage", "pv", 999.9),
  pv2Power: watts("PV2 power", "pv"),
  pv3Current: amps("PV3 current", "pv", 999, 1),
  pv3Voltage: volts("PV3 voltage", "pv", 999.9),
  pv3Power: watts("PV3 power", "pv"),
  scc2BatteryVoltage: volts("Battery voltage at solar charger 2", "battery", 99.99, 2),
  scc3BatteryVoltage: volts("Battery voltage at solar charger 3", "battery", 99.99, 2),
  solarChargerStatus: state("Solar charger status", "pv"),
  acChargeCurrent: amps("AC charge current", "battery", 9999),
  acChargePower: watts("AC charge power", "battery"),
  pvPower: watts("PV power", "pv"),
  l2GridVoltage: volts("L2 grid voltage", "grid", 500),
  l2GridFrequency: hertz("L2 grid frequency", "grid"),
  l2OutputVoltage: volts("L2 output voltage", "output", 500),
  l2OutputFrequency: hertz("L2 output frequency", "output"),
  l2LoadApparentPower: voltAmps("L2 load apparent power", "output"),
  l2LoadActivePower: watts("L2 load", "output"),
  l2LoadPercent: percent("L2 load level", "output", 300),
  l2BatteryVoltage: volts("L2 battery voltage", "battery", 99.99, 2),
  l2Status: state("L2 status", "inverter"),

  // Derived from the above
  batteryCurrent: {
    label: "Battery current",
    group: "battery",
    kind: "instant",
    unit: "A",
    digits: 1,
    range: [-9999, 9999],
    positive: "discharge",
  },
  batteryPower: {
    label: "Battery power",
    group: "battery",
    kind: "instant",
    unit: "W",
    digits: 0,
    range: [-99_999, 99_999],
    positive: "discharge",
  },

  // Parallel units
  unitExists: state("Parallel unit present", "inverter"),
  faultCode: state("Fault code", "inverter"),
  totalChargeCurrent: amps("Total charge current, all units", "battery", 9999),
  totalLoadApparentPower: voltAmps("Total load apparent power, all units", "output"),
  totalLoadActivePower: watts("Total load, all units", "output"),
  totalLoadPercent: percent("Total load level, all units", "output", 300),
  unitStatus: state("Unit status", "inverter"),
  maxChargeCurrentLimit: set(amps("Highest selectable charge current", "battery")),

  // Warnings and option flags
  warnings: state("Warnings", "inverter"),
  enabledFlags: set(state("Options on", "settings")),
  disabledFlags: set(state("Options off", "settings")),

  // Ratings
  ratedGridVoltage: rated(volts("Rated grid voltage", "grid", 500)),
  ratedGridCurrent: rated(amps("Rated grid current", "grid", 999, 1)),
  ratedOutputVoltage: rated(volts("Rated output voltage", "output", 500)),
  ratedOutputFrequency: rated(hertz("Rated output frequency", "output")),
  ratedOutputCurrent: rated(amps("Rated output current", "output", 999, 1)),
  ratedApparentPower: rated(voltAmps("Rated apparent power", "output")),
  ratedActivePower: rated(watts("Rated active power", "output")),
  ratedBatteryVoltage: rated(volts("Rated battery voltage", "battery", 99.9)),
  maxParallelUnits: { ...fact("Highest number of parallel units"), digits: 0, range: [0, 99] },
  machineType: fact("Machine type"),
  topology: fact("Topology"),

  // Settings
  batteryRechargeVoltage: set(volts("Back-to-grid battery voltage", "battery", 99.9)),
  batteryCutOffVoltage: set(volts("Battery cut-off voltage", "battery", 99.9)),
  batteryBulkVoltage: set(volts("Bulk charging voltage", "battery", 99.9)),
  batteryFloatVoltage: set(volts("Float charging voltage", "battery", 99.9)),
  batteryRedischargeVoltage: set(volts("Back-to-battery voltage", "battery", 99.9)),
  batteryType: set(state("Battery type", "battery")),
  maxAcChargeCurrent: set(amps("Max. AC charge current", "battery")),
  maxChargeCurrent: set(amps("Max. charge current", "battery")),
  maxDischargeCurrent: set(amps("Max. discharge current", "battery")),
  inputVoltageRange: set(state("Input voltage range", "grid")),
  outputSourcePriority: set(state("Output source priority", "output")),
  chargerSourcePriority: set(state("Charger source priority", "battery")),
  outputMode: set(state("Output mode", "output")),
  pvOkCondition: set(state("PV OK condition", "pv")),
  pvPowerBalance: set(state("PV power balance", "pv")),
  maxCvChargeTime: { label: "Max. C.V. charging time", group: "settings", kind: "setting", unit: "min", digits: 0, range: [0, 999] },
  operationLogic: set(state("Operation logic", "inverter")),
  outputVoltageSetting: set(volts("Output voltage", "output", 500)),
  outputFrequencySetting: set(hertz("Output frequency", "output")),
  chargingStages: set(state("Charging stages", "battery")),
  maxSolarChargeCurrent: set(amps("Max. solar charge current", "battery")),
  buzzerSilenced: set(state("Buzzer silenced", "inverter")),
  powerSaving: set(state("Power saving", "inverter")),
  overloadRestart: set(state("Restart after overload", "inverter")),
  overTemperatureRestart: set(state("Restart after over temperature", "inverter")),
  lcdBacklight: set(state("LCD backlight", "inverter")),
  sourceInterruptAlarm: set(state("Alarm on primary source interrupt", "inverter")),
  faultCodeRecord: set(state("Fault code record", "inverter")),
  overloadBypass: set(state("Overload bypass", "inverter")),
  lcdReturnToDefault: set(state("LCD returns to default page", "inverter")),
  dataLogPopUp: set(state("Data-log pop-up", "inverter")),
  selectableChargeCurrents: { label: "Selectable charge currents", group: "settings", kind: "fact", unit: "A" },
  selectableAcChargeCurrents: { label: "Selectable AC charge currents", group: "settings", kind: "fact", unit: "A" },

  // Identity
  protocolId: fact("Protocol"),
  serialNumber: fact("Serial number"),
  firmwareVersion: fact("Firmware version"),
  modelName: fact("Model name"),
  modelNumber: fact("Model number"),
} as const satisfies Record<string, Declaration>;

export type MetricKey = keyof typeof declarations;

/** Every metric by key, e.g. `metric.batteryVoltage`. */
export const metric = Object.fromEntries(
  Object.entries(declarations).map(([key, declaration]) => [key, { key, ...declaration }]),
) as unknown as { readonly [Key in MetricKey]: Metric<Key> };

/** Looks a metric up by a key that came from outside; absent for an unknown key. */
export function findMetric(key: string): Metric | undefined {
  return Object.hasOwn(metric, key) ? metric[key as MetricKey] : undefined;
}
