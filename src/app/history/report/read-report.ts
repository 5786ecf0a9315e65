import { RefusedError } from "../../../model/errors.ts";
import { localPeriodAt, localPeriodOf, type LocalPeriod, type PeriodKind } from "../../../model/local-periods.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import { StoreReader } from "../../../store/reader.ts";
import type { Config } from "../../config.ts";
import { energyPaceOf } from "../energy-recount.ts";
import { gatherReport } from "./gather.ts";
import { makeReport, type Report } from "./report.ts";

export interface ReadReportOptions {
  readonly kind: PeriodKind;
  /** `2026-10-25`, `2026-10` or `2026`; the period that goes on if absent. */
  readonly date?: string | undefined;
  readonly local: LocalTime;
  /** UTC epoch ms. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** The report of a period from the history folder, beside a running program or without one. Throws RefusedError for a date that is none or to come. */
export async function readReport(config: Config, { kind, date, local, now, signal }: ReadReportOptions): Promise<Report> {
  const period = date === undefined ? localPeriodAt(now, kind, local) : periodOf(kind, date, local);
  if (period.from >= now) throw new RefusedError("value-invalid", `expected a ${kind} that has begun, got ${period.key}`);
  await using reader = await StoreReader.open({ folder: config.history.folder, timeZone: local.timeZone });
  return makeReport(
    await gatherReport(reader, { period, local, now, pace: energyPaceOf(config.poll.fastMs), energy: config.energy, signal }),
  );
}

/** A day says which month and year it lies in too. */
function periodOf(kind: PeriodKind, date: string, local: LocalTime): LocalPeriod {
  const named = localPeriodOf(date, local);
  const period = localPeriodAt(named.from, kind, local);
  if (named.to - named.from > period.to - period.from)
    throw new RefusedError("value-invalid", `expected a date that names a ${kind}, got ${JSON.stringify(date)}`);
  return period;
}
