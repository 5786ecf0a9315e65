import { DeadlineError, SonkragError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { noRejections, type CommandCounters, type LinkCounters, type LinkStatus, type RejectReason } from "../model/reading.ts";
import { request, requestSentAs, type Query, type Request } from "../protocol/command.ts";
import type { ChecksumHabit } from "../protocol/crc.ts";
import { checksumHabits, hasZeroByte } from "../protocol/encode.ts";
import { QGMN, QPI, QVFW, VERFW } from "../protocol/pi30/identity.ts";
import { QMOD } from "../protocol/pi30/status.ts";
import type { Write } from "../protocol/setting.ts";
import { backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { Exchanger } from "./exchange.ts";
import { defaultTiming, type Answer, type ExchangeObserver, type Job, type Timing, type Told } from "./job.ts";
import { HandOver } from "./hand-over.ts";
import { CommandStatistics } from "./statistics.ts";
import { tapped } from "./traffic.ts";
import { nominalBaud, type OpenTransport } from "./transport.ts";
import { WorkQueue, type AskOptions, type Question, type Telling, type Work } from "./work-queue.ts";

export interface LineOptions {
  /** Looks the device up and opens it; called again for every reconnect. */
  readonly open: OpenTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing?: Timing;
  /** How this unit wants a 00 checksum byte in requests, where that is known from before. */
  readonly requestChecksum?: ChecksumHabit | undefined;
  /** For the jitter of pauses, 0 to 1. */
  readonly random: () => number;
  /** Called on every change of the link's state. */
  readonly onStatus: (status: LinkStatus) => void;
}

/** Cheap questions of different shapes; an answer to one proves that no older reply is under way. */
const fences: readonly Request[] = [request(QPI), request(QMOD), request(QVFW), request(QGMN)];
/** What a field takes on the wire, its space included. */
const BYTES_A_FIELD = 5;
/** Exchanges in a row without a good frame after which the port is closed and the device looked for again. */
const SILENT_AFTER = 5;
const ATTEMPTS = 2;
/** Silence that settles a brief question: so many times what the unit needs to begin its answer to the shortest one, and a little more. */
const BRIEF_MS = 300;
const BRIEF_TIMES = 1.5;
const BRIEF_MORE_MS = 100;
/** So many brief questions of different shapes may meet with silence before it is looked whether the unit is silent to all. */
const BRIEF_IN_A_ROW = 3;
/** What QPI and its answer take on the wire, ms. */
const SHORTEST_MS = (14 * 10_000) / nominalBaud;
const SILENCE_MS = 1000;
const LISTEN_LIMIT_MS = 10_000;
/** Between looks for a late reply, while only questions wait that it could be mistaken for. */
const QUARANTINE_LOOK_MS = 50;
/** Between looks at a port that nobody needs at the moment. */
const IDLE_LOOK_MS = 250;
const ABSENT_LOOK_MS = 200;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * One live line: a queue of exchanges, and the ladder back after trouble (fence, listen, close and open again with the
 * device looked up anew, growing pauses, plain words), for ever and without a restart of the program.
 */
export class Line {
  readonly #options: LineOptions;
  readonly #clock: Clock;
  readonly #queue = new WorkQueue();
  #status: LinkStatus;
  #requests = 0;
  #accepted = 0;
  #reconnects = 0;
  readonly #rejected = noRejections();
  readonly #statistics = new CommandStatistics();
  #requestChecksum: ChecksumHabit | undefined;
  /** Rejections since the port was opened: the evidence for what is wrong. */
  #heard = new Set<RejectReason>();
  #unanswered = 0;
  readonly #handOver = new HandOver();
  /** The longest that the shortest question was thought about since the port was opened, ms. */
  #promptMs = 0;
  readonly #onlineWaiters: (() => void)[] = [];

  constructor(options: LineOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#requestChecksum = options.requestChecksum;
    this.#status = { state: "starting", since: options.clock.now(), message: "Connecting." };
  }

  get status(): LinkStatus {
    return this.#status;
  }

  get counters(): LinkCounters {
    return { requests: this.#requests, accepted: this.#accepted, rejected: { ...this.#rejected }, reconnects: this.#reconnects };
  }

  /** By command as sent. */
  get commandCounters(): Readonly<Record<string, CommandCounters>> {
    return this.#statistics.counters;
  }

  /** How this unit wants a 00 checksum byte in requests; absent until a request with one was answered. */
  get requestChecksum(): ChecksumHabit | undefined {
    return this.#requestChecksum;
  }

  /** Forgets it, or takes over what is known from before, when it has turned out who is there. */
  set requestChecksum(habit: ChecksumHabit | undefined) {
    this.#requestChecksum = habit;
  }

  /**
   * Asks and resolves with the proven answer, a NAK included. Rejects with DeadlineError, FrameError or ReplyError after
   * the second attempt, with TransportError while there is no link, or with the signal's reason. With less than
   * full `effort` it is told of silence sooner.
   */
  async ask(what: Request, { signal, ...how }: AskOptions & { readonly signal: AbortSignal }): Promise<Answer> {
    mustOnlyAsk(what);
    this.#mustBeUp(signal);
    return await this.#queue.ask(what, signal, how);
  }

  /**
   * Sends a command that changes something, before everything that is polled, once and never again by itself. Resolves
   * with what the unit made of it; whether it was obeyed has to be read back. Rejects with the signal's reason before it
   * was sent, with TransportError while there is no link, with `sent` in its context if the link broke under it.
   * `otherChecksum` sends a 00 checksum byte in the form that is less likely the right one.
   */
  async tell(
    write: Write,
    { signal, otherChecksum = false }: { readonly signal: AbortSignal; readonly otherChecksum?: boolean },
  ): Promise<Told> {
    this.#mustBeUp(signal);
    return await this.#queue.tell(write, otherChecksum, signal);
  }

  #mustBeUp(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#status.state === "silent" || this.#status.state === "lost") throw new TransportError("link-down", this.#status.message);
  }

  /** Resolves when another question would not have to wait for long. Rejects with the signal's reason. */
  async ready({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#queue.room({ signal });
  }

  /** Resolves when the inverter answers (again). Rejects with the signal's reason. */
  async online({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    if (this.#status.state === "online") return;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#onlineWaiters.push(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }

  /** Keeps the line alive until the signal fires. Afterwards every question, waiting or new, is rejected. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    try {
      await this.#keepAlive({ signal });
      this.#queue.close(signal.reason);
    } catch (error) {
      this.#queue.close(error);
      throw error;
    }
  }

  async #keepAlive({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    let pauses = backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, this.#options.random);
    const open = tapped(this.#options.open, this.#clock, (event) => this.#handOver.note(event));
    while (!signal.aborted) {
      let opened = false;
      try {
        await using transport = await open({ signal });
        opened = true;
        const exchanger = new Exchanger(transport, this.#clock, this.#options.timing ?? defaultTiming, this.#observer());
        try {
          await this.#talk(exchanger, () => (pauses = backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, this.#options.random)), { signal });
        } finally {
          exchanger.abandon(new TransportError("link-down", "The link was closed."));
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof SonkragError)) throw error;
        if (opened) this.#reconnects += 1;
        this.#down(error);
        // A device node that is missing costs one look in the file system, so look often enough to be back in a second.
        const absent = error.context["errno"] === "ENOENT";
        await this.#clock.sleep(absent ? ABSENT_LOOK_MS : pauses.next().value, { signal }).catch((reason: unknown) => {
          if (!signal.aborted) throw reason;
        });
      }
    }
  }

  async #talk(exchanger: Exchanger, onAnswered: () => void, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#heard = new Set();
    this.#unanswered = 0;
    this.#promptMs = 0;
    // A long silence settles what is owed too, but only an answer shows that somebody is there.
    do await this.#fence(exchanger, { signal });
    while (this.#unanswered > 0);
    onAnswered();
    this.#setStatus("online", "");
    const mayGo = (work: Work): boolean => work.kind === "telling" || !exchanger.quarantines(work.request.query.shape);
    for (;;) {
      const work = this.#queue.shift(mayGo);
      if (work) {
        await (work.kind === "question" ? this.#attempt(exchanger, work, { signal }) : this.#tell(exchanger, work, { signal }));
        continue;
      }
      await exchanger.prove({ isIdle: () => this.#queue.empty, signal });
      if (this.#queue.has(mayGo)) continue;
      if (this.#queue.empty) await this.#waitForWork(exchanger, { signal });
      // Time that would only be waited through tells soonest whether the unit is silent to one question or to all.
      else if (exchanger.owed) await this.#fence(exchanger, { signal });
      else await exchanger.listen(QUARANTINE_LOOK_MS, QUARANTINE_LOOK_MS, { signal });
    }
  }

  /** Looks at the port meanwhile: an unplugged one is noticed before it is needed again. */
  async #waitForWork(exchanger: Exchanger, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (this.#queue.empty) {
      // An end that came before the listener below would never be heard.
      signal.throwIfAborted();
      const nap = new AbortController();
      const onAbort = (): void => nap.abort(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await Promise.race([this.#queue.filled({ signal: nap.signal }), this.#clock.sleep(IDLE_LOOK_MS, { signal: nap.signal })]);
      } finally {
        signal.removeEventListener("abort", onAbort);
        nap.abort();
      }
      exchanger.look();
    }
  }

  async #attempt(exchanger: Exchanger, work: Question, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { command } = work.request;
    const habits = checksumHabits(command, this.#requestChecksum, exchanger.hidesZeros);
    const checksum = habits[work.attempts] ?? habits[0];
    const job: Job = {
      request: work.request,
      checksum,
      settle: (outcome) => {
        // A refusal may be meant for the checksum.
        const mayBeMisread = "answer" in outcome && outcome.answer.kind === "nak" && work.attempts + 1 < habits.length;
        if (mayBeMisread && ++work.attempts < ATTEMPTS) this.#queue.again(work);
        else if ("answer" in outcome) {
          if (outcome.answer.kind === "data" && hasZeroByte(command)) this.#requestChecksum = checksum;
          work.resolve(outcome.answer);
        } else {
          const isSilent = outcome.error instanceof DeadlineError;
          const attempts = work.effort !== "full" && isSilent ? habits.length : ATTEMPTS;
          if (++work.attempts < attempts && outcome.error.retry === "exchange") this.#queue.again(work, { last: isSilent });
          else work.reject(outcome.error);
        }
      },
      ...(work.effort === "brief" && { firstByteMs: this.#briefMs(work.request.query) }),
    };
    try {
      // The late reply to a question of another shape is told from the answer to this one, so a few may be left open.
      const { shape } = work.request.query;
      const mayStayOpen = work.effort === "brief" && exchanger.owed < BRIEF_IN_A_ROW && exchanger.canFence(shape);
      if ((exchanger.owed && !mayStayOpen) || exchanger.needsFence(shape, command.length + 3)) await this.#fence(exchanger, { signal });
      // An odd reply would count as one too many for the answers before it, and nobody would know whose it is.
      if (work.effort !== "full") await exchanger.prove({ isIdle: () => false, signal });
      // Whatever shape its answer has that could be no late one, it comes behind everything older.
      const answered = await this.#exchange(exchanger, job, { fence: mayStayOpen, signal });
      if (answered && work.effort !== "full" && exchanger.owed === 0) work.onHeard?.();
    } catch (error) {
      // The link went down under it; settling twice does no harm.
      work.reject(error);
      throw error;
    }
  }

  async #tell(exchanger: Exchanger, work: Telling, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { command } = work.write;
    try {
      if (exchanger.owed || exchanger.waits) await this.#fence(exchanger, { signal });
      if (work.settled) return;
      work.attempts = 1;
      const [likeliest, other] = checksumHabits(command, this.#requestChecksum, exchanger.hidesZeros);
      const checksum = work.otherChecksum ? (other ?? likeliest) : likeliest;
      const told = await exchanger.tell(command, checksum, { signal });
      if (told.answer === "ack" && hasZeroByte(command)) this.#requestChecksum = checksum;
      work.resolve(told);
    } catch (error) {
      const sent = work.attempts > 0;
      work.reject(
        error instanceof TransportError ? new TransportError("link-down", error.message, { cause: error, context: { sent } }) : error,
      );
      throw error;
    }
  }

  #briefMs({ layouts, everywhere }: Query<unknown>): number {
    const { firstByteMs } = this.#options.timing ?? defaultTiming;
    if (everywhere) return firstByteMs;
    // A bridge may hand a reply over in one piece, when its last byte is there: a long one then begins late.
    const replyBytes = BYTES_A_FIELD * Math.max(...layouts.map(({ fields }) => fields.length), 0);
    const handOverMs = this.#handOver.mayHoldBack ? (replyBytes * 10_000) / nominalBaud : 0;
    return Math.min(firstByteMs, Math.max(BRIEF_MS, BRIEF_TIMES * this.#promptMs + BRIEF_MORE_MS) + handOverMs);
  }

  /** Asks cheap questions until one is answered: then nothing older is under way. */
  async #fence(exchanger: Exchanger, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    do {
      const fence = fences.find(({ query }) => exchanger.canFence(query.shape));
      if (fence) await this.#exchange(exchanger, { request: fence, settle: () => undefined }, { fence: true, signal });
      else {
        await exchanger.prove({ isIdle: () => false, signal });
        await exchanger.listen(SILENCE_MS, LISTEN_LIMIT_MS, { signal });
        exchanger.forgive();
      }
    } while (exchanger.owed);
  }

  async #exchange(exchanger: Exchanger, job: Job, options: { readonly fence: boolean; readonly signal: AbortSignal }): Promise<boolean> {
    const answered = await exchanger.exchange(job, options);
    this.#unanswered = answered ? 0 : this.#unanswered + 1;
    if (this.#unanswered >= SILENT_AFTER) throw new TransportError("link-down", this.#whatIsWrong());
    return answered;
  }

  #whatIsWrong(): string {
    if (this.#heard.has("echo"))
      return "Only our own bytes come back: transmit and receive are joined somewhere. Check the wiring and the adapter.";
    if (this.#heard.has("checksum") || this.#heard.has("truncated") || this.#heard.has("noise"))
      return "Bytes arrive but no whole frame: wrong baud rate, a loose plug, or a unit of another protocol.";
    return (
      "The port is open but the inverter does not answer. Check that it is switched on and that this is its communication port. " +
      "If it answered before, its port may be hung: switch the inverter off and on."
    );
  }

  #observer(): ExchangeObserver {
    return {
      requested: (command) => {
        this.#requests += 1;
        this.#statistics.requested(command);
      },
      accepted: (command, tookMs) => {
        this.#accepted += 1;
        if (command === QPI.code) this.#promptMs = Math.max(this.#promptMs, tookMs - SHORTEST_MS);
        this.#statistics.accepted(command, tookMs);
      },
      rejected: (reason, detail, command) => {
        this.#rejected[reason] += 1;
        this.#heard.add(reason);
        if (command !== undefined) this.#statistics.rejected(command, reason);
        this.#options.logger.debug("rejected", { reason, detail });
      },
    };
  }

  #down(error: SonkragError): void {
    const silent = error.code === "link-down";
    this.#setStatus(silent ? "silent" : "lost", error.message);
    this.#queue.rejectAll(new TransportError("link-down", error.message, { cause: error }));
  }

  #setStatus(state: LinkStatus["state"], message: string): void {
    if (this.#status.state === state && this.#status.message === message) return;
    this.#status = { state, since: this.#clock.now(), message };
    if (state === "online") for (const wake of this.#onlineWaiters.splice(0)) wake();
    this.#options.onStatus(this.#status);
  }
}

/** The types keep what changes something away from here; whatever gets past them ends here. Throws TypeError. */
function mustOnlyAsk({ query, command = "" }: Partial<Request>): void {
  const isInquiry = command.startsWith("Q") || query === VERFW;
  if (!isInquiry || query === undefined || requestSentAs(query, command) === undefined)
    throw new TypeError(`expected an inquiry, got ${JSON.stringify(command)}`);
}
