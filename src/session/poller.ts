import { SonkragError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { Request } from "../protocol/command.ts";
import type { Clock } from "./clock.ts";
import type { Answer } from "./job.ts";

/** What to ask and how often; the list's order breaks ties, so fast values come first. 0 ms = as fast as the line goes. */
export interface PlanItem {
  readonly request: Request;
  readonly everyMs: number;
}

export interface PollerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly plan: readonly PlanItem[];
  /** Sends one inquiry; the poller has no other way to the line, and an inquiry can change nothing. */
  readonly ask: (request: Request, options: { readonly signal: AbortSignal }) => Promise<Answer>;
  readonly online: (options: { readonly signal: AbortSignal }) => Promise<void>;
  /** Resolves when the line can do with another question: the next one leaves while the answer before it is being proven. */
  readonly ready: (options: { readonly signal: AbortSignal }) => Promise<void>;
  readonly onData: (answer: Extract<Answer, { kind: "data" }>) => void;
}

/** Refusals (or silences while others are answered) in a row after which a command counts as unsupported. */
const UNSUPPORTED_AFTER = 2;
/** The same for a command that has answered before: it takes more to believe that it has stopped. */
const LOST_AFTER = 5;
/** How rarely an unsupported command is asked again. */
const ASK_AGAIN_MS = 3_600_000;

/** How often is looked whether a slower command has been answered, so that the next may go. */
const LOOK_MS = 20;

interface Entry {
  readonly item: PlanItem;
  dueAt: number;
  /** Questions on their way. */
  asking: number;
  refusals: number;
  answered: boolean;
  unsupported: boolean;
}

/**
 * Keeps asking. Each command has its own grid of start times that never drifts; a failure of one never holds up
 * another; what the unit does not know is asked again only rarely.
 */
export class Poller {
  readonly #options: PollerOptions;
  readonly #entries: Entry[];
  /** What was asked last. */
  #before: Entry | undefined;
  /** A programming error in the callback; ends the run instead of vanishing. */
  #fault: { readonly error: unknown } | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#entries = options.plan.map((item) => ({ item, dueAt: 0, asking: 0, refusals: 0, answered: false, unsupported: false }));
  }

  /** Commands this unit has refused so often that they are left alone. */
  get unsupported(): string[] {
    return this.#entries.filter((entry) => entry.unsupported).map((entry) => entry.item.request.command);
  }

  /** Asks one more command from now on, as often as `like`. A command that is asked already stays as it is. */
  add(request: Request, like: string): void {
    const model = this.#entries.find((entry) => entry.item.request.command === like);
    if (!model || this.#entries.some((entry) => entry.item.request.command === request.command)) return;
    const item = { request, everyMs: model.item.everyMs };
    this.#entries.push({ item, dueAt: this.#options.clock.monotonic(), asking: 0, refusals: 0, answered: false, unsupported: false });
  }

  /** Lets a command rest for an hour: it has nothing to tell at the moment. */
  rest(command: string): void {
    const entry = this.#entries.find((each) => each.item.request.command === command);
    if (entry) entry.dueAt = this.#options.clock.monotonic() + Math.max(ASK_AGAIN_MS, entry.item.everyMs);
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock } = this.#options;
    const start = clock.monotonic();
    for (const entry of this.#entries) entry.dueAt = start;
    const inFlight = new Set<Promise<void>>();
    try {
      for (;;) {
        await this.#options.online({ signal });
        if (this.#fault) throw this.#fault.error;
        const entry = this.#next(clock.monotonic());
        if (!entry) return;
        const waitMs = entry.dueAt - clock.monotonic();
        if (waitMs > 0) {
          await clock.sleep(this.#isSlowAsked() ? Math.min(waitMs, LOOK_MS) : waitMs, { signal });
          continue;
        }
        this.#reschedule(entry, clock.monotonic());
        // A question whose answer is still out would only wait behind itself, and hold up others.
        if (entry.asking > 0 && entry.item.everyMs > 0) continue;
        this.#before = entry;
        const asking = this.#ask(entry, { signal }).finally(() => inFlight.delete(asking));
        inFlight.add(asking);
        await this.#options.ready({ signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await Promise.allSettled(inFlight);
    }
  }

  /**
   * The command that has been due longest; the earlier in the plan the sooner. But of the slower commands one at a time,
   * and after it a due one of the fastest: a unit that is silent to many would else keep the live values waiting.
   */
  #next(now: number): Entry | undefined {
    const isSlowAsked = this.#isSlowAsked();
    if (!isSlowAsked && !this.#isSlow(this.#before)) return longestDue(this.#entries);
    const fastest = longestDue(this.#entries.filter((entry) => !this.#isSlow(entry)));
    return isSlowAsked || (fastest && fastest.dueAt <= now) ? fastest : longestDue(this.#entries);
  }

  #isSlowAsked(): boolean {
    return this.#entries.some((entry) => entry.asking > 0 && this.#isSlow(entry));
  }

  #isSlow(entry: Entry | undefined): boolean {
    return entry !== undefined && this.#entries.some(({ item, unsupported }) => !unsupported && item.everyMs < entry.item.everyMs);
  }

  /** The next point of the command's grid that is still to come: a missed slot is skipped, not made up for. */
  #reschedule(entry: Entry, now: number): void {
    const everyMs = entry.unsupported ? Math.max(ASK_AGAIN_MS, entry.item.everyMs) : entry.item.everyMs;
    if (everyMs === 0) entry.dueAt = now;
    else entry.dueAt += everyMs * Math.max(1, Math.ceil((now - entry.dueAt) / everyMs));
  }

  async #ask(entry: Entry, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { command } = entry.item.request;
    entry.asking += 1;
    try {
      const answer = await this.#options.ask(entry.item.request, { signal });
      if (answer.kind === "nak") this.#refused(entry, "the unit answers NAK");
      else {
        entry.refusals = 0;
        entry.answered = true;
        if (entry.unsupported) {
          entry.unsupported = false;
          entry.dueAt = this.#options.clock.monotonic() + entry.item.everyMs;
        }
        this.#options.onData(answer);
      }
    } catch (error) {
      if (signal.aborted || error instanceof TransportError) return;
      if (!(error instanceof SonkragError)) {
        this.#fault = { error };
        return;
      }
      // Some firmware meets an unknown command with silence; the fence after it has shown that the unit is alive.
      if (error.code === "deadline-exceeded") this.#refused(entry, "the unit does not answer it");
      else this.#options.logger.debug(`${command} failed`, { code: error.code, error: error.message });
    } finally {
      entry.asking -= 1;
    }
  }

  #refused(entry: Entry, why: string): void {
    entry.refusals += 1;
    if (entry.unsupported || entry.refusals < (entry.answered ? LOST_AFTER : UNSUPPORTED_AFTER)) return;
    entry.unsupported = true;
    entry.dueAt = this.#options.clock.monotonic() + Math.max(ASK_AGAIN_MS, entry.item.everyMs);
    this.#options.logger.info(`${entry.item.request.command} is not supported: ${why}`);
  }
}

function longestDue(entries: readonly Entry[]): Entry | undefined {
  let longest: Entry | undefined;
  for (const entry of entries) if (longest === undefined || entry.dueAt < longest.dueAt) longest = entry;
  return longest;
}
