import type { ModelCard } from "../model/card.ts";
import { exampleOf, type Cadence, type Query } from "../protocol/command.ts";
import { QBATCD, QBMS, QCST, QCVT } from "../protocol/pi30/battery.ts";
import { QMCHGCR, QMSCHGCR, QMUCHGCR } from "../protocol/pi30/currents.ts";
import { findRequest, pi30, polled } from "../protocol/pi30/dialect.ts";
import { QET, QLT } from "../protocol/pi30/energy.ts";
import { families } from "../protocol/pi30/family-list.ts";
import { QDOP, QWFS } from "../protocol/pi30/extras.ts";
import { QP2GSn, QPGSn } from "../protocol/pi30/parallel.ts";
import { QCHPT, QOPPT } from "../protocol/pi30/schedule.ts";
import type { PlanItem } from "../session/poller.ts";

const DAY_MS = 86_400_000;
/** A reading is live for three of its poll periods, and at least this long. */
const LEAST_LIVE_MS = 10_000;
type Polled = Exclude<Cadence, "onDemand">;
const order: readonly Polled[] = ["fast", "medium", "slow", "once"];

/** Poll periods by cadence, in milliseconds. */
export interface PollPeriods {
  readonly fastMs: number;
  readonly mediumMs: number;
  readonly slowMs: number;
  /** The commands to ask; all that are worth it if absent. */
  readonly only?: readonly string[];
}

/** Commands by which the families of models are told apart. */
const telling = new Set(families.flatMap(({ rules }) => rules.flatMap(({ answers = [], lacks = [] }) => [...answers, ...lacks])));

/**
 * Inquiries that tell nothing to be watched, asked for the model card alone: whether the unit knows them. Those that tell
 * its family are asked first. A date needs a reason.
 */
const probes: readonly PlanItem[] = pi30
  .filter(({ cadence, argument }) => cadence === "onDemand" && (argument === undefined || argument.placeholder === "n"))
  .map((query) => exampleOf(query))
  .map((request) => ({ request, everyMs: DAY_MS, ...(!telling.has(request.command) && { probe: true }) }));

/** What the papers give to the same makes (notes §6.1): where the second is missing, the first is hardly there. */
const beside: ReadonlyMap<Query, Query> = new Map<Query, Query>([
  [QLT, QET],
  [QP2GSn, QPGSn],
  [QCHPT, QOPPT],
  [QCVT, QCST],
  [QMSCHGCR, QCST],
  [QMUCHGCR, QMCHGCR],
  [QBATCD, QBMS],
  [QDOP, QWFS],
]);

function besideOf(query: Query): Pick<PlanItem, "beside"> {
  const other = beside.get(query);
  return other === undefined ? {} : { beside: exampleOf(other).command };
}

/** Every inquiry of the catalogue that is polled, at its cadence, fast ones first. What never changes is asked at every connect and once a day. */
export function planOf({ fastMs, mediumMs, slowMs, only }: PollPeriods): PlanItem[] {
  const everyMs: Readonly<Record<Polled, number>> = { fast: fastMs, medium: mediumMs, slow: slowMs, once: DAY_MS };
  const plan = order.flatMap((cadence) =>
    polled
      .filter(({ query }) => query.cadence === cadence)
      .map((request) => ({ request, everyMs: everyMs[cadence], ...besideOf(request.query) })),
  );
  return [...plan, ...probes].filter(({ request }) => only === undefined || only.includes(request.command));
}

/** Commands of the plan of which a card has no word yet; a complete card lacks those that can wait. */
export function unaskedOf({ commands }: Pick<ModelCard, "commands">, periods: PollPeriods): string[] {
  return planOf(periods).flatMap(({ request: { command } }) => (Object.hasOwn(commands, command) ? [] : [command]));
}

/** Milliseconds after which a command's reading no longer counts as live. */
export function staleAfterMs(command: string, plan: readonly PlanItem[]): number {
  const query = findRequest(command).query;
  const everyMs = plan.find((item) => item.request.query === query)?.everyMs ?? DAY_MS;
  return Math.max(LEAST_LIVE_MS, 3 * everyMs);
}
