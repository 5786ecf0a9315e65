import { DeadlineError, FrameError, ReplyError, SonkragError } from "../model/errors.ts";
import type { ChecksumHabit } from "../protocol/crc.ts";
import { decodeReply, hasNothing, type Reply } from "../protocol/decode.ts";
import { encodeCommand } from "../protocol/encode.ts";
import { FrameDecoder, hex, zeroChecksumOf, type Discarded, type Frame } from "../protocol/frame.ts";
import { discardReason, misfitReason, type Attempt, type Unproven } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import { Debts } from "./debts.ts";
import type { Answer, ExchangeObserver, Job, Timing, Told } from "./job.ts";
import { Pace } from "./pace.ts";
import { tell } from "./tell.ts";
import type { Transport } from "./transport.ts";

/** On a line too fast to be quiet while a request leaves: how many answers of one shape may wait for one fence, at most… */
const MAX_WINDOW = 16;
/** On a paced line silence proves each answer by itself, unless noise fills it: then this many may wait for a fence. */
const NOISY_WINDOW = 4;
/** …one more for every so many exchanges without trouble. */
const CLEAN_PER_STEP = 32;

/**
 * Exchanges on one open transport, one at a time, such that a reply to an earlier request is never taken for the
 * answer to this one. An answer that fits is first *unproven*. It is proven when the line stays silent after it (while
 * the next request is leaving, which costs nothing), or when a later request of another shape is answered: the unit
 * answers in order, so an excess reply would have come first. One more frame voids all that is unproven.
 */
export class Exchanger {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #observer: ExchangeObserver;
  readonly #pace: Pace;
  readonly #decoder = new FrameDecoder();
  readonly #unproven: Unproven[] = [];
  readonly #debts = new Debts();
  /** True while the frame being received is known to answer nothing and has been counted. */
  #condemned = false;
  #cleanExchanges = 0;

  constructor(transport: Transport, clock: Clock, timing: Timing, observer: ExchangeObserver) {
    this.#transport = transport;
    this.#clock = clock;
    this.#timing = timing;
    this.#observer = observer;
    this.#pace = new Pace(transport.wire);
  }

  /** Above 0 after exchanges that failed: before anything else a fence must be answered. */
  get owed(): number {
    return this.#debts.owed;
  }

  /** True while answers wait for proof. */
  get waits(): boolean {
    return this.#unproven.length > 0;
  }
  /** True where a zero byte cannot be told from the padding of the medium. */
  get hidesZeros(): boolean {
    return this.#transport.wire.chunkBytes > 1;
  }

  /** True when an answer of this shape would prove that nothing older is under way. */
  canFence(shape: string): boolean {
    return !this.#debts.covers(shape, this.#clock.monotonic()) && this.#unproven.every(({ job }) => job.request.query.shape !== shape);
  }

  /** True while a request of this shape has to wait, because the late reply to an older one could pass for its answer. */
  quarantines(shape: string): boolean {
    return this.#debts.quarantines(shape, this.#clock.monotonic());
  }

  /** True when a request of this shape may not be sent before a fence, because too many like it wait for proof. */
  needsFence(shape: string, requestBytes: number): boolean {
    const last = this.#unproven.at(-1);
    if (last === undefined || last.job.request.query.shape !== shape) return false;
    const window = this.#leavesQuietly(requestBytes)
      ? NOISY_WINDOW
      : Math.min(MAX_WINDOW, 1 + Math.floor(this.#cleanExchanges / CLEAN_PER_STEP));
    return this.#unproven.length >= window;
  }

  /**
   * One request and its answer. Resolves when the answer is in (then unproven) or the attempt has failed (then settled).
   * A `fence` pays off what is owed when it is answered. Rejects only with TransportError or the signal's reason.
   */
  async exchange(job: Job, { fence = false, signal }: { readonly fence?: boolean; readonly signal: AbortSignal }): Promise<boolean> {
    signal.throwIfAborted();
    this.#sweep();
    const bytes = encodeCommand(job.request.command, job.checksum);
    const started = this.#clock.monotonic();
    const { firstByteMs = this.#timing.firstByteMs } = job;
    const attempt: Attempt = { job, bytes, started, fence, firstByteMs, foreignStart: this.#decoder.open, failure: undefined };
    await this.#transport.write(bytes, { signal });
    this.#observer.requested(job.request.command);
    const parts = await this.#watchLeaving(attempt, signal);
    return this.#handle(attempt, parts, this.#clock.monotonic()) ?? (await this.#awaitAnswer(attempt, signal));
  }

  /**
   * Sends a command that changes something, once, and waits for ACK or NAK. To be called only when nothing is owed: then
   * no older reply can be taken for the verdict. Whatever else comes is counted. Rejects with TransportError, or unsent.
   */
  async tell(command: string, checksum: ChecksumHabit, { signal }: { readonly signal: AbortSignal }): Promise<Told> {
    await this.prove({ isIdle: () => false, signal });
    signal.throwIfAborted();
    this.#sweep();
    const told = await tell(
      {
        transport: this.#transport,
        clock: this.#clock,
        timing: this.#timing,
        pace: this.#pace,
        decoder: this.#decoder,
        observer: this.#observer,
        owesVerdict: this.#debts.owesVerdict(this.#clock.monotonic()),
        onStranger: (frame) => this.#excess(frame, "foreign"),
      },
      command,
      checksum,
    );
    return this.#debts.told(told, this.#clock.monotonic());
  }

  /** Waits until the line has proved quiet, longer while it is idle; then everything unproven is released, or voided if something came. */
  async prove({ isIdle, signal }: { readonly isIdle: () => boolean; readonly signal: AbortSignal }): Promise<void> {
    const lookMs = this.#pace.quietMs(this.#timing.quietMs);
    for (let silentMs = 0; this.#unproven.length > 0;) {
      await this.#clock.sleep(lookMs, { signal });
      silentMs = this.#sweep() ? 0 : silentMs + lookMs;
      if (silentMs >= (isIdle() ? this.#timing.idleMs : lookMs)) this.#release();
    }
  }

  /** Takes what comes while nothing is asked. Throws TransportError when the medium is gone. */
  look(): void {
    this.#sweep();
  }

  /** Listens until the line has been silent for `silenceMs`, at most `limitMs`. */
  async listen(silenceMs: number, limitMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const end = this.#clock.monotonic() + limitMs;
    let silentSince = this.#clock.monotonic();
    while (this.#clock.monotonic() < end && this.#clock.monotonic() - silentSince < silenceMs) {
      await this.#clock.sleep(Math.min(50, silenceMs), { signal });
      const chunk = this.#transport.take();
      if (chunk.length > 0) silentSince = this.#clock.monotonic();
      this.#dismiss(this.#decoder.push(chunk));
    }
    if (this.#clock.monotonic() - silentSince >= this.#timing.interByteMs) this.#dismiss(this.#decoder.flush());
  }

  /** After a long silence: whatever was still to come has come. */
  forgive(): void {
    this.#debts.clear();
  }

  /** Fails everything that waits for proof; called when the transport is given up. */
  abandon(error: SonkragError): void {
    for (const { job } of this.#unproven.splice(0)) job.settle({ error });
  }

  #leavesQuietly(requestBytes: number): boolean {
    return this.#pace.leavingMs(requestBytes) >= this.#timing.quietMs;
  }

  /** Takes what came unasked. True if it held (part of) a frame: then what was unproven is void. */
  #sweep(): boolean {
    const parts = this.#decoder.push(this.#transport.take());
    return this.#dismiss(parts);
  }

  /** Bytes that answer no request. True if a frame was among them or has begun. */
  #dismiss(parts: readonly (Frame | Discarded)[]): boolean {
    let seen = false;
    for (const part of parts) {
      if (part.kind === "discarded" && part.reason === "noise") {
        this.#observer.rejected("noise", hex(part.raw));
        continue;
      }
      seen = true;
      if (this.#condemned) this.#condemned = false;
      else if (part.kind === "frame") this.#excess(part, "foreign");
      else {
        this.#observer.rejected(discardReason(part), hex(part.raw));
        this.#voidUnproven(`a spoilt frame: ${hex(part.raw)}`);
      }
    }
    if (this.#decoder.open && this.#unproven.length > 0) {
      seen = true;
      this.#voidUnproven("the beginning of a frame");
      this.#condemned = true;
    }
    return seen;
  }

  /**
   * While the request leaves, no answer can come: silence now proves the answers before it, and a byte condemns them.
   * Returns what may be the answer's own after all.
   */
  async #watchLeaving(attempt: Attempt, signal: AbortSignal): Promise<readonly (Frame | Discarded)[]> {
    const { bytes, started } = attempt;
    if (!this.#leavesQuietly(bytes.length)) return [];
    const end = started + this.#pace.leavingMs(bytes.length);
    await this.#clock.sleep(Math.max(0, end - this.#clock.monotonic()), { signal });
    const chunk = this.#transport.take();
    const possible = this.#pace.possibleBytes(this.#clock.monotonic() - end);
    const parts = this.#decoder.push(chunk);
    // Neither padding behind a frame nor our own bytes coming back can be a reply: as good as silence.
    if (this.#onlyEchoOf(bytes, parts)) {
      for (const part of parts) this.#observer.rejected("echo", hex(part.raw));
      if (!attempt.foreignStart) this.#fellSilent();
      return [];
    }
    // This look came so late that the bytes may be the answer's own: leave the question to the next silence.
    if (chunk.length <= possible && !attempt.foreignStart) return parts;
    attempt.foreignStart = this.#decoder.open;
    if (this.#dismiss(parts) || attempt.foreignStart) this.#pace.tooFast();
    return [];
  }

  /** True if what came is nothing, padding, or (the beginning of) the echo of these bytes. */
  #onlyEchoOf(request: Uint8Array, parts: readonly (Frame | Discarded)[]): boolean {
    if (parts.some((part) => part.kind === "frame" || discardReason(part, request) !== "echo")) return false;
    return !this.#decoder.open && hex(request).startsWith(hex(this.#decoder.outside));
  }

  async #awaitAnswer(attempt: Attempt, signal: AbortSignal): Promise<boolean> {
    const { job, bytes, started } = attempt;
    const left = started + bytes.length * this.#pace.byteMs;
    const firstLookMs = this.#pace.firstLookMs(job.request.query.shape);
    let lastByteAt = left;
    let looks = 0;
    for (;;) {
      const pause = looks === 0 && firstLookMs !== undefined ? started + firstLookMs - this.#clock.monotonic() : this.#pace.pauseMs(looks);
      await this.#clock.sleep(Math.max(0, pause), { signal });
      looks += 1;
      const chunk = this.#transport.take();
      const seenAt = this.#clock.monotonic();
      if (chunk.length > 0) {
        lastByteAt = Math.max(left, seenAt);
        // The line is alive: look often again.
        looks = Math.min(looks, 40);
      }
      const done = this.#handle(attempt, this.#decoder.push(chunk), seenAt);
      if (done !== undefined) return done;
      const silentMs = this.#clock.monotonic() - lastByteAt;
      if (this.#decoder.open) {
        if (silentMs < this.#timing.interByteMs) continue;
        const ours = !attempt.foreignStart;
        for (const part of this.#decoder.flush()) this.#discarded(attempt, part);
        if (ours) return this.#fail(job, new FrameError(`${job.request.command}: the reply broke off before its end`));
      }
      if (silentMs >= (attempt.failure ? this.#timing.interByteMs : attempt.firstByteMs)) return this.#giveUp(attempt);
    }
  }

  /** What has come while an answer is due. True: it is in; false: the attempt has failed; absent: wait on. */
  #handle(attempt: Attempt, parts: readonly (Frame | Discarded)[], seenAt: number): boolean | undefined {
    for (const [index, part] of parts.entries()) {
      if (part.kind === "discarded") {
        const error = this.#discarded(attempt, part);
        if (error === undefined) continue;
        this.#dismiss(parts.slice(index + 1));
        return this.#fail(attempt.job, error);
      }
      const verdict = this.#judge(attempt, part, seenAt);
      if (verdict instanceof SonkragError) attempt.failure = verdict;
      else if (verdict !== undefined) {
        this.#accept(attempt, part, verdict, {
          seenAt,
          behind: parts.slice(index + 1).reduce((sum, { raw }) => sum + raw.length, this.#decoder.begun),
        });
        this.#dismiss(parts.slice(index + 1));
        return true;
      }
    }
    return undefined;
  }

  #giveUp({ job, failure, firstByteMs }: Attempt): boolean {
    if (failure) return this.#fail(job, failure);
    this.#dismiss(this.#decoder.flush());
    // Long silence: nothing follows the answers before it.
    this.#release();
    this.#observer.rejected("timeout", job.request.command, job.request.command);
    return this.#fail(job, new DeadlineError(`${job.request.command}: no answer within ${firstByteMs} ms`));
  }

  /** The answer, an error to remember while waiting on, or nothing: the frame was somebody else's and has been dealt with. */
  #judge(attempt: Attempt, frame: Frame, seenAt: number): Exclude<Reply<unknown>, { kind: "ack" }> | SonkragError | undefined {
    const { job, bytes, started } = attempt;
    // Its first byte was here before this request had left, or it is complete sooner than the wire can carry it.
    const tooSoon = seenAt < started + (bytes.length + frame.raw.length) * this.#pace.byteMs * 0.95;
    if (tooSoon) this.#pace.tooFast();
    if (attempt.foreignStart || (tooSoon && this.#transport.wire.certain)) {
      attempt.foreignStart = false;
      if (this.#condemned) this.#condemned = false;
      else this.#excess(frame, "stale");
      return undefined;
    }
    let reply: Reply<unknown>;
    try {
      reply = decodeReply(job.request, frame);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      return this.#misfit(job, frame, error);
    }
    if (reply.kind === "ack") return this.#misfit(job, frame, hasNothing(job.request.command));
    return reply;
  }

  /** A frame too many: the answers before it are void; without any it is a late reply, or `otherwise`. */
  #excess(frame: Frame, otherwise: "stale" | "foreign"): void {
    if (this.#debts.pay(frame)) this.#observer.rejected("late", hex(frame.raw));
    else if (this.#unproven.length === 0) this.#observer.rejected(otherwise, hex(frame.raw));
    else this.#voidUnproven(frame.body);
  }

  #misfit(job: Job, frame: Frame, error: ReplyError): ReplyError | undefined {
    if (this.#debts.pay(frame)) {
      this.#observer.rejected("late", hex(frame.raw));
      return undefined;
    }
    if (this.#unproven.length > 0) {
      this.#voidUnproven(frame.body);
      return undefined;
    }
    this.#observer.rejected(misfitReason(error), error.message, job.request.command);
    return error;
  }

  /** Counts a discarded run; an error if it was the (spoilt) answer. */
  #discarded(attempt: Attempt, part: Discarded): SonkragError | undefined {
    const reason = discardReason(part, attempt.bytes);
    const noise = part.reason === "noise";
    if (!noise && this.#condemned) this.#condemned = false;
    else this.#observer.rejected(reason, hex(part.raw), attempt.job.request.command);
    if (!noise && attempt.foreignStart) {
      attempt.foreignStart = false;
      return undefined;
    }
    if (part.reason !== "checksum" && part.reason !== "oversize") return undefined;
    return new FrameError(`expected a frame with a correct checksum, got ${hex(part.raw)}`, { context: { reason } });
  }

  #accept(
    { job, bytes, started, fence }: Attempt,
    frame: Frame,
    reply: Exclude<Reply<unknown>, { kind: "ack" }>,
    { seenAt, behind }: { readonly seenAt: number; readonly behind: number },
  ): void {
    const last = this.#unproven.at(-1);
    const [requestBytes, replyBytes, tookMs] = [bytes.length, frame.raw.length, seenAt - started];
    // What has come behind it tells how long before this look it was complete.
    const isPunctual = this.#pace.isPunctual(job.request.query.shape, replyBytes, tookMs - this.#pace.leastMs(behind));
    if (reply.kind === "data") {
      if (last && (last.job.request.query.shape !== job.request.query.shape || (last.followedBySilence && isPunctual))) this.#release();
      if (fence) this.#debts.fenced();
    }
    const answer: Answer = { ...reply, at: this.#clock.now(), ...zeroChecksumOf(frame) };
    this.#unproven.push({ job, answer, requestBytes, replyBytes, tookMs, followedBySilence: false });
  }

  /**
   * The line is silent while a request leaves. The latest answer may still be an older reply with the true one a little
   * behind it; that one would then be taken for the next answer, out of time and with another right behind it.
   */
  #fellSilent(): void {
    const last = this.#unproven.at(-1);
    if (last === undefined) return;
    last.followedBySilence = true;
    this.#release(this.#unproven.length - 1);
  }

  #release(count = this.#unproven.length): void {
    this.#cleanExchanges += count;
    for (const { job, answer, requestBytes, replyBytes, tookMs } of this.#unproven.splice(0, count)) {
      this.#pace.learn(job.request.query.shape, requestBytes, replyBytes, tookMs);
      if (answer.kind === "nak") this.#observer.rejected("nak", job.request.command, job.request.command);
      else this.#observer.accepted(job.request.command, tookMs);
      job.settle({ answer });
    }
  }

  #voidUnproven(by: string): void {
    if (this.#unproven.length === 0) return;
    this.#cleanExchanges = 0;
    this.#observer.rejected("stale", by, this.#unproven.at(-1)?.job.request.command);
    for (const { job } of this.#unproven.splice(0))
      job.settle({ error: new ReplyError("reply-unproven", `${job.request.command}: two frames came for one request, so neither counts`) });
  }

  #fail(job: Job, error: SonkragError): false {
    this.#cleanExchanges = 0;
    if (error instanceof DeadlineError) this.#debts.missing(job.request, this.#clock.monotonic() + this.#timing.patienceMs);
    else this.#debts.spoilt(job.request);
    job.settle({ error });
    return false;
  }
}
