import { CsvError, parse } from "csv-parse/sync";
import { ConfigError } from "../../../model/errors.ts";
import type { HistoryRow } from "../../../model/history.ts";
import { LocalTime } from "../../../model/local-time.ts";
import type { Value } from "../../../model/reading.ts";
import { derive } from "../../../protocol/reading.ts";
import { nearest } from "../../did-you-mean.ts";
import { historyRowOf } from "../history-row.ts";
import { commandOf, valueOf } from "./catalogue-value.ts";
import { LocalTimes } from "./local-times.ts";
import type { MappedValue, Mapping } from "./mapping.ts";
import { tableTime, timePattern } from "./table-time.ts";
import { otherClass, valueClass, type RejectedLine, type TakeOptions, type Taken } from "./taken.ts";

/** Takes a table of another program as the mapping says. Throws ConfigError where a column that it names is not there. */
export function takeTable(bytes: Buffer, mapping: Mapping, options: TakeOptions): Taken {
  const table = new Table(mapping, options);
  const text = textOf(bytes, mapping.table.encoding);
  const lines = text.split("\n");
  const { skipLines } = mapping.table;
  let before = skipLines;
  try {
    parse(lines.slice(skipLines).join("\n"), {
      bom: true,
      delimiter: mapping.table.delimiter ?? delimiterOf(lines[skipLines] ?? ""),
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      on_record: (cells: string[], { lines: end }) => {
        const last = skipLines + end;
        table.take(cells, { line: before + 1, text: () => lines.slice(before, last).join("\n") });
        before = last;
        return null;
      },
    });
  } catch (error) {
    // What is left over is one record whose quotation is never closed.
    if (!(error instanceof CsvError)) throw error;
  }
  const rest = lines.slice(before).join("\n");
  return table.taken(
    lines.at(-1) === "" ? lines.length - 1 : lines.length,
    rest.trim() === "" ? undefined : { line: before + 1, text: rest },
  );
}

function textOf(bytes: Buffer, encoding: Mapping["table"]["encoding"]): string {
  return bytes.toString(encoding).replace(/^\uFEFF/, "");
}

/** The likeliest one, by the header. */
function delimiterOf(header: string): string {
  const count = (character: string): number => header.split(character).length;
  return [",", ";", "\t", "|"].reduce((best, next) => (count(next) > count(best) ? next : best));
}

const grouped = { ".": /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$/, ",": /^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$/ };

/** A number as people write it; absent for what is none. */
function plainNumber(cell: string, decimal: "." | ","): number | undefined {
  const joined = grouped[decimal].test(cell) ? cell.replaceAll(decimal === "," ? "." : ",", "") : cell;
  const pointed = decimal === "," && !joined.includes(".") ? joined.replace(",", ".") : joined;
  const isNumber = (decimal === "." || joined === cell.replaceAll(".", "")) && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(pointed);
  return isNumber ? Number(pointed) : undefined;
}

interface Place {
  /** Counted from 1. */
  readonly line: number;
  readonly text: () => string;
}

interface Columns {
  readonly time: readonly number[];
  /** Of a table with one value a line. */
  readonly key: number;
  readonly value: number;
  readonly values: ReadonlyMap<string, { readonly mapped: MappedValue; readonly index: number }>;
}

/** Collects the rows of a table. */
class Table {
  readonly #mapping: Mapping;
  readonly #options: TakeOptions;
  readonly #local: LocalTimes;
  readonly #pattern: RegExp;
  readonly #absent: ReadonlySet<string>;
  #header: readonly string[] | undefined;
  #columns: Columns | undefined;
  #headers: number;
  #accepted = 0;
  readonly #rejected: RejectedLine[] = [];
  /** Of a table with a row a line. */
  readonly #rows: HistoryRow[] = [];
  /** Of a table with a value a line: what stands at each time. */
  readonly #moments = new Map<number, Record<string, Value>>();

  constructor(mapping: Mapping, options: TakeOptions) {
    const { time, table } = mapping;
    this.#mapping = mapping;
    this.#options = options;
    this.#local = new LocalTimes(time.zone === undefined ? options.local : LocalTime.of(time.zone));
    this.#pattern = timePattern(time.format) ?? /(?!)/;
    this.#absent = new Set(["", ...table.absent]);
    this.#headers = table.skipLines;
  }

  take(given: readonly string[], place: Place): void {
    const cells = given.map((cell) => cell.trim());
    if (this.#header === undefined || this.#columns === undefined) {
      this.#header = cells;
      this.#columns = this.#find(cells);
      this.#headers++;
    } else if (cells.length === this.#header.length && cells.every((cell, index) => cell === this.#header?.[index])) {
      this.#headers++;
    } else {
      const problem = cells.length === this.#header.length ? this.#takeRow(cells, this.#columns) : otherClass;
      if (problem !== undefined) this.#reject(place.line, problem, place.text());
    }
  }

  taken(lines: number, rest: { readonly line: number; readonly text: string } | undefined): Taken {
    if (rest !== undefined) this.#reject(rest.line, otherClass, rest.text);
    if (this.#columns === undefined) throw new ConfigError(`${this.#options.file}: expected a table with a header, got ${lines} lines`);
    for (const [at, values] of [...this.#moments].toSorted(([one], [other]) => one - other)) this.#put(at, values);
    const { notes } = this.#local;
    return { lines, headers: this.#headers, accepted: this.#accepted, rows: this.#rows, rejected: this.#rejected, notes };
  }

  /** The class of a line that is no row. */
  #takeRow(cells: readonly string[], { time, key, value, values }: Columns): string | undefined {
    const found: Record<string, Value> = {};
    const wanted = this.#mapping.keyed === undefined ? values.values() : [values.get(cells[key] ?? "")].filter((one) => one !== undefined);
    for (const { mapped, index } of wanted) {
      const cell = cells[this.#mapping.keyed === undefined ? index : value] ?? "";
      if (this.#absent.has(cell)) continue;
      const read = this.#read(cell, mapped);
      if (read === undefined) return valueClass;
      found[mapped.key] = read;
    }
    const at = tableTime(time.map((index) => cells[index] ?? "").join(" "), this.#mapping.time.format, this.#pattern, this.#local);
    if (Number.isNaN(at)) return otherClass;
    if (Object.keys(found).length === 0) {
      this.#headers++;
      return undefined;
    }
    this.#accepted++;
    if (this.#mapping.keyed === undefined) this.#put(at, found);
    else this.#moments.set(at, { ...this.#moments.get(at), ...found });
    return undefined;
  }

  #read(cell: string, { key, number, range, words }: MappedValue): Value | undefined {
    if (number === undefined) return valueOf(key, words?.[cell] ?? cell);
    const plain = plainNumber(cell, this.#mapping.table.decimal);
    if (plain === undefined) return undefined;
    // What a factor such as 0.001 adds behind the twelfth digit was never measured; adding 0 turns -0 into 0.
    const value = Number((plain * number.factor + number.offset).toPrecision(12)) + 0;
    return range === undefined || (value >= range[0] && value <= range[1]) ? value : undefined;
  }

  /** Each value goes to the answers that bring it live. */
  #put(at: number, all: Readonly<Record<string, Value>>): void {
    const inverter = this.#options.inverter(this.#mapping.inverter);
    const byCommand = new Map<string, Record<string, Value>>();
    for (const [name, value] of Object.entries(all)) {
      const command = commandOf(name);
      byCommand.set(command, { ...byCommand.get(command), [name]: value });
    }
    for (const [command, values] of byCommand) {
      const derived = Object.fromEntries(Object.entries(derive(values)).filter(([name]) => !Object.hasOwn(all, name)));
      const { payload: _none, ...row } = historyRowOf({ inverter, at, command, payload: "", values, derived, tail: [] });
      this.#rows.push(row);
    }
  }

  #reject(line: number, letter: string, text: string): void {
    const own = text.replace(/\r$/, "").replaceAll(/\r?\n/g, "\\n");
    this.#rejected.push({ line, class: letter, text: Buffer.from(own, "utf8").toString("latin1") });
  }

  #find(header: readonly string[]): Columns {
    const place = (column: string, path: string): number => {
      const index = header.indexOf(column);
      if (index >= 0) return index;
      const meant = nearest(column, header);
      throw new ConfigError(
        `${this.#options.file}: expected a column "${column}" (${path} of the mapping), got ${header.join(", ") || "none"}` +
          (meant === undefined ? "" : `; did you mean "${meant}"?`),
      );
    };
    const { time, keyed, values } = this.#mapping;
    return {
      time: time.columns.map((column) => place(column, "time.column")),
      key: keyed === undefined ? -1 : place(keyed.key, "keyed.key"),
      value: keyed === undefined ? -1 : place(keyed.value, "keyed.value"),
      values: new Map(
        values.map((mapped) => [
          keyed === undefined ? mapped.key : mapped.column,
          { mapped, index: keyed === undefined ? place(mapped.column, `values.${mapped.key}`) : -1 },
        ]),
      ),
    };
  }
}
