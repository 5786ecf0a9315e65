import { findMetric } from "../model/metric.ts";
import type { Reading, Value } from "../model/reading.ts";
import type { LineFormat, Stamped } from "./line-format.ts";
import { utf8AsLatin1 } from "./line-format.ts";

/** One column of the classic log, in the order of the payload's fields. */
export interface LogColumn {
  readonly name: string;
  readonly unit?: string;
}

export interface LogEntry extends Stamped {
  readonly reading: Reading;
  readonly simulated: boolean;
}

export type LogFormat = LineFormat<LogEntry>;

const simulatedMark = "(simulated)";
const withUnit = (name: string, unit: string | undefined): string => (unit === undefined ? name : `${name}[${unit}]`);

const classicHeader = /^date time(\(simulated\))?,(.+)$/;
const classicLine = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{6})?,(.+)$/;

/** The older script's form: `YYYY-MM-DD HH:MM:SS.ffffff,` and the payload; its readers skip the first line and split at spaces. */
export class ClassicFormat implements LogFormat {
  readonly prefix = "Axpert";
  readonly extension = "log";
  readonly #columnsOf: (fieldCount: number) => readonly LogColumn[];

  constructor(columnsOf: (fieldCount: number) => readonly LogColumn[]) {
    this.#columnsOf = columnsOf;
  }

  header({ reading, simulated }: LogEntry): string {
    const fieldCount = countFields(reading.payload);
    const columns = this.#columnsOf(fieldCount);
    const names = Array.from({ length: fieldCount }, (_, index) => {
      const column = columns[index];
      return column === undefined ? `field${index}` : withUnit(column.name, column.unit).replaceAll(/[\s,]/g, "_");
    });
    return utf8AsLatin1(`date time${simulated ? simulatedMark : ""},${names.join(" ")}`);
  }

  isFirstLine(line: string): boolean {
    return classicHeader.test(line);
  }

  fits(header: string, { reading, simulated }: LogEntry): boolean {
    const match = classicHeader.exec(header);
    // A file of the older script is continued, but never with what is not real.
    if (match === null) return !simulated;
    return (match[1] !== undefined) === simulated && countFields(match[2] ?? "") === countFields(reading.payload);
  }

  line(_header: string, { reading, stamp }: LogEntry): string {
    return `${stamp.date} ${stamp.time}000,${reading.payload}`;
  }

  /** The fields have fixed widths, so that a cut line differs from its neighbour in shape. */
  isWhole(line: string, previous: string): boolean {
    const payload = classicLine.exec(line)?.[1];
    const model = classicLine.exec(previous)?.[1];
    return payload !== undefined && model !== undefined && shapeOf(payload) === shapeOf(model);
  }
}

const countFields = (payload: string): number => payload.split(" ").length;
const shapeOf = (payload: string): string => payload.replaceAll(/\d/g, "0").replaceAll(/[A-Za-z]/g, "a");

/** The first line of a CSV log. */
export interface CsvHeader {
  readonly simulated: boolean;
  /** Of the columns between the time and the inverter. */
  readonly keys: readonly string[];
  readonly known: ReadonlySet<string>;
}

const csvHeader = /^time(\(simulated\))?,(?:(.*),)?inverter$/;

/** Absent for a line that is none. */
export function readCsvHeader(line: string): CsvHeader | undefined {
  const match = csvHeader.exec(line);
  if (match === null) return undefined;
  const keys = match[2]?.split(",").map((name) => name.replace(/\[.*$/, "")) ?? [];
  return { simulated: match[1] !== undefined, keys, known: new Set(keys) };
}

/** One named column a metric, an ISO time with its zone first and the inverter last; absent is an empty cell. */
export class CsvFormat implements LogFormat {
  readonly prefix = "Axpert";
  readonly extension = "csv";
  #parsed: { readonly header: string; readonly columns: CsvHeader | undefined } | undefined;

  header(entry: LogEntry, before?: string): string {
    const earlier = before === undefined ? undefined : this.#columns(before);
    const keys = new Set(earlier?.keys ?? []);
    for (const key of Object.keys(entry.reading.values)) keys.add(key);
    for (const key of Object.keys(entry.reading.derived)) keys.add(key);
    const names = [...keys].map((key) => utf8AsLatin1(withUnit(key, findMetric(key)?.unit)));
    return [`time${entry.simulated ? simulatedMark : ""}`, ...names, "inverter"].join(",");
  }

  isFirstLine(line: string): boolean {
    return csvHeader.test(line);
  }

  fits(header: string, { reading, simulated }: LogEntry): boolean {
    const columns = this.#columns(header);
    if (columns === undefined || columns.simulated !== simulated) return false;
    for (const key in reading.values) if (!columns.known.has(key)) return false;
    for (const key in reading.derived) if (!columns.known.has(key)) return false;
    return true;
  }

  line(header: string, { reading, stamp }: LogEntry): string {
    const { values, derived } = reading;
    const cells = (this.#columns(header)?.keys ?? []).map((key) => cellOf(values[key] ?? derived[key]));
    return utf8AsLatin1([`${stamp.date}T${stamp.time}${stamp.offset}`, ...cells, quoted(reading.inverter)].join(","));
  }

  /** Every line ends with the inverter, a cell that does not change. */
  isWhole(line: string, previous: string): boolean {
    if (this.isFirstLine(previous)) return false;
    const cells = splitCsv(line);
    const model = splitCsv(previous);
    return cells.length > 1 && cells.length === model.length && cells.at(-1) === model.at(-1);
  }

  #columns(header: string): CsvHeader | undefined {
    if (this.#parsed?.header !== header) this.#parsed = { header, columns: readCsvHeader(header) };
    return this.#parsed?.columns;
  }
}

function cellOf(value: Value | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "object") return quoted(value.length === 0 ? "none" : value.join("|"));
  return quoted(String(value));
}

/** What stands in a cell as it was written. */
export function unquoted(cell: string): string {
  return cell.startsWith('"') && cell.endsWith('"') && cell.length > 1 ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}

/** RFC 4180. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The cells as written, or none where a quotation is not closed. */
export function splitCsv(line: string): string[] {
  const cells: string[] = [];
  let inQuotes = false;
  let start = 0;
  for (let index = 0; index < line.length; index++) {
    if (line[index] === '"') inQuotes = !inQuotes;
    else if (line[index] === "," && !inQuotes) {
      cells.push(line.slice(start, index));
      start = index + 1;
    }
  }
  return inQuotes ? [] : [...cells, line.slice(start)];
}
