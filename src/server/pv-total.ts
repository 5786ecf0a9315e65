import type { LivePvTotal } from "../api/live.ts";
import { originOf, type Origin, type Reading } from "../model/reading.ts";

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
    origin: originOfSum(parts),
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
  readonly origin: Origin;
  readonly reading: Reading;
}

function originOfSum(parts: readonly Part[]): Origin {
  if (parts.some(({ origin }) => origin === "estimated")) return "estimated";
  return parts.length === 1 && parts[0]?.origin === "measured" ? "measured" : "derived";
}

function newest(readings: readonly Reading[], name: string): Part | undefined {
  let best: Part | undefined;
  for (const reading of readings) {
    const watts = reading.values[name] ?? reading.derived[name];
    if (typeof watts === "number" && (best === undefined || reading.at > best.reading.at))
      best = { watts, origin: originOf(reading, name), reading };
  }
  return best;
}
