import { z } from "zod";
import { levels, type HistoryRow } from "../../../model/history.ts";

/*
 * What every export begins with, in each of its forms: docs/export.md.
 */

const version = 1;

/** Figures of a bucket, each a column. */
export const figures = ["min", "max", "mean", "coverage"] as const;
export type Figure = (typeof figures)[number];

const columnSchema = z.object({
  /** Its name in the table. */
  column: z.string(),
  /** `others`: values that do not fit into the column of their name, as JSON; Parquet alone has it. */
  holds: z.enum(["time", "at", "inverter", "command", "value", "flags", "origins", "payload", "others"]),
  /** Of a column of values: whose. */
  name: z.string().optional(),
  figure: z.enum(figures).optional(),
  label: z.string().optional(),
  unit: z.string().optional(),
  /** Of values for which the row says nothing else; measured if absent. */
  origin: z.enum(["derived", "estimated"]).optional(),
  /** What the column holds in Parquet; a list is JSON text. */
  type: z.enum(["number", "boolean", "text", "list"]).optional(),
});

/** Times are UTC epoch milliseconds, the end exclusive. */
export const headSchema = z.object({
  sonkragExport: z.literal(version),
  level: z.enum(levels),
  timeZone: z.string(),
  from: z.number(),
  to: z.number(),
  columns: z.array(columnSchema),
});

export type ExportHead = z.infer<typeof headSchema>;
export type ExportColumn = z.infer<typeof columnSchema>;

/** A column of values, and whether history knows it as one of numbers. */
export type ValueColumn = ExportColumn & { readonly holds: "value"; readonly name: string; readonly isNumber: boolean };

/** One line of the table: a reading, or the figures of a bucket, which belong to no command. */
export type ExportLine = Omit<HistoryRow, "command"> & { readonly command?: string };

/** What is exported, before its form is chosen. */
export interface TableHead {
  readonly level: ExportHead["level"];
  readonly timeZone: string;
  readonly from: number;
  readonly to: number;
  readonly values: readonly ValueColumn[];
  readonly payloads: boolean;
}

/** Turns lines into bytes, piece by piece. */
export interface Encoder {
  lines(lines: readonly ExportLine[]): Promise<Uint8Array>;
  /** What is left; nothing may follow. */
  end(): Promise<Uint8Array>;
}

/** The name under which the values of a line stand. */
export const keyOf = ({ name, figure }: { readonly name: string; readonly figure?: Figure | undefined }): string =>
  figure === undefined ? name : `${name}.${figure}`;

type Role = Exclude<ExportColumn["holds"], "value">;

/** The head with these roles before and behind the values. */
export function headOf({ level, timeZone, from, to, values }: TableHead, before: readonly Role[], behind: readonly Role[]): ExportHead {
  const role = (holds: Role): ExportColumn => ({ column: holds, holds });
  return {
    sonkragExport: version,
    level,
    timeZone,
    from,
    to,
    columns: [...before.map(role), ...values.map(({ isNumber: _known, ...column }) => column), ...behind.map(role)],
  };
}

/** Roles of the columns before the values. */
export function leadingRoles(table: TableHead, time: readonly Role[]): Role[] {
  return [...time, "inverter", ...(table.level === "raw" ? (["command"] as const) : [])];
}

/** Roles of the columns behind the values. */
export function trailingRoles({ level, payloads }: TableHead): Role[] {
  return level === "raw" ? ["flags", "origins", ...(payloads ? (["payload"] as const) : [])] : [];
}

/** Words that name a role; a value of such a name gets another column name. */
export const roleNames: ReadonlySet<string> = new Set(columnSchema.shape.holds.options);
