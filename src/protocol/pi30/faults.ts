import type { Paper } from "./family.ts";

/** One meaning of a fault code, as QPGSn, QPIWS and the display show it. */
export interface FaultDeclaration {
  readonly code: string;
  readonly title: string;
  /** What it means, in a sentence for the owner of the house. */
  readonly explanation: string;
  /** What to do about it, in a sentence. */
  readonly advice: string;
  /** The papers in which the code means this, where they do not agree. */
  readonly papers?: readonly Paper[];
}

const older: readonly Paper[] = ["D14", "D4K", "DPI41"];
const allButMax: readonly Paper[] = [...older, "DGK", "DMK2", "DTWIN"];
const max: readonly Paper[] = ["DMAX", "DMAX2"];
const service = "Switch the inverter off and on once; if it comes back, call the installer.";
const parallel = "Check the cables between the units, then switch all of them off and on.";

/** Source: notes §10.2. D15 has no table of fault codes. */
export const faults: readonly FaultDeclaration[] = [
  {
    code: "01",
    title: "Fan blocked",
    explanation: "A fan does not turn, so the inverter stays off.",
    advice: "Look for dust, insects or a cable in the fan; have it replaced if it stays still.",
  },
  {
    code: "02",
    title: "Too hot",
    explanation: "The inverter is too hot and has switched off.",
    advice: "Let it cool down, take load off and see that air gets in and out.",
  },
  {
    code: "03",
    title: "Battery voltage too high",
    explanation: "The battery voltage is above what the inverter takes.",
    advice: "Compare the charging voltages with the battery's data sheet and look for other chargers on the battery.",
  },
  {
    code: "04",
    title: "Battery voltage too low",
    explanation: "The battery is too empty to go on.",
    advice: "Charge it from sun or grid; check the cut-off voltage.",
  },
  {
    code: "05",
    title: "Short circuit at the output",
    explanation: "The inverter sees a short circuit where the house is connected.",
    advice: "Switch off the house's circuits, switch the inverter on again, and add one circuit after the other.",
    papers: max,
  },
  {
    code: "05",
    title: "Short circuit at the output, or too hot inside",
    explanation: "The inverter sees a short circuit where the house is connected, or a part inside is too hot.",
    advice: "Let it cool down with the house's circuits off, then add one circuit after the other.",
    papers: allButMax,
  },
  {
    code: "06",
    title: "Output voltage too high",
    explanation: "The output voltage is higher than the appliances may get.",
    advice: service,
  },
  {
    code: "07",
    title: "Overload for too long",
    explanation: "The house took more than the inverter can give, for too long.",
    advice: "Switch off large appliances, then switch the inverter on again.",
  },
  { code: "08", title: "Bus voltage too high", explanation: "The voltage inside the inverter is too high.", advice: service },
  { code: "09", title: "Bus start-up failed", explanation: "The inverter could not build up its internal voltage.", advice: service },
  {
    code: "10",
    title: "PV over current",
    explanation: "The panels sent more current than the solar charger takes.",
    advice: "Have the number of parallel strings checked.",
  },
  {
    code: "11",
    title: "Main relay failed",
    explanation: "The relay that joins inverter and house does not work.",
    advice: service,
    papers: older,
  },
  {
    code: "11",
    title: "PV voltage too high",
    explanation: "The panels give a higher voltage than the input takes, which can destroy it.",
    advice: "Open the PV switch and have the number of panels in a string checked.",
    papers: ["DMK2", ...max],
  },
  {
    code: "12",
    title: "DC/DC over current",
    explanation: "The stage between battery and inverter carried too much current.",
    advice: service,
  },
  {
    code: "13",
    title: "Battery discharge over current",
    explanation: "More current was taken from the battery than is allowed.",
    advice: "Take load off; check the discharge limit and the battery's own limit.",
  },
  {
    code: "51",
    title: "Over current",
    explanation: "The inverter's output stage carried too much current.",
    advice: "Take load off, look for a short circuit, then switch the inverter off and on.",
  },
  {
    code: "52",
    title: "Bus start-up failed",
    explanation: "The inverter could not build up its internal voltage.",
    advice: service,
    papers: older,
  },
  { code: "52", title: "Bus voltage too low", explanation: "The voltage inside the inverter is too low.", advice: service, papers: max },
  {
    code: "53",
    title: "Output start-up failed",
    explanation: "The inverter could not start its output.",
    advice: "Switch off the house's circuits and try again; if it comes back, call the installer.",
  },
  { code: "54", title: "Self-test failed", explanation: "The inverter's own test at the start failed.", advice: service },
  {
    code: "55",
    title: "Direct voltage at the output",
    explanation: "The output carries direct voltage, which harms appliances.",
    advice: service,
  },
  {
    code: "56",
    title: "No battery",
    explanation: "The inverter sees no battery.",
    advice: "Check the battery's switch, fuse and cables.",
  },
  { code: "57", title: "Current sensor failed", explanation: "A current sensor inside the inverter does not work.", advice: service },
  {
    code: "58",
    title: "Output voltage too low",
    explanation: "The inverter cannot keep up its output voltage.",
    advice: "Take load off; if it comes back, call the installer.",
  },
  {
    code: "59",
    title: "PV voltage too high",
    explanation: "The panels give a higher voltage than the input takes, which can destroy it.",
    advice: "Open the PV switch and have the number of panels in a string checked.",
  },
  {
    code: "60",
    title: "Power flows back",
    explanation: "Power came into the inverter through its output, from another unit or another source.",
    advice: "See that nothing else feeds the house's circuits, then switch all units off and on.",
  },
  {
    code: "71",
    title: "Firmware differs between units",
    explanation: "The parallel units do not have the same firmware.",
    advice: "Ask the installer to bring all units to the same version.",
  },
  {
    code: "72",
    title: "Output circuit failed",
    explanation: "A parallel unit's output does not work with the others.",
    advice: parallel,
    papers: allButMax,
  },
  {
    code: "72",
    title: "Current is not shared",
    explanation: "The parallel units do not share the load evenly.",
    advice: "Check that the output cables of all units are equally long and firmly connected.",
    papers: max,
  },
  {
    code: "73",
    title: "Output voltage differs between units",
    explanation: "The parallel units are set to different output voltages.",
    advice: "Set all units alike.",
  },
  { code: "80", title: "Units do not hear one another", explanation: "The communication between parallel units fails.", advice: parallel },
  { code: "81", title: "Master unit lost", explanation: "The unit that leads the others does not answer.", advice: parallel },
  { code: "82", title: "Synchronisation lost", explanation: "The parallel units no longer run in step.", advice: parallel },
  {
    code: "83",
    title: "Battery voltage differs between units",
    explanation: "The parallel units measure different battery voltages.",
    advice: "Check that all units are on the same battery with cables of the same length.",
  },
  {
    code: "84",
    title: "Grid differs between units",
    explanation: "The parallel units measure different grid voltages or frequencies.",
    advice: "Check the input cables and breakers of all units.",
  },
  {
    code: "85",
    title: "Grid current unbalanced",
    explanation: "The parallel units do not take the same current from the grid.",
    advice: "Check the input cables and breakers of all units.",
    papers: allButMax,
  },
  {
    code: "85",
    title: "Output current unbalanced",
    explanation: "The parallel units do not give the same current.",
    advice: "Check that the output cables of all units are equally long and firmly connected.",
    papers: max,
  },
  {
    code: "86",
    title: "Output mode differs between units",
    explanation: "The parallel units are not set to output modes that fit together.",
    advice: "Set the output mode of every unit; each must be in standby for that.",
  },
];

/** What a unit sends while it has no fault. */
export const NO_FAULT = "00";
