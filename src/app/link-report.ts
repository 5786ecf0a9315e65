import type { LinkReport } from "../api/link.ts";
import type { EnergyBalance } from "../model/balance.ts";
import type { Line } from "../session/line.ts";
import { evidenceOf } from "./evidence.ts";
import { findingsOf } from "./findings.ts";
import type { LinkRecorder } from "./link-recorder.ts";

/** How a link works, in figures and in plain words; `now` is UTC epoch ms. */
export function linkReportOf(
  inverter: string,
  line: Pick<Line, "status" | "counters" | "commandCounters">,
  recorder: LinkRecorder,
  { now, balance }: { readonly now: number; readonly balance?: EnergyBalance },
): LinkReport {
  const { counters, commandCounters } = line;
  // What was told last may know more than the line: a unit that answers and still cannot be used.
  const status = recorder.statuses.at(-1) ?? line.status;
  const everAnswered = counters.accepted > 0;
  const findings = findingsOf({ evidence: evidenceOf(recorder.recent), status, everAnswered, ...(balance && { balance }) });
  return { inverter, now, status, counters, commands: commandCounters, findings };
}
