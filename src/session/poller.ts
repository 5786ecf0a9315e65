import { SonkragError, TransportError } from "../model/errors.ts";
import type { Support } from "../model/card.ts";
import type { Logger } from "../model/logger.ts";
import type { Request } from "../protocol/command.ts";
import type { Clock } from "./clock.ts";
import { defaultTiming, type Answer, type Effort } from "./job.ts";
import { Nap } from "./nap.ts";

/** What to ask and how often; the list's order breaks ties, so fast values come first. 0 ms = as fast as the line goes. */
export interface PlanItem {
  readonly request: Request;
  readonly everyMs: number;
  /** Asked only to find out what the unit does with it, when everything else was asked once. */
  readonly probe?: boolean;
  /** A command that units have together with this one: where that meets with silence, this one can wait. */
  readonly beside?: string;
}

/** What a unit does with a command, as known from before. */
export interface Known {
  readonly support: Support;
  /** How often in a row it brought no data. */
  readonly failures: number;
}

/** A question that brought no data although the unit is there; `body` is what it sent instead. */
export interface Failure {
  readonly command: string;
  readonly support: Exclude<Support, "answers">;
  readonly body?: string;
}

export interface PollerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly plan: readonly PlanItem[];
  /** Sends one inquiry; the poller has no other way to the line, and an inquiry can change nothing. */
  readonly ask: (
    request: Request,
    options: { readonly signal: AbortSignal; readonly effort: Effort; readonly onHeard: () => void },
  ) => Promise<Answer>;
  readonly online: (options: { readonly signal: AbortSignal }) => Promise<void>;
  /** Resolves when the line can do with another question: the next one leaves while the answer before it is being proven. */
  readonly ready: (options: { readonly signal: AbortSignal }) => Promise<void>;
  readonly onData: (answer: Extract<Answer, { kind: "data" }>) => void;
  readonly onFailure?: (failure: Failure) => void;
}

/**
 * Failures in a row after which a command counts as unsupported. The first looks at a silent one are short, so it takes one
 * more to believe it.
 */
const UNSUPPORTED_AFTER = { refuses: 2, silent: 3 } as const;
/** The same for a command that has answered before: it takes more to believe that it has stopped. */
const LOST_AFTER = 5;
/** How rarely an unsupported command is asked again. */
const ASK_AGAIN_MS = 3_600_000;
/** When a refusal is put to the test. */
const CONFIRM_AFTER_MS = 60_000;
/** The same for a live value, where another one is answered. */
const LIVE_AGAIN_MS = 15_000;
/** When a command is asked again that has nothing to tell at the moment, or tells it in an unknown form. */
const REST_MS = 60_000;
/** When a command is asked again whose first answer came spoilt. */
const SPOILT_AGAIN_MS = 5000;
/** When probing begins: the live values and whatever the unit is likely to know go first. */
const PROBE_AFTER_MS = 30_000;

/** Behind what was due before: a probe that is added is not what the card waits for. */
const PROBE_SOON_MS = 5000;

/** Codes of a good frame that brings no data; `reply-nak` stands for ACK here. */
const unreadable: ReadonlySet<string> = new Set(["reply-foreign", "reply-malformed", "reply-nak"]);

interface Entry {
  readonly item: PlanItem;
  dueAt: number;
  /** A late reply may be taken for its answer until then. */
  notBefore: number;
  /** Questions on their way. */
  asking: number;
  /** The line is busy with it; false as soon as its answer is in, proven or not. */
  unheard: boolean;
  refusals: number;
  answered: boolean;
  unsupported: boolean;
  /** It is known what the unit does with it. */
  settled: boolean;
  /** It waits until everything else was asked. */
  putOff: boolean;
  /**
   * How many commands of the plan have answers that look like its own: silence to one holds up the next, so these go early,
   * right behind the live values.
   */
  readonly alike: number;
}

function entryOf(item: PlanItem, dueAt = 0, alike = 1): Entry {
  return {
    alike,
    item,
    dueAt,
    notBefore: 0,
    asking: 0,
    unheard: false,
    refusals: 0,
    answered: false,
    unsupported: false,
    settled: false,
    putOff: item.probe === true,
  };
}

/**
 * Keeps asking. Each command has its own grid of start times that never drifts; a failure of one never holds up
 * another; what the unit does not know is asked again only rarely.
 */
export class Poller {
  readonly #options: PollerOptions;
  #entries: Entry[];
  readonly #nap: Nap;
  #startedAt = 0;
  /** What was asked last. */
  #before: Entry | undefined;
  /** A programming error in the callback; ends the run instead of vanishing. */
  #fault: { readonly error: unknown } | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#nap = new Nap(options.clock);
    this.#entries = options.plan.map((item) => entryOf(item, 0, this.#alike(item)));
  }

  /** Commands this unit has refused so often that they are left alone. */
  get unsupported(): string[] {
    return this.#entries.filter((entry) => entry.unsupported).map((entry) => entry.item.request.command);
  }

  /** True once it is known of every command of the plan, but for what waits until then, what the unit does with it. */
  get complete(): boolean {
    return this.#entries.every(({ settled, putOff }) => settled || putOff);
  }

  /** Begins with a unit of which this much is known, by command: what it does not have is not asked for an hour. */
  know(commands: Readonly<Record<string, Known>>): void {
    const now = this.#options.clock.monotonic();
    this.#entries = this.#options.plan.map((item) => {
      const known = commands[item.request.command];
      const entry = entryOf(item, now, this.#alike(item));
      if (known === undefined) return entry;
      const answered = known.support === "answers";
      const lacking = known.support === "refuses" || known.support === "silent";
      const unsupported = isBelieved(known);
      const restMs = unsupported ? ASK_AGAIN_MS : item.probe === true && answered ? item.everyMs : 0;
      return { ...entry, answered, unsupported, settled: true, refusals: lacking ? known.failures : 0, dueAt: now + restMs };
    });
  }

  /** Asks one more command from now on, as often as `like`. A command that is asked already stays as it is. */
  add(request: Request, like: string): void {
    const model = this.#find(like);
    if (!model || this.#find(request.command)) return;
    this.#entries.push(entryOf({ request, everyMs: model.item.everyMs }, this.#options.clock.monotonic()));
  }

  /** Finds out what the unit does with one more command. */
  probe(request: Request, everyMs: number): void {
    if (this.#find(request.command)) return;
    this.#entries.push(entryOf({ request, everyMs, probe: true }, this.#options.clock.monotonic() + PROBE_SOON_MS));
  }

  /** Lets a command rest for an hour: it has nothing to tell at the moment. */
  rest(command: string, forMs = ASK_AGAIN_MS): void {
    const entry = this.#find(command);
    if (entry) entry.dueAt = this.#options.clock.monotonic() + Math.max(forMs, entry.item.everyMs);
  }

  #alike({ request: { query }, everyMs, beside }: PlanItem): number {
    const { plan } = this.#options;
    if (everyMs === Math.min(...plan.map((item) => item.everyMs))) return Infinity;
    return beside === undefined ? plan.filter(({ request }) => request.query.shape === query.shape).length : 0;
  }

  #find(command: string): Entry | undefined {
    return this.#entries.find((entry) => entry.item.request.command === command);
  }

  /** `heard` are commands that somebody else has just asked and that were answered. */
  async run({ signal, heard = new Set() }: { readonly signal: AbortSignal; readonly heard?: ReadonlySet<string> }): Promise<void> {
    const { clock } = this.#options;
    this.#begin(clock.monotonic(), heard);
    const inFlight = new Set<Promise<void>>();
    try {
      for (;;) {
        await this.#options.online({ signal });
        if (this.#fault) throw this.#fault.error;
        const entry = this.#next(clock.monotonic());
        if (!entry) return;
        const waitMs = readyAt(entry) - clock.monotonic();
        if (waitMs > 0) {
          await this.#nap.sleep(waitMs, { signal });
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

  /** The link is there (again): everything at once, except what the unit is known not to have, and what is probed. */
  #begin(start: number, heard: ReadonlySet<string>): void {
    this.#startedAt = start;
    for (const entry of this.#entries) {
      const { item, answered, unsupported, putOff } = entry;
      if (heard.has(item.request.command))
        Object.assign(entry, { dueAt: start + item.everyMs, refusals: 0, answered: true, settled: true });
      else if (putOff) entry.dueAt = Math.max(entry.dueAt, answered || unsupported ? start : start + PROBE_AFTER_MS);
      else entry.dueAt = unsupported ? Math.max(entry.dueAt, start) : start;
    }
  }

  /**
   * The command that has been due longest; the earlier in the plan the sooner. But of the slower commands one at a time,
   * and after it a due one of the fastest: a unit that is silent to many would else keep the live values waiting.
   */
  #next(now: number): Entry | undefined {
    const isSlowAsked = this.#isSlowAsked();
    if (!isSlowAsked && !this.#isSlow(this.#before)) return longestDue(this.#entries, now);
    const fastest = longestDue(
      this.#entries.filter((entry) => !this.#isSlow(entry)),
      now,
    );
    return isSlowAsked || (fastest && readyAt(fastest) <= now) ? fastest : longestDue(this.#entries, now);
  }

  #isSlowAsked(): boolean {
    return this.#entries.some((entry) => entry.unheard && this.#isSlow(entry));
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
    // Most units do not know half of the commands, and some meet them with silence: a first look is a short one.
    const effort = entry.answered ? "full" : entry.refusals + 1 < UNSUPPORTED_AFTER.silent ? "brief" : "once";
    const onHeard = (): void => {
      entry.unheard = false;
      this.#nap.wake();
    };
    entry.asking += 1;
    entry.unheard = true;
    try {
      const answer = await this.#options.ask(entry.item.request, { signal, effort, onHeard });
      if (answer.kind === "nak") this.#refused(entry, "refuses");
      else this.#answered(entry, answer);
    } catch (error) {
      if (signal.aborted || error instanceof TransportError) return;
      if (error instanceof SonkragError) this.#failed(entry, error);
      else this.#fault = { error };
    } finally {
      entry.asking -= 1;
      onHeard();
    }
  }

  #answered(entry: Entry, answer: Extract<Answer, { kind: "data" }>): void {
    entry.refusals = 0;
    entry.answered = true;
    entry.settled = true;
    if (entry.unsupported) {
      entry.unsupported = false;
      entry.dueAt = this.#options.clock.monotonic() + entry.item.everyMs;
    }
    this.#options.onData(answer);
  }

  #failed(entry: Entry, { code, message, context: { body } }: SonkragError): void {
    const { command } = entry.item.request;
    // Some firmware meets an unknown command with silence; the fence after it has shown that the unit is alive.
    if (code === "deadline-exceeded") {
      this.#makeWay(entry);
      this.#refused(entry, "silent");
      return;
    }
    this.#options.logger.debug(`${command} failed`, { code, error: message });
    if (entry.answered) return;
    if (!unreadable.has(code) || typeof body !== "string") {
      this.#notAfter(entry, SPOILT_AGAIN_MS);
      return;
    }
    const support = body === "ACK" ? "hasNothing" : "unreadable";
    if (!entry.settled && support === "unreadable") this.#options.logger.info(`${command} is answered in an unknown form: ${message}`);
    entry.settled = true;
    this.rest(command, REST_MS);
    this.#tell({ command, support, body });
  }

  /** A late reply of this shape may still come: others go before the next question that it could be mistaken for. */
  #makeWay({ item: { request } }: Entry): void {
    const until = this.#options.clock.monotonic() + defaultTiming.patienceMs;
    for (const entry of this.#entries) if (entry.item.request.query.shape === request.query.shape) entry.notBefore = until;
  }

  #refused(entry: Entry, support: "refuses" | "silent"): void {
    const { command } = entry.item.request;
    entry.refusals += 1;
    entry.settled = true;
    if (!entry.answered && support === "silent") this.#putOffBeside(command);
    if (!entry.unsupported && entry.refusals >= (entry.answered ? LOST_AFTER : UNSUPPORTED_AFTER[support])) {
      entry.unsupported = true;
      entry.dueAt = this.#options.clock.monotonic() + Math.max(ASK_AGAIN_MS, entry.item.everyMs);
      const why = support === "refuses" ? "the unit answers NAK" : "the unit does not answer it";
      this.#options.logger.info(`${command} is not supported: ${why}`);
    } else if (!entry.unsupported && !entry.answered) this.#putToTheTest(entry);
    // A command that was answered before is not lost by one failure.
    if (entry.unsupported || !entry.answered) this.#tell({ command, support });
  }

  #putOffBeside(command: string): void {
    for (const entry of this.#entries) {
      if (entry.item.beside !== command || entry.settled) continue;
      entry.putOff = true;
      entry.dueAt = Math.max(entry.dueAt, this.#startedAt + PROBE_AFTER_MS);
    }
  }

  /** Of live values soon; of others when everything was asked. */
  #putToTheTest(entry: Entry): void {
    const now = this.#options.clock.monotonic();
    if (this.#isSlow(entry)) entry.dueAt = now + CONFIRM_AFTER_MS;
    else if (entry.refusals > 1 || this.#isLive()) entry.dueAt = Math.max(entry.dueAt, now + LIVE_AGAIN_MS);
  }

  #isLive(): boolean {
    return this.#entries.some((entry) => entry.answered && !this.#isSlow(entry));
  }

  #notAfter(entry: Entry, ms: number): void {
    entry.dueAt = Math.min(entry.dueAt, this.#options.clock.monotonic() + ms);
  }

  #tell(failure: Failure): void {
    try {
      this.#options.onFailure?.(failure);
    } catch (error) {
      this.#fault = { error };
    }
  }
}

/** True of a failure that was seen often enough. */
function isBelieved({ support, failures }: Known): boolean {
  return (support === "refuses" || support === "silent") && failures >= UNSUPPORTED_AFTER[support];
}

function readyAt({ dueAt, notBefore }: Entry): number {
  return Math.max(dueAt, notBefore);
}

/** Of those that may go now the one that has been due longest; if none may, the one that may next. */
function longestDue(entries: readonly Entry[], now: number): Entry | undefined {
  let longest: Entry | undefined;
  let next: Entry | undefined;
  for (const entry of entries) {
    const at = readyAt(entry);
    if (
      at <= now &&
      (longest === undefined || entry.dueAt < longest.dueAt || (entry.dueAt === longest.dueAt && entry.alike > longest.alike))
    )
      longest = entry;
    if (next === undefined || at < readyAt(next)) next = entry;
  }
  return longest ?? next;
}
