import type { Metric, MetricGroup } from "../../src/model/metric.ts";
import { originOf, type Origin } from "../../src/model/reading.ts";
import { isDefaults, isParallelUnit } from "./pick.ts";
import type { CommandState, InverterState } from "./store.ts";
import { groupTitles } from "./words.ts";

export interface Section {
  readonly id: string;
  readonly title: string;
  /** The answer with the serial number of the unit that the section is about. */
  readonly unit?: CommandState;
  readonly note?: string;
  readonly closed: "always" | "onPhone" | "never";
  readonly rows: readonly RowPlace[];
}

/** Where a row's value is found; `tail` stands for the fields nobody has documented. */
export interface RowPlace {
  readonly source: CommandState;
  readonly name: string;
  readonly metric: Metric | undefined;
  readonly kind: Origin | "tail";
}

type Metrics = Readonly<Record<string, Metric>>;

/** Raw bits and constants of the electronics: nothing that a household reads. */
const technicalNames = new Set(["warningBits", "eepromVersion", "fanOffsetVoltage", "heatSinkRaw"]);

/** What stands before the further units of a parallel system, and what behind. */
const liveGroups: readonly MetricGroup[] = ["pv", "battery", "grid", "output", "inverter"];
const fixedGroups: readonly MetricGroup[] = ["settings", "identity"];

/** Every value that the inverter has sent, each in one section. */
export function sectionsOf(inverter: InverterState, metrics: Metrics): Section[] {
  const commands = [...inverter.commands.values()];
  const order = Object.keys(metrics);
  const own = rowsOf(
    commands.filter((command) => !isParallelUnit(command) && !isDefaults(command)),
    metrics,
    order,
  );
  const group = (name: MetricGroup, closed: Section["closed"]): Section => ({
    id: name,
    title: groupTitles[name],
    closed,
    rows: own.filter((row) => !isTechnical(row) && (row.metric?.group ?? "inverter") === name),
  });
  const units = unitsOf(commands);
  const sections: Section[] = [
    ...liveGroups.map((name) => group(name, "never")),
    ...units
      .filter(({ members }) => members.some(exists))
      .map(({ number, members }): Section => {
        const rows = rowsOf(members, metrics, order);
        const unit = rows.find(({ name }) => name === "serialNumber")?.source;
        return { id: `unit-${number}`, title: `Parallel unit ${number}`, closed: "never", rows, ...(unit !== undefined && { unit }) };
      }),
    // Closed at first on a phone, where they would bury the report on the connection.
    ...fixedGroups.map((name) => group(name, "onPhone")),
    { id: "technical", title: "Technical", note: "As the inverter sent it.", closed: "always", rows: own.filter(isTechnical) },
    ...units
      .filter(({ members }) => !members.some(exists) && !members.every(isMissing))
      .map(({ number, members }): Section => ({
        id: `parallel-${number}`,
        title: `Parallel data (${members.map(({ command }) => command).join(", ")})`,
        note: "No parallel unit is present: a single inverter repeats its own values here.",
        closed: "always",
        rows: rowsOf(members, metrics, order),
      })),
    {
      id: "defaults",
      title: "Factory defaults",
      note: "What the inverter goes back to when it is reset; not what is set now.",
      closed: "always",
      rows: rowsOf(commands.filter(isDefaults), metrics, order),
    },
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

interface ParallelUnit {
  readonly number: string;
  readonly members: CommandState[];
}

/** The answers about numbered units, by number. */
function unitsOf(commands: readonly CommandState[]): ParallelUnit[] {
  const units = new Map<string, CommandState[]>();
  for (const command of commands.filter(isParallelUnit)) {
    const number = /\d+$/.exec(command.command)?.[0] ?? command.command;
    units.set(number, [...(units.get(number) ?? []), command]);
  }
  return [...units]
    .map(([number, members]) => ({ number, members }))
    .sort((one, other) => one.number.localeCompare(other.number, "en", { numeric: true }));
}

function exists({ reading }: CommandState): boolean {
  return reading.peek().values["unitExists"] === true;
}

/** A unit that is not there is answered for with a serial number of zeros; a single MAX says it does not exist, yet has one. */
function isMissing({ reading }: CommandState): boolean {
  const { unitExists, serialNumber } = reading.peek().values;
  return unitExists === false && (typeof serialNumber !== "string" || /^0*$/.test(serialNumber));
}

function isTechnical({ name, kind }: RowPlace): boolean {
  return kind === "tail" || technicalNames.has(name);
}

/** The registry's order; what it does not know comes last. */
function rowsOf(sources: readonly CommandState[], metrics: Metrics, order: readonly string[]): RowPlace[] {
  const rank = ({ name }: RowPlace): number => {
    const index = order.indexOf(name);
    return index === -1 ? order.length : index;
  };
  return sources.flatMap((source) => placesOf(source, metrics)).sort((one, other) => rank(one) - rank(other));
}

function placesOf(source: CommandState, metrics: Metrics): RowPlace[] {
  const reading = source.reading.peek();
  const { values, derived, tail } = reading;
  const place = (name: string, kind: RowPlace["kind"]): RowPlace => ({
    source,
    name,
    kind,
    metric: Object.hasOwn(metrics, name) ? metrics[name] : undefined,
  });
  return [
    ...[...Object.keys(values), ...Object.keys(derived)].map((name) => place(name, originOf(reading, name))),
    ...(tail.length > 0 ? [place("tail", "tail")] : []),
  ];
}
