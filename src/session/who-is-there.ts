import { DeadlineError, FrameError, ReplyError } from "../model/errors.ts";
import type { Values } from "../model/reading.ts";
import { request, type Request } from "../protocol/command.ts";
import { isThere } from "../protocol/pi30/card.ts";
import { QID, QSID } from "../protocol/pi30/identity.ts";
import { QPGSn } from "../protocol/pi30/parallel.ts";
import type { Line } from "./line.ts";

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
