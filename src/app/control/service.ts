import type { Actor, Outcome, SettingChange, SettingState } from "../../model/control.ts";
import { RefusedError, SinkError } from "../../model/errors.ts";
import type { BudgetState, JournalEntry, JournalTrouble, Lease, LeaseState } from "../../model/journal.ts";
import type { Logger } from "../../model/logger.ts";
import type { SettingValue } from "../../model/setting.ts";
import { settingText, type Setting, type UnitFacts, type UnitMake } from "../../protocol/setting.ts";
import type { Clock } from "../../session/clock.ts";
import type { ControlPort } from "../../session/control-port.ts";
import type { ReadHow } from "../../session/control.ts";
import type { Journal, PageQuery } from "./journal.ts";
import { doubtOf, isAnother, whoIs, type ControlUnit } from "./control-unit.ts";
import { attempt, leaseIsOver, stackOf } from "./attempt.ts";
import type { ChangeHow, Details, Pending } from "./pending.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { findOut } from "./recovery.ts";
import { objection, refusal, unknownSetting, type ControlRules } from "./rules.ts";
import { Turns } from "./turns.ts";
import { actorText, UnsentLog } from "./unsent-log.ts";
import { meantBy, wishOf } from "./wish.ts";

export interface ControlServiceOptions {
  readonly units: () => readonly ControlUnit[];
  /** The catalogue. */
  readonly settings: readonly Setting[];
  readonly rules: (inverter: string) => ControlRules;
  /** Taken over. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Unique for ever. */
  readonly newId: () => string;
}

const LONGEST_QUEUE = 20;
const TICK_MS = 1000;
/** Settings read so long ago are shown again without asking the unit. */
const FRESH_MS = 5000;

/**
 * The guard in front of every inverter: rules, journal, write budget, leases, one change at a time. Every attempt ends in
 * exactly one outcome, and every outcome is in the journal.
 */
export class ControlService implements ControlPort, AsyncDisposable {
  readonly #options: ControlServiceOptions;
  readonly #byName: ReadonlyMap<string, Setting>;
  readonly #life = new AbortController();
  readonly #turns = new Map<string, Turns>();
  /** By inverter and setting: the change that was asked for last. */
  readonly #latest = new Map<string, Pending>();
  readonly #unsent: UnsentLog;
  readonly #leaseKeeper: LeaseKeeper;
  readonly #reads = new Map<string, { readonly at: number; readonly states: Promise<readonly SettingState[]> }>();
  /** What is to be waited for at the end. */
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: ControlServiceOptions) {
    this.#options = options;
    this.#byName = new Map(options.settings.map((setting) => [setting.info.name, setting]));
    this.#unsent = new UnsentLog(options);
    this.#leaseKeeper = new LeaseKeeper({
      ...options,
      isOnline: (inverter) => this.#unit(inverter)?.isOnline === true,
      change: (change) => this.change(change, { signal: this.#life.signal }),
    });
  }

  /**
   * Rejects only with the signal's reason, before anything was sent, and when the program ends meanwhile. `setting`: one
   * that is not in the catalogue.
   */
  async change(change: SettingChange, { signal, onReadBack }: ChangeHow, setting?: Setting): Promise<Outcome> {
    return await this.#change(meantBy(change, this.#byName.get(change.setting)), signal, { setting, onReadBack });
  }

  /** Journals an attempt that is refused for a reason of its own. */
  async refuse(change: SettingChange, reason: string): Promise<Outcome> {
    return await this.#refuse(change, reason);
  }

  /**
   * Gives the setting that was changed last its former value back, unless it has been changed since. Throws RefusedError
   * `nothing-to-undo`.
   */
  async undo(
    inverter: string,
    { actor, confirm, signal }: { readonly actor: Actor; readonly confirm?: string | undefined; readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const step = this.#options.journal.ledger.lastStep(inverter);
    if (step === undefined) throw new RefusedError("nothing-to-undo", `${inverter}: expected a change to undo, found none in the journal`);
    const { setting, value } = step.change;
    if (step.before === undefined)
      throw new RefusedError("nothing-to-undo", `${inverter}: the value of ${setting} before its last change is not known`);
    const unit = this.#unit(inverter);
    const doubt = unit && doubtOf(step.who, unit);
    if (doubt !== undefined) throw new RefusedError("nothing-to-undo", `${inverter}: the last change was ${doubt.reason}`);
    const name = actor.name ?? actor.via;
    const change: SettingChange = {
      id: this.#options.newId(),
      inverter,
      setting,
      value: step.before,
      actor: { via: "undo", name },
      ...(confirm !== undefined && { confirm }),
    };
    return await this.#change(change, signal, { expected: value });
  }

  /** Every setting, read anew; `latest`: as known, and asked only where nothing is. Throws RefusedError `inverter-unknown`. */
  async settings(inverter: string, { signal, latest = false }: ReadHow): Promise<readonly SettingState[]> {
    signal.throwIfAborted();
    const unit = this.#unit(inverter);
    if (unit === undefined) throw new RefusedError("inverter-unknown", this.#unknownInverter(inverter));
    const { clock, settings } = this.#options;
    if (latest) return await unit.control.read(settings, { signal, latest });
    const known = this.#reads.get(inverter);
    if (known !== undefined && clock.monotonic() - known.at < FRESH_MS) return await known.states;
    // Not with the signal of one of those who may come to wait for it.
    const states = this.#track(unit.control.read(settings, { signal: this.#life.signal }));
    const read = { at: clock.monotonic(), states };
    this.#reads.set(inverter, read);
    try {
      return await states;
    } catch (error) {
      if (this.#reads.get(inverter) === read) this.#reads.delete(inverter);
      throw error;
    }
  }

  /** One setting as it stands now. Throws RefusedError for what does not exist. */
  async setting(inverter: string, name: string, { signal }: { readonly signal: AbortSignal }): Promise<SettingState> {
    const unit = this.#unit(inverter);
    if (unit === undefined) throw new RefusedError("inverter-unknown", this.#unknownInverter(inverter));
    const setting = this.#byName.get(name);
    if (setting === undefined) throw new RefusedError("setting-unknown", unknownSetting(name));
    const [state] = await unit.control.read([setting], { signal });
    return state ?? { info: setting.info };
  }

  get inverters(): readonly string[] {
    return this.#options.units().map(({ id }) => id);
  }

  /** True for the name of a setting of the catalogue. */
  knows(setting: string): boolean {
    return this.#byName.has(setting);
  }

  /** What is known of an inverter's make; absent for one that is not known. */
  makeOf(inverter: string): UnitMake | undefined {
    return this.#unit(inverter)?.control.make;
  }

  /** Everything that decisions about its settings rest on, read anew. Throws RefusedError `inverter-unknown`. */
  async factsOf(inverter: string, names: readonly string[], { signal }: { readonly signal: AbortSignal }): Promise<UnitFacts> {
    const unit = this.#unit(inverter);
    if (unit === undefined) throw new RefusedError("inverter-unknown", this.#unknownInverter(inverter));
    return await unit.control.facts(
      this.#options.settings.filter(({ info }) => names.includes(info.name)),
      { signal },
    );
  }

  rulesOf(inverter: string): ControlRules {
    return this.#options.rules(inverter);
  }

  get leases(): readonly LeaseState[] {
    const { ledger } = this.#options.journal;
    return ledger.leases.map((lease) => {
      const { id, inverter, setting, value, next, until, since, actor, trouble } = lease;
      const overdue = ledger.isDue(lease);
      return { id, inverter, setting, value, next, until, since, actor, overdue, ...(trouble !== undefined && { trouble }) };
    });
  }

  /** Gives a lease up: what is set stays. Throws RefusedError `lease-unknown`. */
  async endLease(id: string, actor: Actor): Promise<Lease> {
    const { journal, logger } = this.#options;
    const lease = journal.ledger.leaseOf(id);
    if (lease === undefined) throw new RefusedError("lease-unknown", `expected the id of a lease, got ${JSON.stringify(id)}`);
    const { inverter, setting } = lease;
    await journal.add({ kind: "leaseEnd", lease: id, inverter, setting, actor });
    logger.info(`${inverter}: the lease of ${setting} was given up; it stays as it is`);
    return lease;
  }

  /** Of every setting that was written within a day. */
  budget(inverter?: string): readonly BudgetState[] {
    const { budget } = this.#options.journal.ledger;
    return budget
      .places()
      .filter((place) => inverter === undefined || place.inverter === inverter)
      .map((place) => ({ ...place, ...budget.used(place), ...this.#options.rules(place.inverter).budget }));
  }

  /** Why the journal cannot be written; absent while it can. */
  get journalTrouble(): JournalTrouble | undefined {
    return this.#options.journal.trouble;
  }

  readonly page = async (query: PageQuery): Promise<JournalEntry[]> => await this.#options.journal.page(query);

  /** Finds out what became of changes that a crash cut short, and ends leases in time; until the signal fires. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, units, journal } = this.#options;
    const stop = AbortSignal.any([signal, this.#life.signal]);
    while (!stop.aborted) {
      for (const unit of units().filter(({ isOnline }) => isOnline)) {
        const turns = this.#turnsOf(unit.id);
        if (turns.size === 0 && journal.mayRetry && journal.ledger.openOf(unit.id).length > 0)
          this.#background(turns.take(() => this.#recover(unit)));
      }
      for (const revert of this.#leaseKeeper.due()) this.#background(revert);
      await this.#unsent.flush();
      try {
        await clock.sleep(TICK_MS, { signal: stop });
      } catch (error) {
        if (!stop.aborted) throw error;
      }
    }
  }

  /** Stops what is under way; what was sent already is found out at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new Error("sonkrag is ending"));
    await Promise.allSettled(this.#running);
    await this.#unsent.flush(true);
    await this.#options.journal[Symbol.asyncDispose]();
  }

  async #change(
    change: SettingChange,
    signal: AbortSignal,
    { expected, onReadBack, setting = this.#byName.get(change.setting) }: Details,
  ): Promise<Outcome> {
    signal.throwIfAborted();
    this.#life.signal.throwIfAborted();
    const { clock, rules } = this.#options;
    const before = await this.#doneBefore(change);
    if (before !== undefined) return before;
    const meant = this.#unit(change.inverter);
    if (meant === undefined) return await this.#refuse(change, this.#unknownInverter(change.inverter));
    if (setting === undefined) return await this.#refuse(change, unknownSetting(change.setting), "notSupported");
    const reason = objection(change, setting.info, rules(change.inverter), clock);
    if (reason !== undefined) return await this.#refuse(change, reason);

    const key = wishOf(change);
    const place = JSON.stringify([change.inverter, change.setting]);
    const latest = this.#latest.get(place);
    if (latest?.key === key && expected === undefined) {
      latest.more++;
      return { ...(await this.#wait(latest, signal)), change };
    }
    const turns = this.#turnsOf(change.inverter);
    if (turns.size >= LONGEST_QUEUE && change.actor.via !== "lease")
      return await this.#refuse(change, `${turns.size} changes of ${change.inverter} are waiting already`);
    const pending: Pending = {
      key,
      who: whoIs(meant),
      waiting: 0,
      more: 0,
      onReadBack,
      // The first `await` inside comes after `pending` is complete.
      outcome: this.#track(turns.take(() => this.#perform(change, setting, pending, expected))),
    };
    this.#latest.set(place, pending);
    const forget = (): void => {
      if (this.#latest.get(place) === pending) this.#latest.delete(place);
    };
    pending.outcome.then(forget, forget);
    return await this.#wait(pending, signal);
  }

  /** The outcome of a change whose id was used before; absent for a new one. */
  async #doneBefore(change: SettingChange): Promise<Outcome | undefined> {
    const before = this.#options.journal.ledger.outcomeOf(change.id);
    if (before === undefined || wishOf(before.change) === wishOf(change)) return before;
    return await this.#refuse(change, `the id ${JSON.stringify(change.id)} belongs to another change`);
  }

  /** Who goes away does not end the change, unless it has not begun and nobody else waits for it. */
  async #wait(pending: Pending, signal: AbortSignal): Promise<Outcome> {
    pending.waiting++;
    let onAbort: (() => void) | undefined;
    const gone = new Promise<never>((_, reject) => {
      onAbort = () => {
        pending.waiting--;
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      };
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([pending.outcome, gone]);
    } finally {
      if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    }
  }

  async #perform(change: SettingChange, setting: Setting, pending: Pending, expected: SettingValue | undefined): Promise<Outcome> {
    this.#life.signal.throwIfAborted();
    const unit = this.#unit(change.inverter);
    if (unit === undefined || isAnother(pending.who, unit))
      return await this.#refuse(change, unit ? `another unit is in the place of ${unit.id} now` : this.#unknownInverter(change.inverter));
    await this.#recover(unit);
    if (!unit.isOnline) return await this.#refuse(change, `${unit.id} does not answer at the moment; nothing was sent`);
    if (pending.waiting === 0) throw new Error("nobody waits for the change any more");
    const before = await this.#doneBefore(change);
    if (before !== undefined) return before;
    const { ledger } = this.#options.journal;
    const lease = change.actor.via === "lease" ? ledger.leaseOf(change.actor.name ?? "") : undefined;
    if (change.actor.via === "lease" && lease === undefined) return await this.#refuse(change, leaseIsOver);
    const outcome = await attempt(change, {
      setting,
      unit,
      expected,
      ...this.#options,
      signal: this.#life.signal,
      onReadBack: () => pending.onReadBack?.(),
    });
    const told = await this.#tell(outcome, pending.more);
    if (lease !== undefined) await this.#leaseKeeper.heed(lease, outcome, setting);
    return told;
  }

  /** Finds out, in the inverter's turn, what became of changes that were cut short. */
  async #recover(unit: ControlUnit): Promise<void> {
    const { journal, clock } = this.#options;
    for (const intents of journal.ledger.openOf(unit.id)) {
      const setting = this.#byName.get(intents[0]?.change.setting ?? "");
      const outcome = await findOut(intents, setting, unit, { clock, signal: this.#life.signal });
      if (outcome !== undefined) await this.#tell(outcome, 0, true);
    }
  }

  async #refuse(change: SettingChange, reason: string, kind: "refused" | "notSupported" = "refused"): Promise<Outcome> {
    const outcome = refusal(change, reason, this.#options.clock.now(), kind);
    // How the end of a lease went is what its state shows.
    await (change.actor.via === "lease" ? this.#tell(outcome, 0) : this.#unsent.add(outcome));
    return outcome;
  }

  /** Puts the outcome into the journal and the log; one that was `foundOut` only into both, for it is tried again and again. */
  async #tell(outcome: Outcome, more: number, foundOut = false): Promise<Outcome> {
    const { journal, clock, logger } = this.#options;
    const { change, kind, reason, before } = outcome;
    this.#reads.delete(change.inverter);
    // What was announced in the journal has its end there too.
    const isAnnounced = journal.ledger.isOpen(change.id);
    const isMinor =
      !isAnnounced && outcome.written.length === 0 && (kind === "unchanged" || outcome.by === "us") && change.actor.via !== "lease";
    if (isMinor && change.until === undefined && journal.ledger.reserved(change.inverter, change.setting) === 0) {
      await this.#unsent.add(outcome);
      return outcome;
    }
    const from = before === undefined ? "" : ` (before: ${settingText(before)})`;
    const lease = change.until === undefined ? "" : `, for a time, then ${settingText(change.until.next)}`;
    const line = `${change.inverter}: ${change.setting} = ${settingText(change.value)}${from}${lease}, by ${actorText(change.actor)}: ${kind}. ${reason}`;
    const level = kind === "applied" || kind === "unchanged" ? "info" : "warn";
    if (!foundOut) logger[level](line);
    try {
      await journal.add({ kind: "outcome", outcome, ...(more > 0 && { more }) });
      if (foundOut) logger[level](line);
    } catch (error) {
      if (!(error instanceof SinkError)) throw error;
      // A lease that is nowhere would be forgotten by a crash.
      if (change.until !== undefined && kind === "unchanged")
        return refusal(change, `the lease cannot be kept: ${error.message}`, clock.now());
    }
    return outcome;
  }

  #unit(inverter: string): ControlUnit | undefined {
    return this.#options.units().find(({ id }) => id === inverter);
  }

  #unknownInverter(inverter: string): string {
    return `expected the id of an inverter (${this.inverters.join(", ") || "none is known yet"}), got ${JSON.stringify(inverter)}`;
  }

  #turnsOf(inverter: string): Turns {
    let turns = this.#turns.get(inverter);
    if (turns === undefined) this.#turns.set(inverter, (turns = new Turns()));
    return turns;
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const forget = (): void => void this.#running.delete(work);
    void work.then(forget, forget);
    this.#running.add(work);
    return work;
  }

  /** What nobody waits for; only the end of the program may cut it short. */
  #background(work: Promise<unknown>): void {
    const told = work.catch((error: unknown) => {
      if (!this.#life.signal.aborted) this.#options.logger.error(`A mistake in sonkrag itself: ${stackOf(error)}`);
    });
    void this.#track(told).catch(() => undefined);
  }
}
