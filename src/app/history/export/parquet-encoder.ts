import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Value } from "../../../model/reading.ts";
import { valueText } from "../../../store/column.ts";
import {
  headOf,
  keyOf,
  leadingRoles,
  trailingRoles,
  type Encoder,
  type ExportColumn,
  type ExportHead,
  type ExportLine,
  type TableHead,
  type ValueColumn,
} from "./head.ts";
import { unusualOrigins, usualOrigins } from "./row-parts.ts";

/** Where the head stands among the file's metadata. */
export const headKey = "sonkrag";

/** Lines that are held and encoded at a time: fewer make the file larger, more take longer at one go. */
const linesPerGroup = 20_000;

type Type = NonNullable<ExportColumn["type"]>;

/** Parquet: a column a name, of the type that its first values have; what does not fit goes to the column `others`. */
export class ParquetEncoder implements Encoder {
  readonly #table: TableHead;
  readonly #out = new ByteWriter();
  #waiting: ExportLine[] = [];
  #begun: { readonly writer: ParquetWriter; readonly head: ExportHead; readonly usual: ReturnType<typeof usualOrigins> } | undefined;

  constructor(table: TableHead) {
    this.#table = table;
  }

  async lines(lines: readonly ExportLine[]): Promise<Uint8Array> {
    for (const line of lines) {
      this.#waiting.push(line);
      if (this.#waiting.length >= linesPerGroup) await this.#writeGroup();
    }
    return this.#taken();
  }

  async end(): Promise<Uint8Array> {
    if (this.#waiting.length > 0) await this.#writeGroup();
    await this.#file().writer.finish();
    return this.#taken();
  }

  #taken(): Uint8Array {
    const bytes = this.#out.getBytes().slice();
    this.#out.index = 0;
    return bytes;
  }

  async #writeGroup(): Promise<void> {
    const lines = this.#waiting;
    const { writer, head, usual } = this.#file();
    this.#waiting = [];
    const others = lines.map((): Record<string, Value> | undefined => undefined);
    // Last, when all that does not fit is known.
    const ordered = head.columns.toSorted((one, other) => Number(one.holds === "others") - Number(other.holds === "others"));
    const data = new Map(ordered.map((column) => [column.column, cellsOf(column, lines, others, usual)]));
    await writer.write({
      columnData: head.columns.map(({ column }) => ({ name: column, data: data.get(column) ?? [], offsetIndex: false })),
      rowGroupSize: linesPerGroup,
    });
  }

  /** Begun when the types of the first values are known. */
  #file() {
    if (this.#begun !== undefined) return this.#begun;
    const values = this.#table.values.map((column) => ({ ...column, type: typeOf(column, this.#waiting) }));
    const table = { ...this.#table, values };
    const head = headOf(table, leadingRoles(table, ["time"]), [
      ...trailingRoles(table),
      ...(table.level === "raw" ? (["others"] as const) : []),
    ]);
    const writer = new ParquetWriter({
      writer: this.#out,
      schema: [{ name: "root", num_children: head.columns.length }, ...head.columns.map(schemaOf)],
      kvMetadata: [{ key: headKey, value: JSON.stringify(head) }],
      createdBy: "sonkrag",
    });
    return (this.#begun = { writer, head, usual: usualOrigins(head) });
  }
}

function typeOf(column: ValueColumn, lines: readonly ExportLine[]): Type {
  const key = keyOf(column);
  for (const { values } of lines) {
    const value = values[key];
    if (value !== undefined) return kindOf(value);
  }
  return column.isNumber ? "number" : "text";
}

function kindOf(value: Value): Type {
  if (typeof value === "object") return "list";
  return typeof value === "string" ? "text" : typeof value === "number" ? "number" : "boolean";
}

/** Whether a column of its type gives the value back exactly: the dictionary of numbers takes −0 for 0. */
function fits(value: Value, type: Type | undefined): boolean {
  if (kindOf(value) !== type) return false;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  return typeof value !== "string" || !/\p{Surrogate}/u.test(value);
}

function cellsOf(
  column: ExportColumn,
  lines: readonly ExportLine[],
  others: (Record<string, Value> | undefined)[],
  usual: ReturnType<typeof usualOrigins>,
): (string | number | boolean | Date | undefined)[] {
  switch (column.holds) {
    case "time":
    case "at":
      return lines.map(({ at }) => new Date(at));
    case "inverter":
    case "command":
    case "payload": {
      const { holds } = column;
      return lines.map((line) => line[holds]);
    }
    case "flags":
      return lines.map(({ flags }) => (flags?.length ? flags.join("|") : undefined));
    case "origins":
      return lines.map((line) => {
        const unusual = unusualOrigins(line, usual);
        return unusual && JSON.stringify(unusual);
      });
    case "others":
      return others.map((own) => own && objectText(own));
    case "value": {
      const key = keyOf({ name: column.name ?? "", figure: column.figure });
      return lines.map(({ values }, index) => {
        const value = values[key];
        if (value === undefined) return undefined;
        if (fits(value, column.type)) return typeof value === "object" ? valueText(value) : value;
        others[index] = Object.fromEntries([...Object.entries(others[index] ?? {}), [key, value]]);
        return undefined;
      });
    }
  }
}

const objectText = (values: Readonly<Record<string, Value>>): string =>
  `{${Object.entries(values)
    .map(([name, value]) => `${JSON.stringify(name)}:${valueText(value)}`)
    .join()}}`;

function schemaOf({ column: name, holds, type }: ExportColumn): SchemaElement {
  if (holds === "time") return { name, type: "INT64", converted_type: "TIMESTAMP_MILLIS", repetition_type: "REQUIRED" };
  if (holds === "inverter" || holds === "command") return { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" };
  if (type === "number") return { name, type: "DOUBLE", repetition_type: "OPTIONAL" };
  if (type === "boolean") return { name, type: "BOOLEAN", repetition_type: "OPTIONAL" };
  return { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" };
}
