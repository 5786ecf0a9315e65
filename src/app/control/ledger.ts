import type { Outcome, SettingChange } from "../../model/control.ts";
import type { IntentEntry, JournalEntry, Lease } from "../../model/journal.ts";
import type { SettingValue } from "../../model/setting.ts";
import type { Clock } from "../../session/clock.ts";
import { WriteBudget } from "./budget.ts";
import { whoIs, type Who } from "./control-unit.ts";
import type { ProvenTime } from "./proven-time.ts";

/** Outcomes that are remembered, so that a change asked twice under one id is done once. */
const REMEMBERED_OUTCOMES = 2000;
const REMEMBERED_STEPS = 100;

/** A lease, and when it ends on the clock that never jumps. */
interface Running {
  readonly lease: Lease;
  readonly confirm?: string;
  readonly dueAt: number;
  /** A duration knows only the monotonic clock; a time of day whichever comes first. */
  readonly isDuration: boolean;
  readonly who: Who | undefined;
  /** True when it was read back that its value holds. */
  isSet: boolean;
  trouble?: string;
}

export interface HeldLease extends Lease {
  /** Word that was given for the change; it stands for its end too. */
  readonly confirm?: string;
  /** True when it was read back that its value holds: another one is somebody's newer wish. */
  readonly isSet: boolean;
  /** The unit it is of; absent where nothing was sent for it. */
  readonly who: Who | undefined;
  readonly trouble?: string;
}

/** A change that was read back as wanted and can be undone. */
export interface Step {
  readonly change: SettingChange;
  readonly before: SettingValue | undefined;
  /** The unit that was changed. */
  readonly who: Who | undefined;
}

/** What follows from the journal: open changes, leases, writes that count, and what can be undone. A fold over its entries, nothing else. */
export class Ledger {
  readonly budget: WriteBudget;
  readonly #clock: Clock;
  readonly #open = new Map<string, IntentEntry[]>();
  readonly #leases = new Map<string, Running>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #steps = new Map<string, Step[]>();

  constructor({ clock, time }: { readonly clock: Clock; readonly time: ProvenTime }) {
    this.#clock = clock;
    this.budget = new WriteBudget({ time });
  }

  apply(entry: JournalEntry): void {
    if (entry.kind === "intent") this.#begun(entry);
    else if (entry.kind === "outcome") this.#ended(entry.outcome, entry.at);
    else this.#leases.delete(entry.lease);
  }

  /** Changes that were begun and whose end is not known, oldest first; each with its commands. */
  openOf(inverter: string): readonly (readonly IntentEntry[])[] {
    return [...this.#open.values()].filter(([intent]) => intent?.change.inverter === inverter);
  }

  /** True while the end of a change that was begun is not known. */
  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  outcomeOf(id: string): Outcome | undefined {
    return this.#outcomes.get(id);
  }

  /** The last change of an inverter that can be undone. */
  lastStep(inverter: string): Step | undefined {
    return this.#steps.get(inverter)?.at(-1);
  }

  get leases(): readonly HeldLease[] {
    return Array.from(this.#leases.values(), ({ lease, confirm, isSet, who, trouble }) => ({
      ...lease,
      isSet,
      who,
      ...(confirm !== undefined && { confirm }),
      ...(trouble !== undefined && { trouble }),
    }));
  }

  leaseOf(id: string): HeldLease | undefined {
    return this.leases.find((lease) => lease.id === id);
  }

  isDue(lease: Lease): boolean {
    const running = this.#leases.get(lease.id);
    if (running === undefined) return false;
    return this.#clock.monotonic() >= running.dueAt || (!running.isDuration && this.#clock.now() >= lease.until);
  }

  /** Writes that leases of a setting will still need. */
  reserved(inverter: string, setting: string): number {
    return this.leases.filter((lease) => lease.inverter === inverter && lease.setting === setting).length;
  }

  #begun(intent: IntentEntry): void {
    const { change } = intent;
    const known = this.#open.get(change.id);
    if (known === undefined) this.#open.set(change.id, [intent]);
    else known.push(intent);
    this.budget.spend(change);
    if (known === undefined) this.#lease(change, intent.at, intent);
  }

  #ended(outcome: Outcome, at: number): void {
    const { change, kind } = outcome;
    for (const { answer } of outcome.written) if (answer === "nak") this.budget.giveBack(change);
    // What was announced and then not sent.
    if (kind === "refused" && outcome.by === "us") for (const _ of this.#open.get(change.id) ?? []) this.budget.giveBack(change);
    const who = this.#open.get(change.id)?.[0];
    this.#open.delete(change.id);
    this.#outcomes.set(change.id, outcome);
    if (this.#outcomes.size > REMEMBERED_OUTCOMES) this.#outcomes.delete(this.#outcomes.keys().next().value!);
    if (kind === "refused" || kind === "notSupported") this.#leases.delete(change.id);
    if (change.actor.via === "lease") this.#reverted(outcome);
    else if (kind === "applied" || kind === "unchanged") {
      // What somebody wants now counts more than what was to come later.
      for (const { lease } of this.#leases.values())
        if (lease.id !== change.id && lease.inverter === change.inverter && lease.setting === change.setting) this.#leases.delete(lease.id);
      if (!this.#leases.has(change.id)) this.#lease(change, at);
      const begun = this.#leases.get(change.id);
      if (begun !== undefined) begun.isSet = true;
    }
    if (kind === "applied") this.#step(outcome, who);
  }

  /** A revert is known by the id of its lease. */
  #reverted({ change, kind, reason }: Outcome): void {
    const id = change.actor.name ?? "";
    const running = this.#leases.get(id);
    if (kind === "applied" || kind === "unchanged") this.#leases.delete(id);
    else if (running !== undefined) running.trouble = reason;
  }

  #lease(change: SettingChange, at: number, who?: Who): void {
    const { until: term, id, inverter, setting, value, actor, confirm } = change;
    if (term === undefined) return;
    const until = "at" in term ? term.at : at + term.forMs;
    // A wall clock that jumps back must not make a lease longer than it was when it was given.
    const leftMs = Math.min(Math.max(0, until - this.#clock.now()), Math.max(0, until - at));
    this.#leases.set(id, {
      lease: { id, inverter, setting, value, next: term.next, until, since: at, actor },
      ...(confirm !== undefined && { confirm }),
      dueAt: this.#clock.monotonic() + leftMs,
      isDuration: "forMs" in term,
      isSet: false,
      who: who && whoIs(who),
    });
  }

  #step({ change, before }: Outcome, who: Who | undefined): void {
    const steps = this.#steps.get(change.inverter) ?? [];
    this.#steps.set(change.inverter, steps);
    if (change.actor.via === "undo") {
      if (steps.at(-1)?.change.setting === change.setting) steps.pop();
    } else if (change.actor.via === "lease") {
      const index = steps.findIndex((step) => step.change.id === change.actor.name);
      if (index >= 0) steps.splice(index, 1);
    } else {
      steps.push({ change, before, who: who && whoIs(who) });
      if (steps.length > REMEMBERED_STEPS) steps.shift();
    }
  }
}
