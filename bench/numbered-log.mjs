/**
 * A log of the older script for `sonkrag simulate --replay` in which every QPIGS payload carries its own number, so that
 * the number of answers and the age of each can be read off the values that come out at the other end.
 */
import { writeFileSync } from "node:fs";

/** After so many the numbers begin anew. */
export const numbers = 60_000;
const perPvStep = 5000;

/** @param {number} number */
function payloadOf(number) {
  const load = String(number % perPvStep).padStart(4, "0");
  const pv = String(Math.floor(number / perPvStep)).padStart(5, "0");
  return `230.4 50.0 229.9 50.0 ${load} ${load} 041 390 51.20 012 071 0038 0007 132.4 51.60 00000 00010110 00 00 ${pv} 110`;
}

/** @param {string} file */
export function writeNumberedLog(file) {
  const lines = Array.from({ length: numbers }, (_, number) => `2020-08-23 10:00:00.000000,${payloadOf(number)}\n`);
  writeFileSync(file, lines.join(""));
}

/**
 * The number of a payload; undefined if it is none of the log's.
 * @param {string} payload
 */
export function numberOf(payload) {
  const fields = payload.split(" ");
  const number = Number(fields[19]) * perPvStep + Number(fields[4]);
  return number >= 0 && number < numbers && payload === payloadOf(number) ? number : undefined;
}
