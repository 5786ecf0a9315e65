import type { Value } from "../../../model/reading.ts";
import { valueText } from "../../../store/column.ts";

/*
 * A cell of CSV tells what it holds without a look at others: a number, true or false, [a JSON list] or text. Text that
 * could be taken for one of these, for a missing value or, by a spreadsheet, for a formula or a date has an apostrophe
 * before it; what UTF-8 cannot hold is "a JSON string". Nothing at all is an absent value.
 */

const number = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;
/** Formulas, our own marks, and white space that hides one of them. */
const suspect = /^[=+\-@＝＋－＠'"[#\s]|^$/;
/** One word that begins as a number may become a number or a date: `00072.70`, `3-4`, `1e5`. */
const numberLike = /^[.\d]\S*$/;
/** Words that readers of CSV take for a missing value or a truth. */
const special = /^(?:true|false|null|none|nan|na|n\/a|<na>|infinity)$/i;
const loneSurrogate = /\p{Surrogate}/u;

/** A value as a cell, before it is quoted. */
export function cellOf(value: Value): string {
  if (typeof value === "number" || typeof value === "object") return valueText(value);
  return typeof value === "string" ? textCell(value) : String(value);
}

export function textCell(text: string): string {
  if (loneSurrogate.test(text)) return JSON.stringify(text);
  return suspect.test(text) || numberLike.test(text) || special.test(text) ? `'${text}` : text;
}

/** The value of a cell that is not empty. Throws SyntaxError for a list or text that is no JSON. */
export function valueOfCell(cell: string): Value {
  if (cell.startsWith("'")) return cell.slice(1);
  if (cell.startsWith("[") || cell.startsWith('"')) return JSON.parse(cell) as Value;
  if (cell === "true" || cell === "false") return cell === "true";
  return number.test(cell) ? Number(cell) : cell;
}

/** RFC 4180; also where a reader that knows `#` as a remark would take the rest for one. */
export function quoted(cell: string): string {
  return /[",#;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
