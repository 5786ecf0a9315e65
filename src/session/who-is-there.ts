import { DeadlineError, FrameError, ReplyError } from "../model/errors.ts";
import type { Values } from "../model/reading.ts";
import { request } from "../protocol/command.ts";
import { QID, QSID } from "../protocol/pi30/identity.ts";
import type { Line } from "./line.ts";

/** The serial number of the unit that answers right now; absent when it does not tell. Rejects with TransportError or the signal's reason. */
export async function serialNumberNow(ask: Line["ask"], { signal }: { readonly signal: AbortSignal }): Promise<string | undefined> {
  for (const query of [QID, QSID]) {
    try {
      const answer = await ask(request(query), { signal, urgent: true });
      const serialNumber = answer.kind === "data" ? (answer.values as Values)["serialNumber"] : undefined;
      if (typeof serialNumber === "string") return serialNumber;
    } catch (error) {
      signal.throwIfAborted();
      const isNoAnswer = error instanceof DeadlineError || error instanceof ReplyError || error instanceof FrameError;
      if (!isNoAnswer) throw error;
    }
  }
  return undefined;
}
