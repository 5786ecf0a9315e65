import type { CommandCounters, LinkCounters, LinkStatus } from "../model/reading.ts";

/** What was found about a link, in plain words. */
export interface LinkFinding {
  /** Stable, e.g. `echo-only`; listed in docs/diagnosis.md. */
  readonly code: string;
  /** `problem`: values are missing or in danger; `note`: worth knowing, and nothing is lost. */
  readonly severity: "note" | "problem";
  readonly title: string;
  readonly whatToDo: string;
}

/** `GET /api/v1/inverters/{id}/link`: how the link to one inverter works. */
export interface LinkReport {
  readonly inverter: string;
  /** UTC epoch ms. */
  readonly now: number;
  readonly status: LinkStatus;
  /** Since the program started. */
  readonly counters: LinkCounters;
  /** The same by command as sent. */
  readonly commands: Readonly<Record<string, CommandCounters>>;
  /** About the last five minutes. */
  readonly findings: readonly LinkFinding[];
}
