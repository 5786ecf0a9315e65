import type { LivePvTotal } from "../api/live.ts";
import type { Reading } from "../model/reading.ts";

const inputs = ["pv1Power", "pv2Power", "pv3Power"] as const;

/**
 * PV power of all inputs from an inverter's latest readings. A total the inverter sends itself wins; otherwise the inputs
 * are added up, so the result is as old as the oldest of them.
 */
export function pvTotal(readings: Iterable<Reading>): LivePvTotal | undefined {
  const own = [...readings].filter((reading) => !isParallelUnit(reading));
  const sent = newest(own, "pvPower");
  const parts = sent === undefined ? inputs.map((name) => newest(own, name)).filter((part) => part !== undefined) : [sent];
  if (parts.length === 0) return undefined;
  return {
    watts: parts.reduce((sum, part) => sum + part.watts, 0),
    origin: parts.length === 1 && parts[0]?.measured === true ? "measured" : "derived",
    at: Math.min(...parts.map((part) => part.reading.at)),
    commands: [...new Set(parts.map((part) => part.reading.command))],
  };
}

/** Answers about a numbered unit of a parallel set repeat the names of the inverter's own values and must not be mixed with them. */
export function isParallelUnit(reading: Reading): boolean {
  return Object.hasOwn(reading.values, "unitExists");
}

interface Part {
  readonly watts: number;
  readonly measured: boolean;
  readonly reading: Reading;
}

function newest(readings: readonly Reading[], name: string): Part | undefined {
  let best: Part | undefined;
  for (const reading of readings) {
    const measured = reading.values[name];
    const watts = measured ?? reading.derived[name];
    if (typeof watts === "number" && (best === undefined || reading.at > best.reading.at))
      best = { watts, measured: measured !== undefined, reading };
  }
  return best;
}
