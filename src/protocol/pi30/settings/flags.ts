import { findMetric } from "../../../model/metric.ts";
import type { Values } from "../../../model/reading.ts";
import type { Setting } from "../../setting.ts";
import { QFLAG } from "../warnings.ts";
import { define, type Declaration } from "./kinds.ts";

/** The letter of an option, as QFLAG writes it. */
function letterOf(option: string): string {
  return QFLAG.whole!.codec.encode({ enabledFlags: [option], disabledFlags: [] }).charAt(1);
}

function listOf(values: Values, name: "enabledFlags" | "disabledFlags"): readonly string[] {
  const list = values[name];
  return Array.isArray(list) ? (list as readonly string[]) : [];
}

/** An option that the unit shows in QFLAG; one that it does not show, it does not have. */
function flagSetting(option: string, declaration: Omit<Declaration, "code" | "source"> & { readonly label?: string }): Setting {
  const { label, ...rest } = declaration;
  const letter = letterOf(option);
  const without = (list: readonly string[]): readonly string[] => list.filter((name) => name !== option);
  return define(
    { name: option, label: label ?? findMetric(option)?.label ?? option },
    { ...rest, code: `PE${letter}`, source: "notes §8.7 and §9.5" },
    {
      form: "switch",
      shape: `PE${letter} on · PD${letter} off`,
      readBack: {
        query: QFLAG,
        read: (values) =>
          listOf(values, "enabledFlags").includes(option) ? true : listOf(values, "disabledFlags").includes(option) ? false : undefined,
        changed(values, value) {
          const enabled = without(listOf(values, "enabledFlags"));
          const disabled = without(listOf(values, "disabledFlags"));
          return value === true
            ? { ...values, enabledFlags: [...enabled, option], disabledFlags: disabled }
            : { ...values, enabledFlags: enabled, disabledFlags: [...disabled, option] };
        },
      },
      values: () => ({ kind: "list", values: [true, false] }),
      commands: (value) => [`P${value === true ? "E" : "D"}${letter}`],
      parse: (command) => (command === `PE${letter}` ? true : command === `PD${letter}` ? false : undefined),
    },
  );
}

export const flagSettings: readonly Setting[] = [
  flagSetting("buzzer", {
    label: "Buzzer",
    explanation: "The unit beeps at warnings and faults.",
    topic: "panel",
    level: "everyday",
    lcdProgram: 18,
  }),
  flagSetting("lcdReturnToDefault", {
    explanation: "After a minute the display goes back to its first page.",
    topic: "panel",
    level: "everyday",
    lcdProgram: 19,
  }),
  flagSetting("lcdBacklight", { explanation: "The display stays lit.", topic: "panel", level: "everyday", lcdProgram: 20 }),
  flagSetting("sourceInterruptAlarm", {
    explanation: "The unit beeps when its first source fails. Switched off, a power cut is not heard.",
    topic: "panel",
    level: "everyday",
    lcdProgram: 22,
  }),
  flagSetting("faultCodeRecord", { explanation: "The unit remembers fault codes.", topic: "panel", level: "everyday", lcdProgram: 25 }),
  flagSetting("dataLogPopUp", { explanation: "The unit offers its data log by itself.", topic: "panel", level: "everyday" }),
  flagSetting("overloadRestart", {
    explanation: "After an overload the unit switches on again by itself.",
    topic: "output",
    level: "everyday",
    lcdProgram: 6,
  }),
  flagSetting("overTemperatureRestart", {
    explanation: "After overheating the unit switches on again by itself.",
    topic: "output",
    level: "everyday",
    lcdProgram: 7,
  }),
  flagSetting("overloadBypass", {
    explanation: "At an overload on battery the load goes over to the grid.",
    topic: "output",
    level: "everyday",
    lcdProgram: 23,
  }),
  flagSetting("overloadBypass2", {
    label: "Overload bypass, second kind",
    explanation: "A KING's second option for going over to the grid at an overload.",
    topic: "output",
    level: "everyday",
  }),
  flagSetting("powerSaving", {
    explanation: "With a very small load the output sleeps and only looks now and then whether there is more.",
    topic: "output",
    level: "everyday",
    lcdProgram: 4,
  }),
  flagSetting("solarFeedToGrid", {
    explanation: "Surplus from the sun is fed into the grid. Only where your grid's operator allows it.",
    topic: "output",
    level: "expert",
    confirm: "feed to grid",
  }),
];
