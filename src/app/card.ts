import { DeadlineError, NotRunningError, ReplyError, TransportError } from "../model/errors.ts";
import type { CardDocument, CommandRecord } from "../model/card.ts";
import type { LinkStatus } from "../model/reading.ts";
import type { Clock } from "../session/clock.ts";
import { Line } from "../session/line.ts";
import type { OpenTransport } from "../session/transport.ts";
import { Unit } from "../session/unit.ts";
import { documentOf } from "../protocol/pi30/card.ts";
import type { Logger } from "../model/logger.ts";
import { DaemonClient } from "./daemon-client.ts";
import { openerOf } from "./devices.ts";
import { planOf } from "./plan.ts";
import { chosenOf, deviceOf, type QueryTarget } from "./query.ts";
import { Redactor } from "./redact.ts";
import { systemClock } from "./system-clock.ts";
import { together } from "./together.ts";

/** Enough for any unit, whatever it is silent to. */
const probeWithinMs = 60_000;

export interface CardTarget extends QueryTarget {
  /** Takes a line for the person who waits. */
  readonly tell: (line: string) => void;
}

/**
 * The model card of an inverter: of the running sonkrag where it has it, else made anew on a line of our own, which takes
 * up to 20 s. Rejects as a query does.
 */
export async function cardOf(target: CardTarget, { signal }: { readonly signal: AbortSignal }): Promise<CardDocument> {
  try {
    await using daemon = await DaemonClient.open(target.config.dataDir, { signal });
    const chosen = await chosenOf(daemon, target, { signal });
    if (chosen !== undefined) return (await daemon.call("card", { inverter: chosen.id }, { signal })) as CardDocument;
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
  }
  const { config, logger, tell } = target;
  const url = await deviceOf(target);
  tell("Asking the inverter every question it may know; this takes up to 20 s.");
  const open = openerOf(url, { simulator: config.simulator, clock: systemClock, logger });
  return await probeCard({ open, clock: systemClock, logger }, { signal });
}

/** Makes the card of the unit at the end of a line. Only asks. Rejects with what kept it from answering. */
export async function probeCard(
  { open, clock, logger }: { readonly open: OpenTransport; readonly clock: Clock; readonly logger: Logger },
  { signal }: { readonly signal: AbortSignal },
): Promise<CardDocument> {
  signal.throwIfAborted();
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    done.abort(error);
  };
  const line = new Line({
    open,
    clock,
    logger,
    random: Math.random,
    onStatus: (status: LinkStatus) => {
      unit.linkChanged(status);
      if (status.state === "lost" || status.state === "silent") fail(new TransportError("link-down", status.message));
    },
  });
  const unit = new Unit({
    line,
    clock,
    logger,
    // Settings of the poll have no say in what is found out.
    plan: planOf({ fastMs: 5000, mediumMs: 15_000, slowMs: 60_000 }),
    onIdentity: () => "probed",
    onReading: () => undefined,
    onProblem: (message) => fail(new ReplyError("reply-foreign", message)),
    onCard: ({ complete }) => {
      if (complete) done.abort(new Error("the card is complete"));
    },
  });
  const late = clock.sleep(probeWithinMs, { signal: stop }).then(
    () => fail(new DeadlineError(`expected a whole card within ${probeWithinMs / 1000} s`)),
    () => undefined,
  );
  await together([line.run({ signal: stop }), unit.run({ signal: stop }), late], done);
  signal.throwIfAborted();
  if (failure !== undefined) throw failure;
  if (unit.card === undefined) throw new DeadlineError("expected a card, got the end of the line");
  return documentOf(unit.card);
}

/** A card as it may be shown to anybody: serial numbers are replaced by others, times are left out. */
export function sharedCard({ card, facts }: CardDocument): Readonly<Record<string, unknown>> {
  const redactor = new Redactor();
  redactor.learnFromDocument([card, facts]);
  const { protocol, firmware, complete, requestChecksum, replyChecksum, commands } = card;
  const { settings, unknownFields: _, parallel, ...known } = facts;
  const { units, phases } = parallel;
  return redactor.value({
    format: "sonkrag-model-card",
    version: card.version,
    protocol,
    firmware,
    ...known,
    parallel: { units, phases },
    complete,
    requestChecksum,
    replyChecksum,
    settings: Object.keys(settings),
    commands: Object.fromEntries(Object.entries(commands).map(([command, record]) => [command, sharedRecord(command, record)])),
  }) as Readonly<Record<string, unknown>>;
}

/** The unit's clock tells when and where. */
const clockCommand = "QT";

function sharedRecord(command: string, { support, fields, payload }: CommandRecord): Readonly<Record<string, unknown>> {
  return { support, ...(fields !== undefined && { fields }), ...(payload !== undefined && command !== clockCommand && { payload }) };
}
