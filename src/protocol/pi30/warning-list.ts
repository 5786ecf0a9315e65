import type { Severity } from "../../model/reading.ts";

/** What one position of QPIWS means. */
export interface WarningDeclaration {
  readonly key: string;
  readonly title: string;
  /** `faultWithInverterFault`: a fault while the inverter fault is set too, else a warning. */
  readonly severity: Severity | "faultWithInverterFault";
  /** What it means, in a sentence for the owner of the house. */
  readonly explanation: string;
  /** What to do about it, in a sentence. */
  readonly advice: string;
  /** What differs on some families, by their key. */
  readonly differs?: Readonly<Record<string, Partial<Pick<WarningDeclaration, "title" | "severity" | "explanation" | "advice">>>>;
}

/** Its position in replies of so many characters. */
export interface PlacedWarning extends WarningDeclaration {
  readonly at: Readonly<Partial<Record<32 | 36 | 38, number>>>;
  /** Only there does the position mean this; elsewhere it is a digit of a fault code or unknown. */
  readonly families?: readonly string[];
}

const service = "Switch the inverter off and on once; if it comes back, call the installer.";

/** Positions 0 to 29, in their order, the same in every paper; source: notes §10.1, the position taken on disagreements §12. */
export const commonWarnings: readonly WarningDeclaration[] = [
  {
    key: "pvLoss",
    title: "No PV power",
    severity: "info",
    explanation: "The solar panels give no power, as they do every night.",
    advice: "Nothing; by day check the PV switch and fuses.",
  },
  {
    key: "inverterFault",
    title: "Inverter fault",
    severity: "fault",
    explanation: "The inverter has stopped because of a fault; another entry or the fault code tells which.",
    advice: "Read the fault code on the display and look at the other entries.",
  },
  {
    key: "busVoltageOver",
    title: "Bus voltage too high",
    severity: "fault",
    explanation: "The voltage inside the inverter is too high.",
    advice: service,
  },
  {
    key: "busVoltageUnder",
    title: "Bus voltage too low",
    severity: "fault",
    explanation: "The voltage inside the inverter is too low.",
    advice: service,
  },
  {
    key: "busSoftStartFailed",
    title: "Bus start-up failed",
    severity: "fault",
    explanation: "The inverter could not build up its internal voltage.",
    advice: service,
  },
  {
    key: "gridFailed",
    title: "Grid failed",
    severity: "warning",
    explanation: "There is no grid, or its voltage or frequency is outside the set range.",
    advice: "Check whether the house has grid power, then the input breaker.",
  },
  {
    key: "outputShort",
    title: "Short circuit at the output",
    severity: "fault",
    explanation: "The inverter sees a short circuit where the house is connected.",
    advice: "Switch off the house's circuits, switch the inverter on again, and add one circuit after the other.",
  },
  {
    key: "inverterVoltageTooLow",
    title: "Output voltage too low",
    severity: "fault",
    explanation: "The inverter cannot keep up its output voltage.",
    advice: "Take load off; if it comes back, call the installer.",
  },
  {
    key: "inverterVoltageTooHigh",
    title: "Output voltage too high",
    severity: "fault",
    explanation: "The output voltage is higher than the appliances in the house may get.",
    advice: service,
  },
  {
    key: "overTemperature",
    title: "Too hot",
    severity: "faultWithInverterFault",
    explanation: "The inverter is too hot; it gives less power or switches off.",
    advice: "Take load off and see that air gets in and out; clean the dust filter.",
  },
  {
    key: "fanLocked",
    title: "Fan blocked",
    severity: "faultWithInverterFault",
    explanation: "A fan does not turn.",
    advice: "Look for dust, insects or a cable in the fan; have it replaced if it stays still.",
  },
  {
    key: "batteryVoltageHigh",
    title: "Battery voltage too high",
    severity: "faultWithInverterFault",
    explanation: "The battery voltage is above what the inverter takes.",
    advice: "Compare the charging voltages with the battery's data sheet and look for other chargers on the battery.",
  },
  {
    key: "batteryLow",
    title: "Battery low",
    severity: "warning",
    explanation: "The battery is nearly empty.",
    advice: "Take load off or let the grid or a generator charge.",
  },
  {
    key: "overcharge",
    title: "Position 13",
    severity: "info",
    explanation: "The papers of this make keep this position for later use; split-phase units of PI41 mean overcharging.",
    advice: "Nothing; on a split-phase unit check the charging voltages.",
    differs: {
      "split-phase": {
        title: "Battery overcharged",
        severity: "fault",
        explanation: "The battery got more charge than it may.",
        advice: "Compare the charging voltages with the battery's data sheet and look for other chargers on the battery.",
      },
    },
  },
  {
    key: "batteryUnderVoltageShutdown",
    title: "Switched off: battery empty",
    severity: "warning",
    explanation: "The battery voltage fell to the cut-off, so the inverter no longer supplies from it.",
    advice: "Let sun or grid charge the battery; it comes back by itself above the set voltage.",
  },
  {
    key: "batteryDerating",
    title: "Less power because of the battery",
    severity: "warning",
    explanation: "The inverter holds back power to spare the battery.",
    advice: "Take load off; check the battery and its cables if it happens at a well charged battery.",
  },
  {
    key: "overload",
    title: "Overload",
    severity: "faultWithInverterFault",
    explanation: "The house takes more than the inverter can give.",
    advice: "Switch off large appliances.",
  },
  {
    key: "eepromFault",
    title: "Settings memory",
    severity: "warning",
    explanation: "The memory that holds the settings reports an error.",
    advice: "Compare the settings with a saved sheet; if it stays, call the installer.",
  },
  {
    key: "inverterOverCurrent",
    title: "Over current",
    severity: "fault",
    explanation: "The inverter's output stage carried too much current.",
    advice: "Take load off, look for a short circuit, then switch the inverter off and on.",
  },
  {
    key: "inverterSoftStartFailed",
    title: "Output start-up failed",
    severity: "fault",
    explanation: "The inverter could not start its output.",
    advice: "Switch off the house's circuits and try again; if it comes back, call the installer.",
  },
  {
    key: "selfTestFailed",
    title: "Self-test failed",
    severity: "fault",
    explanation: "The inverter's own test at the start failed.",
    advice: service,
  },
  {
    key: "dcVoltageOnOutput",
    title: "Direct voltage at the output",
    severity: "fault",
    explanation: "The output carries direct voltage, which harms appliances.",
    advice: service,
  },
  {
    key: "batteryOpen",
    title: "No battery",
    severity: "fault",
    explanation: "The inverter sees no battery.",
    advice: "Check the battery's switch, fuse and cables, and whether its own management has switched it off.",
  },
  {
    key: "currentSensorFailed",
    title: "Current sensor failed",
    severity: "fault",
    explanation: "A current sensor inside the inverter does not work.",
    advice: service,
  },
  {
    key: "batteryShort",
    title: "Battery short circuit",
    severity: "fault",
    explanation: "The inverter sees a short circuit at the battery.",
    advice: "Open the battery's switch and have battery and cables checked before anything else.",
  },
  {
    key: "powerLimit",
    title: "Power limited",
    severity: "warning",
    explanation: "The inverter gives less power than it could, for example because it is warm.",
    advice: "Take load off and see that air gets in and out.",
  },
  {
    key: "pvVoltageHigh",
    title: "PV voltage too high",
    severity: "warning",
    explanation: "The panels give a higher voltage than the input takes, which can destroy it.",
    advice: "Have the number of panels in a string checked; cold sunny mornings give the highest voltage.",
  },
  {
    key: "mpptOverload",
    title: "Solar charger overloaded",
    severity: "warning",
    explanation: "The solar charger has switched off because of too much current.",
    advice: "Have the number of parallel strings and the charge current checked.",
    differs: { king: { severity: "fault" } },
  },
  {
    key: "mpptOverloadWarning",
    title: "Solar charger at its limit",
    severity: "warning",
    explanation: "The panels could give more than the solar charger takes.",
    advice: "Nothing at once; have the size of the array checked if it happens often.",
  },
  {
    key: "batteryTooLowToCharge",
    title: "Battery too low to charge",
    severity: "warning",
    explanation: "The battery voltage is so low that the solar charger does not begin.",
    advice: "Charge the battery from the grid; have it checked if it does not recover.",
  },
];

const unknownPosition = {
  severity: "info",
  explanation: "The papers of this make do not say what this position means.",
  advice: "Nothing; the raw characters are kept.",
} as const;

/** Models of DMAX and DMAX2 whose digits of a fault code stand behind position 31 at 48 V. */
const maxAt48V: readonly string[] = ["max", "max2", "max-twin", "lv6548", "mks4"];

/** Positions that are not the same everywhere. */
export const placedWarnings: readonly PlacedWarning[] = [
  {
    key: "position30",
    at: { 32: 30, 36: 30 },
    title: "Position 30",
    ...unknownPosition,
    differs: {
      "split-phase": {
        title: "Slave unit",
        severity: "warning",
        explanation: "This unit follows another one of a parallel system.",
        advice: "Nothing, if it is one of several.",
      },
      king: {
        title: "DC/DC over current",
        severity: "fault",
        explanation: "The stage between battery and inverter carried too much current.",
        advice: "Take load off, then switch the inverter off and on; if it comes back, call the installer.",
      },
    },
  },
  { key: "position31", at: { 32: 31 }, title: "Position 31", ...unknownPosition },
  {
    key: "batteryWeak",
    at: { 36: 31 },
    families: maxAt48V,
    title: "Battery weak",
    severity: "warning",
    explanation: "The battery's voltage falls more than it should under load.",
    advice: "Have the battery and its cables checked.",
  },
  {
    key: "lowPvEnergy",
    at: { 36: 33 },
    families: ["vm3", "vm4", "vm4-twin"],
    title: "Little sun",
    // A warning in the papers; it comes with every dusk, as "no PV power" does, which they call informational.
    severity: "info",
    explanation: "The panels give too little power to be used.",
    advice: "Nothing; by bright day check the panels for shade and dirt.",
  },
  {
    key: "highAcInputAtSoftStart",
    at: { 36: 34 },
    title: "Grid voltage high at start",
    severity: "warning",
    explanation: "The grid voltage was too high while the inverter started.",
    advice: "Measure the grid voltage; tell the grid company if it stays high.",
  },
  {
    key: "batteryEqualizing",
    at: { 36: 35 },
    title: "Battery is being equalized",
    severity: "info",
    explanation: "The battery is charged with a higher voltage for a while to even out its cells.",
    advice: "Nothing, if the battery is of lead; lithium batteries must not be equalized.",
  },
  ...([2, 3] as const).flatMap((charger): PlacedWarning[] => {
    const first = 30 + (charger - 2) * 4;
    const [pvHigh, overload, atLimit, tooLow] = commonWarnings.slice(26) as [
      WarningDeclaration,
      WarningDeclaration,
      WarningDeclaration,
      WarningDeclaration,
    ];
    return [
      { ...pvHigh, key: `pv${charger}VoltageHigh`, title: `PV${charger} voltage too high`, at: { 38: first } },
      { ...overload, key: `mppt${charger}Overload`, title: `Solar charger ${charger} overloaded`, at: { 38: first + 1 } },
      { ...atLimit, key: `mppt${charger}OverloadWarning`, title: `Solar charger ${charger} at its limit`, at: { 38: first + 2 } },
      {
        ...tooLow,
        key: `batteryTooLowToCharge${charger}`,
        title: `Battery too low for solar charger ${charger}`,
        at: { 38: first + 3 },
      },
    ];
  }),
];
