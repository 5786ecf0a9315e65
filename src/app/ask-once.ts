import { SonkragError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { LinkCounters } from "../model/reading.ts";
import type { Clock } from "../session/clock.ts";
import type { Timing } from "../session/job.ts";
import { Line } from "../session/line.ts";
import type { OpenTransport } from "../session/transport.ts";

export interface OnceOptions {
  readonly open: OpenTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing?: Timing;
}

export type Ask = Line["ask"];

/**
 * Opens a line for a few questions and closes it again. Where a lasting line would try for ever, this one gives up:
 * rejects with what kept the device from being opened (TransportError), or from answering.
 */
export async function withLine<T>(
  options: OnceOptions,
  work: (ask: Ask, line: { readonly counters: LinkCounters }) => Promise<T>,
  { signal }: { readonly signal: AbortSignal },
): Promise<T> {
  signal.throwIfAborted();
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const line = new Line({ ...options, random: Math.random, onStatus: () => undefined });
  // The questions go first: whatever befalls the line then befalls them.
  const result = work((what, given) => line.ask(what, given), line);
  const running = line.run({ signal: stop });
  try {
    return await Promise.race([result, running.then(() => result)]);
  } catch (error) {
    throw causeOf(error);
  } finally {
    done.abort(new TransportError("link-down", "The line was closed."));
    await running;
  }
}

/** A question is told that the link is down; why it is down is what a person wants to know. */
function causeOf(error: unknown): unknown {
  return error instanceof TransportError && error.code === "link-down" && error.cause instanceof SonkragError ? error.cause : error;
}
