import type { HistoryRow } from "../../model/history.ts";
import { isParallelUnit } from "../../model/pv-total.ts";
import type { Tables } from "../../store/tables.ts";

const keptName = "energyUnits";
/** The answer that tells whose cable it is. */
const identity = "QID";
/** So long after another unit was first told of it is waited whether it has a cable of its own: it must not be counted twice. */
const patienceMs = 120_000;

interface Kept {
  /** By serial number: the inverters at cables of their own. */
  readonly own: readonly (readonly [string, readonly string[]])[];
  /** By serial number: when another one's cable first told of it. */
  readonly told: readonly (readonly [string, number])[];
}

/** Whose powers a row tells: a unit at its own cable has the inverter's id, one that only others tell of one made of its serial number. */
export class EnergyUnits {
  readonly #own: Map<string, readonly string[]>;
  readonly #told: Map<string, number>;

  constructor(tables: Tables) {
    const kept = tables.kept(keptName) as Kept | undefined;
    this.#own = new Map(kept?.own);
    this.#told = new Map(kept?.told);
  }

  /** Within a transaction. */
  keep(tables: Tables): void {
    tables.keep(keptName, { own: [...this.#own], told: [...this.#told] } satisfies Kept);
  }

  /** Learns from rows in the order in which they came. */
  meet(row: HistoryRow): void {
    const serial = serialOf(row);
    if (serial === undefined) return;
    if (row.command === identity) {
      const known = this.#own.get(serial) ?? [];
      if (!known.includes(row.inverter)) this.#own.set(serial, [...known, row.inverter]);
    } else if (isParallelUnit(row) && !this.#told.has(serial)) this.#told.set(serial, row.at);
  }

  /** Absent for a record of which it cannot be said, or not yet. */
  of(row: HistoryRow): string | undefined {
    if (!isParallelUnit(row)) return row.inverter;
    const serial = serialOf(row);
    if (serial === undefined) return undefined;
    const own = this.#own.get(serial) ?? [];
    // Of clones at cables of their own each has its own answers; whose record it is nobody can tell.
    if (own.length > 0) return own.length === 1 ? own[0] : undefined;
    return row.at - (this.#told.get(serial) ?? row.at) >= patienceMs ? `unit-${serial}` : undefined;
  }
}

function serialOf({ values }: HistoryRow): string | undefined {
  const serial = values["serialNumber"];
  return typeof serial === "string" && /[^0]/.test(serial) ? serial : undefined;
}
