import type { LocalTime } from "../../../model/local-time.ts";
import { cellOf, quoted, textCell } from "./cell.ts";
import { headOf, keyOf, leadingRoles, trailingRoles, type Encoder, type ExportColumn, type ExportLine, type TableHead } from "./head.ts";
import { unusualOrigins, usualOrigins } from "./row-parts.ts";

/** What stands before the head, and before each column's description. */
export const headMark = "# sonkrag-export ";
export const columnMark = "# column ";

/** Comma-separated values: remarks that a machine can read, the names of the columns, then a line each. */
export class CsvEncoder implements Encoder {
  readonly #cells: readonly ((line: ExportLine) => string)[];
  #begin: string;

  constructor(table: TableHead, local: LocalTime) {
    const head = headOf(table, leadingRoles(table, ["time", "at"]), trailingRoles(table));
    const { columns, ...rest } = head;
    const usual = usualOrigins(head);
    this.#cells = columns.map((column) => cellsOf(column, local, usual));
    this.#begin = [
      headMark + JSON.stringify(rest),
      ...columns.map((column) => columnMark + JSON.stringify(column)),
      columns.map(({ column }) => quoted(column)).join(","),
      "",
    ].join("\n");
  }

  lines(lines: readonly ExportLine[]): Promise<Uint8Array> {
    let text = this.#begin;
    this.#begin = "";
    for (const line of lines) text += `${this.#cells.map((cell) => cell(line)).join(",")}\n`;
    return Promise.resolve(Buffer.from(text, "utf8"));
  }

  end(): Promise<Uint8Array> {
    return this.lines([]);
  }
}

/** How the cell of a column is made. */
function cellsOf(column: ExportColumn, local: LocalTime, usual: ReturnType<typeof usualOrigins>): (line: ExportLine) => string {
  switch (column.holds) {
    case "time":
      return ({ at }) => isoTime(at, local);
    case "at":
      return ({ at }) => String(at);
    case "inverter":
      return ({ inverter }) => quoted(textCell(inverter));
    case "command":
      return ({ command }) => (command === undefined ? "" : quoted(textCell(command)));
    case "flags":
      return ({ flags = [] }) => flags.join("|");
    case "origins":
      return (line) => {
        const unusual = unusualOrigins(line, usual);
        return unusual === undefined ? "" : quoted(JSON.stringify(unusual));
      };
    case "payload":
      return ({ payload }) => (payload === undefined ? "" : quoted(textCell(payload)));
    case "others":
      return () => "";
    case "value": {
      const key = keyOf({ name: column.name ?? "", figure: column.figure });
      return ({ values }) => {
        const value = values[key];
        if (value === undefined) return "";
        return typeof value === "number" ? cellOf(value) : quoted(cellOf(value));
      };
    }
  }
}

/** With the site's distance to UTC. */
export function isoTime(at: number, local: LocalTime): string {
  const { date, time, offset } = local.stamp(at);
  return `${date}T${time}${offset}`;
}
