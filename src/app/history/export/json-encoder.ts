import type { LocalTime } from "../../../model/local-time.ts";
import { valueText } from "../../../store/column.ts";
import { isoTime } from "./csv-encoder.ts";
import { headOf, leadingRoles, trailingRoles, type Encoder, type ExportLine, type TableHead } from "./head.ts";
import { unusualOrigins, usualOrigins } from "./row-parts.ts";

/** JSON lines: the head, then an object each. */
export class JsonEncoder implements Encoder {
  readonly #local: LocalTime;
  readonly #usual: ReturnType<typeof usualOrigins>;
  #begin: string;

  constructor(table: TableHead, local: LocalTime) {
    const head = headOf(table, leadingRoles(table, ["time", "at"]), trailingRoles(table));
    this.#local = local;
    this.#usual = usualOrigins(head);
    this.#begin = `${JSON.stringify(head)}\n`;
  }

  lines(lines: readonly ExportLine[]): Promise<Uint8Array> {
    let text = this.#begin;
    this.#begin = "";
    for (const line of lines) text += `${this.#textOf(line)}\n`;
    return Promise.resolve(Buffer.from(text, "utf8"));
  }

  end(): Promise<Uint8Array> {
    return this.lines([]);
  }

  #textOf(line: ExportLine): string {
    const { at, inverter, command, values, flags, payload } = line;
    const lead = JSON.stringify({ time: isoTime(at, this.#local), at, inverter, ...(command !== undefined && { command }) });
    // JSON.stringify would turn −0 into 0.
    const members = Object.keys(values).map((name) => `${JSON.stringify(name)}:${valueText(values[name] ?? [])}`);
    const origins = unusualOrigins(line, this.#usual);
    const rest = { ...(flags?.length && { flags }), ...(origins && { origins }), ...(payload !== undefined && { payload }) };
    const tail = Object.keys(rest).length === 0 ? "}" : `,${JSON.stringify(rest).slice(1)}`;
    return `${lead.slice(0, -1)},"values":{${members.join()}}${tail}`;
  }
}
