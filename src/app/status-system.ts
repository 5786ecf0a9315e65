import type { Metric } from "../model/metric.ts";
import type { SystemAlarm, SystemMember, SystemState } from "../model/system.ts";
import { valueText } from "./value-text.ts";

export interface SystemLine {
  readonly text: string;
  /** What a person should look at. */
  readonly isTrouble: boolean;
}

/** Metrics beside each unit: those of which there is a total. */
const columns = ["loadActivePower", "pvPower", "batteryPower"] as const;

const words: Readonly<Record<SystemAlarm["severity"], string>> = { error: "PROBLEM", warning: "WARNING", note: "Note" };

/** All units together as a table: each unit, the sum, and what is the matter. `age` words how long ago a time is. */
export function systemLines(
  system: SystemState,
  metrics: Readonly<Record<string, Metric>>,
  age: (at: number) => string,
): readonly SystemLine[] {
  const { members, expected, answering, totals, phases, alarms } = system;
  const cell = (key: string, found: { readonly value: SystemMember["values"][string]["value"] } | undefined): string => {
    const metric = metrics[key];
    if (found === undefined) return "–";
    return `${valueText(found.value, metric)}${metric?.unit === undefined ? "" : ` ${metric.unit}`}`;
  };
  const hasPhases = phases !== undefined;
  const row = (name: string, phase: string, cells: readonly string[], end: string): readonly string[] => [
    name,
    ...(hasPhases ? [phase] : []),
    ...cells,
    end,
  ];
  const rows = [
    row(
      "Unit",
      "Phase",
      columns.map((key) => metrics[key]?.label ?? key),
      "Age",
    ),
    ...members.map((member) =>
      row(
        member.id,
        member.phase ?? "",
        columns.map((key) => cell(key, member.values[key])),
        `${member.seenAt === undefined ? "not heard of" : age(member.seenAt)}${member.state === "stale" ? " STALE" : ""}`,
      ),
    ),
    row(
      "Total",
      "",
      columns.map((key) => cell(key, totals[key])),
      columns.some((key) => totals[key]?.complete === false) ? "not all units" : "",
    ),
  ];
  const [first = []] = rows;
  const widths = first.map((_, index) => Math.max(...rows.map((cells) => cells[index]?.length ?? 0)));
  const lastFront = hasPhases ? 1 : 0;
  const lines = rows.map((cells, index) => ({
    text: cells
      .map((text, place) =>
        place <= lastFront ? text.padEnd(widths[place] ?? 0) : place === cells.length - 1 ? text : text.padStart(widths[place] ?? 0),
      )
      .join("  ")
      .trimEnd(),
    isTrouble: (members[index - 1]?.state ?? "live") !== "live",
  }));
  return [
    { text: `All units: ${answering} of ${expected} answer`, isTrouble: answering < expected },
    ...alarms.map(({ severity, message }) => ({ text: `${words[severity]}: ${message}`, isTrouble: severity !== "note" })),
    ...lines,
  ];
}
