import { DeadlineError, FrameError, ReplyError, SonkragError } from "../model/errors.ts";
import type { Values } from "../model/reading.ts";
import { request, type Query, type Request } from "../protocol/command.ts";
import { identify, identifyByStatus, type Dialect } from "../protocol/identify.ts";
import { isThere } from "../protocol/pi30/card.ts";
import { QID, QPI, QSID } from "../protocol/pi30/identity.ts";
import { QPGSn } from "../protocol/pi30/parallel.ts";
import { QPIGS, QPIGS2 } from "../protocol/pi30/status.ts";
import type { Effort } from "./job.ts";
import type { Line } from "./line.ts";

/** What came of one inquiry; some firmware refuses by silence. */
export type Found = { readonly values: Values } | "refused" | "silence" | ReplyError | FrameError;

/** How often a question is put anew when its answer comes spoilt: that says nothing about the unit. */
const INQUIRIES = 3;

/** Rejects when the link goes down. */
export async function inquire(ask: Line["ask"], query: Query, signal: AbortSignal, effort: Effort = "full"): Promise<Found> {
  for (let count = 1; ; count++) {
    try {
      const answer = await ask(request(query), { signal, effort });
      return answer.kind === "data" ? { values: answer.values as Values } : "refused";
    } catch (error) {
      if (error instanceof DeadlineError && !signal.aborted) return "silence";
      const isSpoilt = error instanceof ReplyError || error instanceof FrameError;
      if (signal.aborted || !isSpoilt) throw error;
      if (count === INQUIRIES) return error;
    }
  }
}

/** Which protocol the unit speaks. Rejects with ReplyError or FrameError when that could not be understood, and when the link goes down. */
export async function dialectOf(ask: Line["ask"], signal: AbortSignal): Promise<Dialect> {
  const protocol = await inquire(ask, QPI, signal);
  if (protocol instanceof SonkragError) throw protocol;
  if (protocol !== "refused") return identify(protocol === "silence" ? {} : protocol.values);
  const status = await inquire(ask, QPIGS, signal);
  if (status instanceof FrameError) throw status;
  if (typeof status === "string" || status instanceof ReplyError) return identifyByStatus(undefined, undefined);
  const second = await inquire(ask, QPIGS2, signal);
  if (second instanceof FrameError) throw second;
  return identifyByStatus(status.values, typeof second === "string" || second instanceof ReplyError ? undefined : second.values);
}

/** The serial number of the unit that answers right now; absent when it does not tell. Rejects with TransportError or the signal's reason. */
export async function serialNumberNow(ask: Line["ask"], { signal }: { readonly signal: AbortSignal }): Promise<string | undefined> {
  for (const query of [QID, QSID]) {
    const { serialNumber } = (await valuesOf(ask, request(query), signal)) ?? {};
    if (typeof serialNumber === "string") return serialNumber;
  }
  return undefined;
}

/**
 * The serial number of the unit that has this number in a parallel system right now: the numbers are given anew when the units
 * are switched on. Absent where there is no such unit, or none tells.
 */
export async function serialNumberAt(
  ask: Line["ask"],
  number: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<string | undefined> {
  const values = await valuesOf(ask, request(QPGSn, number), signal);
  if (values === undefined || !isThere(values) || values["unitExists"] === false) return undefined;
  return String(values["serialNumber"]);
}

async function valuesOf(ask: Line["ask"], what: Request, signal: AbortSignal): Promise<Values | undefined> {
  try {
    const answer = await ask(what, { signal, urgent: true });
    return answer.kind === "data" ? (answer.values as Values) : undefined;
  } catch (error) {
    signal.throwIfAborted();
    const isNoAnswer = error instanceof DeadlineError || error instanceof ReplyError || error instanceof FrameError;
    if (!isNoAnswer) throw error;
    return undefined;
  }
}
