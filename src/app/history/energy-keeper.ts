import {
  countAnswer,
  emptyLedger,
  lookAroundMs,
  parseLedger,
  rebuildLedger,
  recount,
  type CountOptions,
  type Counters,
  type Ledger,
} from "../../energy/counter.ts";
import type { EnergyBucket } from "../../energy/flow.ts";
import { usualHoldMs } from "../../energy/integrate.ts";
import { powerNames } from "../../energy/powers.ts";
import { StoreError } from "../../model/errors.ts";
import type { HistoryRow, TimeRange } from "../../model/history.ts";
import { isParallelUnit } from "../../model/pv-total.ts";
import { keptEnergy, putEnergy, replaceEnergy, unitsWithEnergy } from "../../store/energy-table.ts";
import { hourMs, hourOf } from "../../store/keys.ts";
import type { ChangedHour } from "../../store/sealer.ts";
import { decodeSegment } from "../../store/segment.ts";
import type { Tables } from "../../store/tables.ts";

/** How energy is counted; docs/energy.md. */
export const energyOptions: CountOptions = { holdMs: usualHoldMs, freshMs: 30_000 };

const ledgerName = "energyLedger";
const serialsName = "energySerialNumbers";
/** The answer that tells whose cable it is. */
const identity = "QID";

/** Totals that are safe to publish: they are never taken back. */
export interface EnergyTotals {
  readonly units: Readonly<Record<string, Counters>>;
  readonly total: Counters;
}

/**
 * Counts energy from every reading as it is kept. The ledger goes into the database with the rows that it has counted; what
 * lies only in write-ahead files is counted again after a restart, so no watt-hour is lost or comes twice.
 */
export class EnergyKeeper {
  readonly #tables: Tables;
  #ledger: Ledger;
  /** By serial number: the inverters at cables of their own. */
  readonly #serials: Map<string, string[]>;
  #finished: (readonly [unit: string, bucket: EnergyBucket])[] = [];

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#ledger = keptLedger(tables);
    this.#serials = new Map((tables.kept(serialsName) as [string, string[]][] | undefined) ?? []);
  }

  get totals(): EnergyTotals {
    const units = Object.entries(this.#ledger.units).map(([unit, { counters }]) => [unit, counters] as const);
    return { units: Object.fromEntries(units), total: this.#ledger.total };
  }

  /** Takes live rows in the order in which they came. */
  count(rows: readonly HistoryRow[]): void {
    for (const row of rows) {
      this.#meet(row);
      const unit = this.#unitOf(row);
      if (unit === undefined) continue;
      const { ledger, finished } = countAnswer(this.#ledger, unit, row, energyOptions);
      this.#ledger = ledger;
      for (const bucket of finished) this.#finished.push([unit, bucket]);
    }
  }

  /** The counted rows are in the database now; within its transaction. */
  sealed(): void {
    const units = new Map<string, EnergyBucket[]>();
    for (const [unit, bucket] of this.#finished) units.set(unit, [...(units.get(unit) ?? []), bucket]);
    for (const [unit, buckets] of units) putEnergy(this.#tables, unit, buckets);
    this.#tables.keep(ledgerName, this.#ledger);
    this.#tables.keep(serialsName, [...this.#serials]);
  }

  /** The transaction of `sealed` is done. */
  committed(): void {
    this.#finished = [];
  }

  /** Rows of the past have come in: their quarters of an hour are counted anew. The totals that are published stay. */
  recount(changed: readonly ChangedHour[]): void {
    for (const [inverter, ranges] of rangesOf(changed)) for (const range of ranges) this.#recountRange(inverter, range);
  }

  #recountRange(inverter: string, range: TimeRange): void {
    const around = lookAroundMs(energyOptions);
    const wide = { from: range.from - around, to: range.to + around };
    const units = new Map<string, HistoryRow[]>();
    for (const stream of this.#tables.streams()) {
      if (stream.inverter !== inverter || !Object.keys(stream.names).some((name) => powerNames.has(name))) continue;
      for (const { body } of this.#tables.range("segment", stream.id, hourOf(wide.from), hourOf(wide.to - 1)))
        for (const row of decodeSegment(body, stream)) {
          const unit = this.#unitOf(row);
          if (unit === undefined || row.at < wide.from || row.at >= wide.to) continue;
          const known = units.get(unit);
          if (known === undefined) units.set(unit, [row]);
          else known.push(row);
        }
    }
    for (const [unit, rows] of units) {
      const inOrder = rows.toSorted((a, b) => a.at - b.at);
      replaceEnergy(this.#tables, unit, range, recount(inOrder, range, energyOptions));
    }
  }

  #meet({ command, inverter, values }: HistoryRow): void {
    const serial = values["serialNumber"];
    if (command !== identity || typeof serial !== "string") return;
    const known = this.#serials.get(serial) ?? [];
    if (!known.includes(inverter)) this.#serials.set(serial, [...known, inverter]);
  }

  /** Whose powers a row tells; absent for a record of which it cannot be said. */
  #unitOf(row: HistoryRow): string | undefined {
    if (!isParallelUnit(row)) return row.inverter;
    const serial = row.values["serialNumber"];
    if (typeof serial !== "string" || !/[^0]/.test(serial)) return undefined;
    const own = this.#serials.get(serial) ?? [];
    // Of clones at cables of their own each has its own answers; whose record it is nobody can tell.
    if (own.length > 1) return undefined;
    return own[0] ?? `unit-${serial}`;
  }
}

/** The ledger as it was left; a damaged one is made anew from the quarters of an hour. */
function keptLedger(tables: Tables): Ledger {
  const kept = tables.kept(ledgerName);
  if (kept === undefined) return emptyLedger;
  try {
    return parseLedger(JSON.stringify(kept));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const always = { from: 0, to: Number.MAX_SAFE_INTEGER };
    return rebuildLedger(unitsWithEnergy(tables).map((unit) => [unit, keptEnergy(tables, unit, always)] as const));
  }
}

/** Neighbouring hours of an inverter as one range each. */
function rangesOf(changed: readonly ChangedHour[]): Map<string, TimeRange[]> {
  const hours = new Map<string, number[]>();
  for (const { inverter, hour } of changed) hours.set(inverter, [...(hours.get(inverter) ?? []), hour]);
  const ranges = new Map<string, TimeRange[]>();
  for (const [inverter, own] of hours) {
    const found: { from: number; to: number }[] = [];
    for (const hour of own.toSorted((a, b) => a - b)) {
      const last = found.at(-1);
      if (last?.to === hour * hourMs) last.to += hourMs;
      else found.push({ from: hour * hourMs, to: (hour + 1) * hourMs });
    }
    ranges.set(inverter, found);
  }
  return ranges;
}
