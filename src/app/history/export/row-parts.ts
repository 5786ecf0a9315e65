import { z } from "zod";
import { rowFlags, type HistoryRow, type RowFlag } from "../../../model/history.ts";
import type { Value, Values } from "../../../model/reading.ts";
import type { ExportHead, ExportLine } from "./head.ts";

/*
 * What stands beside the values of a row. Origins are written only where they differ from what the head says of the name.
 */

type Origins = NonNullable<HistoryRow["origins"]>;
type Word = Origins[string] | "measured";
export type UsualOrigins = ReadonlyMap<string, Word>;

/** What the head says of each name that is not measured. */
export function usualOrigins({ columns }: Pick<ExportHead, "columns">): UsualOrigins {
  return new Map(columns.flatMap(({ name, origin }) => (name === undefined || origin === undefined ? [] : [[name, origin] as const])));
}

/** The names whose origin is not the usual one, in order; absent where there is none. */
export function unusualOrigins({ values, origins }: ExportLine, usual: UsualOrigins): Record<string, Word> | undefined {
  const unusual: [string, Word][] = [];
  for (const name in values) {
    const origin = origins?.[name] ?? "measured";
    if (origin !== (usual.get(name) ?? "measured")) unusual.push([name, origin]);
  }
  return unusual.length === 0 ? undefined : Object.fromEntries(unusual.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

const originsSchema = z.record(z.string(), z.enum(["measured", "derived", "estimated"]));
const flagsSchema = z.array(z.enum(rowFlags));

interface Read {
  readonly inverter: string;
  readonly at: number;
  readonly command: string;
  readonly values: readonly (readonly [string, Value])[];
  readonly payload: string | undefined;
  readonly unusual: unknown;
  readonly flags: unknown;
}

/** A row as it was before it was written. Throws ZodError where something beside the values is not as it is written. */
export function rowOf({ inverter, at, command, values, payload, unusual, flags }: Read, usual: UsualOrigins): HistoryRow {
  const told = unusual === undefined ? new Map<string, Word>() : new Map(Object.entries(originsSchema.parse(unusual)));
  const origins: [string, Origins[string]][] = [];
  for (const [name] of values) {
    const origin = told.get(name) ?? usual.get(name) ?? "measured";
    if (origin !== "measured") origins.push([name, origin]);
  }
  const known: readonly RowFlag[] = flags === undefined ? [] : flagsSchema.parse(flags);
  return {
    inverter,
    at,
    command,
    ...(payload !== undefined && { payload }),
    values: Object.fromEntries(values) as Values,
    ...(origins.length > 0 && { origins: Object.fromEntries(origins) }),
    ...(known.length > 0 && { flags: known }),
  };
}
