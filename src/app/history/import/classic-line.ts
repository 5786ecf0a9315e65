import type { LineStamp } from "./local-times.ts";
import { otherClass } from "./taken.ts";

/*
 * Lines of the older script's daily log: `YYYY-MM-DD HH:MM:SS.ffffff,` and the payload of QPIGS, which the script did not
 * check. A line counts only if it has the form of one whole answer; everything else is kept apart under its class.
 */

/** One line as a log has it, without its line feed; a character a byte. */
export type ClassicLine =
  | { readonly kind: "row"; readonly stamp: LineStamp; readonly payload: string; readonly isRecovered: boolean }
  /** A header, or words. */
  | { readonly kind: "text" }
  | { readonly kind: "rejected"; readonly stamp: LineStamp | undefined; readonly class: string; readonly isGlued: boolean };

const stampPattern = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{3})\d{3})?,/;

/** The forms of a whole QPIGS payload, shortest first; each holds on its own, so that a part of one is never taken for another. */
const forms: readonly RegExp[] = (() => {
  const volts = "\\d{3}\\.\\d";
  const hertz = "\\d{2}\\.\\d";
  const powers = "(?:\\d{4} \\d{4}|\\d{5} \\d{5})";
  const first17 = `${volts} ${hertz} ${volts} ${hertz} ${powers} \\d{3} \\d{3} \\d{2}\\.\\d{2} \\d{3} \\d{3} \\d{4} (?:\\d{4}|\\d{2}\\.\\d) ${volts} \\d{2}\\.\\d{2} \\d{5} [01]{8}`;
  const first21 = `${first17} \\d{2} \\d{2} \\d{5} [01]{3}`;
  const first24 = `${first21} \\d \\d{2} \\d{4}`;
  return [first17, first21, first24, `${first24} ${hertz}`].map((form) => new RegExp(`^${form}$`));
})();

const isWhole = (payload: string): boolean => forms.some((form) => form.test(payload));

/** `recover`: take the whole answer at the end of a line into which several were run together. */
export function readClassicLine(line: string, { recover }: { readonly recover: boolean }): ClassicLine {
  const match = stampPattern.exec(line);
  if (match === null) return { kind: "text" };
  const stamp = { date: match[1] ?? "", time: match[2] ?? "", ms: Number(match[3] ?? 0) };
  const payload = line.slice(match[0].length);
  if (isWhole(payload)) return { kind: "row", stamp, payload, isRecovered: false };
  const parts = payload.split("(");
  const last = parts.at(-1) ?? "";
  const isGlued = parts.length > 1;
  if (recover && isGlued && isWhole(last)) return { kind: "row", stamp, payload: last, isRecovered: true };
  return { kind: "rejected", stamp, class: classOf(payload, parts), isGlued };
}

/** USB brings an answer in reports of eight characters, the bracket included; a lost rest shows as a whole number of them. */
const reportLength = 8;
const wholeReports = 13;

/** What is wrong with a payload, by the letters of docs/import.md. */
function classOf(payload: string, parts: readonly string[]): string {
  if (payload === "NAK") return "C";
  if (payload === "ACK") return "D";
  const [first = "", ...more] = parts;
  const last = parts.at(-1) ?? "";
  if (isWhole(last) && parts.length === 2) {
    if (payload.includes("\0")) return "G";
    const reports = (first.length + 1) / reportLength;
    if (Number.isInteger(reports)) return `E${reports}`;
  }
  if (isWhole(last) && parts.length === 3 && !payload.includes("\0")) return "F";
  if (last === "NAK") return payload.includes("\0") ? "J1" : "J2";
  if (last.length === wholeReports * reportLength - 1) return more.length === 0 ? "H" : "I";
  return otherClass;
}
