import { RefusedError } from "../../../model/errors.ts";
import type { HistoryContents } from "../../../store/ports.ts";
import { findMetric, metric } from "../../../model/metric.ts";
import { nearest } from "../../did-you-mean.ts";
import { figures, keyOf, roleNames, type ValueColumn } from "./head.ts";
import type { Level } from "../../../model/history.ts";

/** What of history is wanted; all of it where nothing is named. */
export interface Wanted {
  readonly inverters?: readonly string[] | undefined;
  readonly commands?: readonly string[] | undefined;
  readonly names?: readonly string[] | undefined;
}

/** The streams that have something of it. Throws RefusedError for a name that history does not have. */
export function select(contents: readonly HistoryContents[], { inverters, commands, names }: Wanted, level: Level): HistoryContents[] {
  mustBeKnown("inverter-unknown", "inverters with history", inverters, unique(contents.map(({ inverter }) => inverter)));
  const ofInverters = contents.filter(({ inverter }) => inverters?.includes(inverter) ?? true);
  mustBeKnown("series-unknown", "commands whose answers are kept", commands, unique(ofInverters.map(({ command }) => command)));
  const ofCommands = ofInverters.filter(({ command }) => commands?.includes(command) ?? true);
  const all = ofCommands.flatMap((stream) => stream.names);
  mustBeKnown("series-unknown", "values that are kept", names, unique(all.map(({ name }) => name)));
  if (level !== "raw") {
    const isNumber = new Set(all.filter(({ type }) => type === "number").map(({ name }) => name));
    const words = names?.filter((name) => !isNumber.has(name)) ?? [];
    if (words.length > 0)
      throw new RefusedError(
        "value-invalid",
        `expected numbers for the level ${level}, got ${words.join(", ")}; the level raw has words too`,
      );
  }
  return ofCommands.flatMap((stream) => {
    const own = stream.names.filter(({ name, type }) => (names?.includes(name) ?? true) && (level === "raw" || type === "number"));
    return own.length === 0 ? [] : [{ ...stream, names: own }];
  });
}

/** The columns of what these streams have: in the order of the registry, then unknown ones by their name. */
export function valueColumns(streams: readonly HistoryContents[], level: Level): ValueColumn[] {
  const all = streams.flatMap((stream) => stream.names);
  const known = new Map(all.map((info) => [info.name, info]));
  const order = new Map(Object.keys(metric).map((name, index) => [name, index]));
  const place = (name: string): number => order.get(name) ?? order.size;
  const names = [...known.keys()].toSorted((one, other) => place(one) - place(other) || (one < other ? -1 : 1));
  return names.flatMap((name): ValueColumn[] => {
    const infos = all.filter((info) => info.name === name);
    const origins = unique(infos.map(({ origin }) => origin));
    const [origin] = origins;
    const { label, unit } = findMetric(name) ?? {};
    const column: ValueColumn = {
      column: roleNames.has(name) ? `value ${name}` : name,
      holds: "value",
      name,
      ...(label !== undefined && { label }),
      ...(unit !== undefined && { unit }),
      ...(origins.length === 1 && origin !== undefined && origin !== "measured" && { origin }),
      isNumber: infos.some(({ type }) => type === "number"),
    };
    if (level === "raw") return [column];
    return figures.map((figure) => ({ ...column, column: keyOf({ name, figure }), figure, ...(figure === "coverage" && { unit: "%" }) }));
  });
}

const unique = <Word extends string>(words: readonly Word[]): Word[] => [...new Set(words)];
const mostTold = 60;

function mustBeKnown(
  code: "inverter-unknown" | "series-unknown",
  what: string,
  wanted: readonly string[] | undefined,
  known: readonly string[],
): void {
  const unknown = wanted?.find((word) => !known.includes(word));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  const rest = known.length - mostTold;
  const there = known.length === 0 ? "there are none" : `there are ${known.toSorted().slice(0, mostTold).join(", ")}`;
  throw new RefusedError(
    code,
    `expected ${what}, got ${unknown}; ${meant === undefined ? "" : `did you mean ${meant}? `}${there}${rest > 0 ? ` and ${rest} more` : ""}`,
  );
}
