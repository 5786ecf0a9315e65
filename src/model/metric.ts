/**
 * The registry of everything that is measured, rated or set. A metric is declared here once; decoding, encoding,
 * HTTP, MQTT, the page and the text log take its key, unit, digits and label from this declaration.
 *
 * Signs follow the field's convention: grid + is import, battery + is discharge.
 */

export type Unit = "V" | "A" | "W" | "VA" | "Hz" | "%" | "°C" | "Wh" | "mV" | "s" | "min" | "h" | "d";

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
  /** A text that is another one at every look, such as a clock: no state that could be counted or become a label. */
  readonly passing?: true;
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
const degrees = (label: string): Declaration => ({ label, group: "inverter", kind: "instant", unit: "°C", digits: 0, range: [0, 250] });
const duration = (label: string, group: MetricGroup, unit: "s" | "min" | "h" | "d", max: number): Declaration => ({
  label,
  group,
  kind: "instant",
  unit,
  digits: 0,
  range: [0, max],
});
/** Of a day, month or year: counts up while it lasts. */
const energy = (label: string, group: MetricGroup): Declaration => ({
  label,
  group,
  kind: "cumulative",
  unit: "Wh",
  digits: 0,
  range: [0, 99_999_999],
});
const hour = (label: string): Declaration => set(duration(label, "settings", "h", 23));
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
  l2OperatingMode: state("L2 mode", "inverter"),
  l2FaultCode: state("L2 fault code", "inverter"),
  l2BatteryChargeCurrent: amps("L2 battery charge current", "battery"),
  l2BatterySoc: percent("L2 battery SoC", "battery", 100),

  // Energy counters of the unit
  pvEnergyTotal: energy("PV energy", "pv"),
  pvEnergyOfYear: energy("PV energy of the year", "pv"),
  pvEnergyOfMonth: energy("PV energy of the month", "pv"),
  pvEnergyOfDay: energy("PV energy of the day", "pv"),
  loadEnergyTotal: energy("Load energy", "output"),
  loadEnergyOfYear: energy("Load energy of the year", "output"),
  loadEnergyOfMonth: energy("Load energy of the month", "output"),
  loadEnergyOfDay: energy("Load energy of the day", "output"),

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

  // A battery that talks to the inverter
  bmsConnected: state("Battery management connected", "battery"),
  bmsSoc: percent("Battery SoC by its own management", "battery", 100),
  bmsForcesAcCharging: state("Battery demands AC charging", "battery"),
  bmsStopsDischarging: state("Battery forbids discharging", "battery"),
  bmsStopsCharging: state("Battery forbids charging", "battery"),
  bmsChargeVoltage: volts("Charging voltage the battery asks for", "battery", 99.9),
  bmsFloatVoltage: volts("Float voltage the battery asks for", "battery", 99.9),
  bmsCutOffVoltage: volts("Cut-off voltage the battery asks for", "battery", 99.9),
  bmsMaxChargeCurrent: amps("Highest charge current the battery allows", "battery", 9999),
  bmsMaxDischargeCurrent: amps("Highest discharge current the battery allows", "battery", 9999),
  bmsStateOfHealth: percent("Battery state of health", "battery", 100),
  bmsTemperature: {
    label: "Battery temperature by its own management",
    group: "battery",
    kind: "instant",
    unit: "°C",
    digits: 0,
    range: [0, 250],
  },
  bmsVoltage: volts("Battery voltage by its own management", "battery", 999.9),
  bmsChargeCurrent: amps("Charge current by the battery's own management", "battery", 999.9, 1),
  bmsDischargeCurrent: amps("Discharge current by the battery's own management", "battery", 999.9, 1),
  bmsFault: state("Battery fault", "battery"),
  bmsWarning: state("Battery warning", "battery"),

  // Second output
  secondOutputOn: state("Second output on", "output"),
  secondOutputPlan: state("Second output, what is next", "output"),
  secondOutputLink: state("Link to the second output", "output"),
  secondOutputCurrent: amps("Second output current", "output", 99.9, 1),

  // Inside the unit
  absorbTimeLeft: duration("Absorb charging ends in", "battery", "s", 99_999),
  floatTimeLeft: duration("Float charging ends in", "battery", "s", 99_999),
  chargeStage: state("Charge stage", "battery"),
  averageChargeCurrent: amps("Average charge current", "battery"),
  solarChargerConnected: state("Solar charger communicates", "pv"),
  solarChargerAllowed: state("Solar charger allowed", "pv"),
  solarChargerTemperature: degrees("Solar charger temperature"),
  inverterTemperature: degrees("Inverter temperature"),
  batteryStageTemperature: degrees("Battery-side heat sink temperature"),
  transformerTemperature: degrees("Transformer temperature"),
  fanLocked: state("Fan locked", "inverter"),
  fanSpeed: percent("Fan speed", "inverter", 100),
  solarChargingPower: watts("Solar charging power", "pv"),
  synchronisationFrequency: hertz("Synchronisation frequency", "inverter"),
  parallelRole: state("Role in parallel operation", "inverter"),
  unitClock: { ...state("Clock of the unit", "inverter"), passing: true },
  wifiConnected: state("Wi-Fi connected", "inverter"),

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
  equalizationEnabled: set(state("Equalization", "battery")),
  equalizationTime: set(duration("Equalization time", "battery", "min", 999)),
  equalizationPeriod: set(duration("Days between equalizations", "battery", "d", 999)),
  equalizationMaxCurrent: set(amps("Max. current during equalization", "battery")),
  equalizationVoltage: set(volts("Equalization voltage", "battery", 99.99, 2)),
  equalizationTimeout: set(duration("Equalization time-out", "battery", "min", 999)),
  equalizationActive: state("Equalization active", "battery"),
  equalizationElapsed: duration("Hours since equalization", "battery", "h", 9999),
  batteryControl: set(state("Charging and discharging allowed", "battery")),
  outputSourcePriorityByHour: set(state("Output source priority by hour", "output")),
  outputSourcePriorityNow: set(state("Output source priority at this hour", "output")),
  outputSourcePriorityOrder: set(state("Order of output source priorities", "output")),
  chargerSourcePriorityByHour: set(state("Charger source priority by hour", "battery")),
  chargerSourcePriorityNow: set(state("Charger source priority at this hour", "battery")),
  chargerSourcePriorityOrder: set(state("Order of charger source priorities", "battery")),
  utilityFirstFromHour: hour("Utility first from"),
  utilityFirstToHour: hour("Utility first to"),
  solarFirstFromHour: hour("Solar first from"),
  solarFirstToHour: hour("Solar first to"),
  sbuFromHour: hour("SBU from"),
  sbuToHour: hour("SBU to"),
  chargeSolarFirstFromHour: hour("Charging solar first from"),
  chargeSolarFirstToHour: hour("Charging solar first to"),
  chargeSolarAndUtilityFromHour: hour("Charging solar and utility from"),
  chargeSolarAndUtilityToHour: hour("Charging solar and utility to"),
  chargeOnlySolarFromHour: hour("Charging only solar from"),
  chargeOnlySolarToHour: hour("Charging only solar to"),
  secondOutputOffVoltage: set(volts("Second output off below", "output", 99.9)),
  secondOutputOffTime: set(duration("Second output off after discharging for", "output", "min", 999)),
  secondOutputCurrentLimit: set(amps("Second output current limit", "output")),
  secondOutputOffSoc: set(percent("Second output off below SoC", "output", 100)),
  secondOutputOnHour: hour("Second output on from"),
  secondOutputOffHour: hour("Second output off from"),
  batteryRechargeSoc: set(percent("Back-to-grid SoC", "battery", 100)),
  batteryRedischargeSoc: set(percent("Back-to-battery SoC", "battery", 100)),
  batteryCutOffSoc: set(percent("Cut-off SoC", "battery", 100)),
  ledEnabled: set(state("LED strip", "inverter")),
  ledSpeed: set(state("LED speed", "inverter")),
  ledEffect: set(state("LED effect (code)", "inverter")),
  ledBrightness: { label: "LED brightness", group: "settings", kind: "setting", digits: 0, range: [0, 9] },
  ledPresentation: set(state("LED colours or what they show (code)", "inverter")),
  ledColours: set(state("LED colours (red, green, blue)", "inverter")),
  selectableChargeCurrents: { label: "Selectable charge currents", group: "settings", kind: "fact", unit: "A" },
  selectableSolarChargeCurrents: { label: "Selectable solar charge currents", group: "settings", kind: "fact", unit: "A" },
  selectableAcChargeCurrents: { label: "Selectable AC charge currents", group: "settings", kind: "fact", unit: "A" },

  // Identity
  protocolId: fact("Protocol"),
  serialNumber: fact("Serial number"),
  firmwareVersion: fact("Firmware version"),
  secondFirmwareVersion: fact("Second firmware version"),
  scc2FirmwareVersion: fact("Firmware version of solar charger 2"),
  scc3FirmwareVersion: fact("Firmware version of solar charger 3"),
  panelFirmwareVersion: fact("Firmware version of the remote panel"),
  bluetoothFirmwareVersion: fact("Firmware version of the Bluetooth module"),
  bootLoader: fact("Boot loader present"),
  modelName: fact("Model name"),
  modelNumber: fact("Model number"),
  modelByNumber: fact("Model by its number"),
  upsModelName: fact("Model name by the UPS protocol"),
  upsApparentPower: rated(voltAmps("Rated power by the UPS protocol", "output")),
  upsPowerFactor: rated(percent("Power factor by the UPS protocol", "output", 100)),
  upsPhases: fact("Phases by the UPS protocol"),
  upsInputVoltage: rated(volts("Input voltage by the UPS protocol", "grid", 500, 0)),
  upsOutputVoltage: rated(volts("Output voltage by the UPS protocol", "output", 500, 0)),
  upsBatteryCount: { ...fact("Batteries by the UPS protocol"), digits: 0, range: [0, 99] },
  upsBatteryVoltage: rated(volts("Battery voltage by the UPS protocol", "battery", 99.9)),
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
