import type { Value } from "../../src/model/reading.ts";
import type { CommandState, InverterState } from "./store.ts";

/** Answers about a numbered unit of a parallel set repeat the names of the inverter's own values; they get sections of their own. */
export function isParallelUnit({ reading }: CommandState): boolean {
  return Object.hasOwn(reading.peek().values, "unitExists");
}

/** How many units of a parallel set have been heard of; 0 for a single inverter. */
export function unitCount(inverter: InverterState): number {
  void inverter.layout.value;
  return [...inverter.commands.values()].filter(({ reading }) => reading.peek().values["unitExists"] === true).length;
}

/** The command that carries a value of the inverter itself, e.g. its mode; the most recently answered one when several do. */
export function sourceOf(inverter: InverterState, name: string): CommandState | undefined {
  // Which commands carry the name changes with the layout only, so the caller depends on the ones it is about, not on all.
  void inverter.layout.value;
  const candidates = [...inverter.commands.values()].filter((command) => {
    const { values, derived } = command.reading.peek();
    return !isParallelUnit(command) && !isDefaults(command) && (Object.hasOwn(values, name) || Object.hasOwn(derived, name));
  });
  const [first, ...others] = candidates;
  if (first === undefined || others.length === 0) return first;
  return others.reduce((best, command) => (command.reading.value.at > best.reading.value.at ? command : best), first);
}

/** The command with load and battery in one answer. */
export function mainStatus(inverter: InverterState): CommandState | undefined {
  return sourceOf(inverter, "loadActivePower");
}

export function valueOf({ reading }: CommandState, name: string): Value | undefined {
  return reading.value.values[name] ?? reading.value.derived[name];
}

export function numberOf(command: CommandState | undefined, name: string): number | undefined {
  const value = command === undefined ? undefined : valueOf(command, name);
  return typeof value === "number" ? value : undefined;
}

/** QDI answers with the factory defaults under the names of the settings; they are not what is set. */
export function isDefaults({ command }: CommandState): boolean {
  return command === "QDI";
}
