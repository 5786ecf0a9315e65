/** Figures beside those of other programs, as text. */
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Figure
 * @property {string} metric with its unit
 * @property {number | undefined} value absent when it could not be measured
 * @property {number} [digits] after the point
 * @property {"higher" | "lower"} [better]
 * @property {{ program: string, values: readonly number[] } | undefined} [peer]
 * @property {string} [note]
 * @property {readonly number[]} [load] of the machine, before and after
 */

/** @typedef {"unpaced" | "paced" | "share" | "cycleShare" | "cpuUnpaced" | "cpuPaced" | "peakMb" | "startS"} PeerMetric */

/**
 * @typedef {object} Peers
 * @property {string} about
 * @property {readonly ({ program: string } & Partial<Record<PeerMetric, readonly number[]>>)[]} programs
 * @property {{ about: string, programs: readonly { program: string, wrong?: number, stale?: number }[] }} faults
 * @property {{ about: string, program: string, seconds: readonly number[] }} replug
 */

/** @type {Peers} */
export const peers = JSON.parse(readFileSync(new URL("peers.json", import.meta.url), "utf8"));

/** @param {readonly number[]} values */
const middle = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * The best of the others at one thing; of a range its middle counts.
 * @param {PeerMetric} name
 * @param {"higher" | "lower"} better
 */
export function bestPeer(name, better) {
  /** @type {{ program: string, values: readonly number[] } | undefined} */
  let best;
  for (const { program, [name]: values } of peers.programs) {
    if (values === undefined) continue;
    const lead = best === undefined ? 1 : middle(values) - middle(best.values);
    if (best === undefined || (better === "higher" ? lead > 0 : lead < 0)) best = { program, values };
  }
  return best;
}

/**
 * The fewest mistakes under faults, and who makes so few.
 * @param {"wrong" | "stale"} name
 */
export function fewestMistakes(name) {
  const counts = peers.faults.programs.flatMap(({ [name]: count }) => count ?? []);
  const fewest = Math.min(...counts);
  const best = peers.faults.programs.filter(({ [name]: count }) => count === fewest).map(({ program }) => program);
  return { program: best.length === 1 ? `${best[0]}` : `${best.length} of ${counts.length}`, values: [fewest] };
}

/** @param {Figure} figure */
export function ratioOf({ value, peer }) {
  // Nothing can be a multiple of no mistakes.
  if (value === undefined || peer === undefined || middle(peer.values) === 0) return undefined;
  return value / middle(peer.values);
}

/** @param {number} number @param {number} digits */
const shown = (number, digits) => number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @param {readonly Figure[]} figures */
export function tableOf(figures) {
  const rows = figures.map((figure) => {
    const { metric, value, digits = 0, better, peer, note = "" } = figure;
    const ratio = ratioOf(figure);
    return [
      metric + (better === undefined ? "" : better === "higher" ? " ↑" : " ↓"),
      value === undefined ? "–" : shown(value, digits),
      peer === undefined ? "–" : `${peer.values.map((number) => number.toLocaleString("en-US")).join("–")}  ${peer.program}`,
      ratio === undefined ? "–" : ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2),
      note,
    ];
  });
  const all = [["metric", "sonkrag", "best of the others", "ratio", "note"], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === 1 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
