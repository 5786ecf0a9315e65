import { countAnswer, emptyLedger, lookAroundMs, parseLedger, rebuildLedger, type Counters, type Ledger } from "../../energy/counter.ts";
import type { EnergyBucket } from "../../energy/flow.ts";
import { StoreError } from "../../model/errors.ts";
import type { HistoryRow, TimeRange } from "../../model/history.ts";
import { keptEnergy, putEnergy, replaceEnergy, unitsWithEnergy } from "../../store/energy-table.ts";
import { hourMs, hourOf } from "../../store/keys.ts";
import type { ChangedHour } from "../../store/sealer.ts";
import { decodeSegment } from "../../store/segment.ts";
import type { Tables } from "../../store/tables.ts";
import { countedAnew, tellsPower, type EnergyPace } from "./energy-recount.ts";
import { EnergyUnits } from "./energy-units.ts";

const ledgerName = "energyLedger";

/** Totals that are safe to publish: they are never taken back. Wh by unit and flow. */
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
  readonly #pace: EnergyPace;
  readonly #units: EnergyUnits;
  #ledger: Ledger;
  #finished: (readonly [unit: string, bucket: EnergyBucket])[] = [];

  constructor(tables: Tables, pace: EnergyPace) {
    this.#tables = tables;
    this.#pace = pace;
    this.#units = new EnergyUnits(tables);
    this.#ledger = keptLedger(tables);
  }

  get totals(): EnergyTotals {
    const units = Object.entries(this.#ledger.units).map(([unit, { counters }]) => [unit, counters] as const);
    return { units: Object.fromEntries(units), total: this.#ledger.total };
  }

  /** Takes live rows in the order in which they came. */
  count(rows: readonly HistoryRow[]): void {
    for (const row of rows) {
      this.#units.meet(row);
      const unit = this.#units.of(row);
      if (unit === undefined) continue;
      const { ledger, finished } = countAnswer(this.#ledger, unit, row, this.#pace);
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
    this.#units.keep(this.#tables);
  }

  /** The transaction of `sealed` is done. */
  committed(): void {
    this.#finished = [];
  }

  /** Rows of the past have come in: their quarters of an hour are counted anew. The totals that are published stay. */
  recount(changed: readonly ChangedHour[]): void {
    for (const range of rangesOf(changed.map(({ hour }) => hour))) {
      const around = lookAroundMs(this.#pace);
      const rows = this.#rowsIn({ from: range.from - around, to: range.to + around });
      const changedUnits = new Set(changed.map(({ inverter }) => inverter));
      for (const [unit, buckets] of countedAnew(rows, range, { pace: this.#pace, units: this.#units, tables: this.#tables }))
        if (changedUnits.has(unit) || unit.startsWith("unit-")) replaceEnergy(this.#tables, unit, range, buckets);
    }
  }

  /** Of every cable: each may tell of every unit. */
  #rowsIn({ from, to }: TimeRange): HistoryRow[] {
    const rows: HistoryRow[] = [];
    for (const stream of this.#tables.streams()) {
      if (!tellsPower(stream)) continue;
      for (const { body } of this.#tables.range("segment", stream.id, hourOf(from), hourOf(to - 1)))
        for (const row of decodeSegment(body, stream)) if (row.at >= from && row.at < to) rows.push(row);
    }
    return rows.toSorted((a, b) => a.at - b.at);
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

/** Neighbouring hours as one range each. */
function rangesOf(hours: readonly number[]): TimeRange[] {
  const found: { from: number; to: number }[] = [];
  for (const hour of [...new Set(hours)].toSorted((a, b) => a - b)) {
    const last = found.at(-1);
    if (last?.to === hour * hourMs) last.to += hourMs;
    else found.push({ from: hour * hourMs, to: (hour + 1) * hourMs });
  }
  return found;
}
