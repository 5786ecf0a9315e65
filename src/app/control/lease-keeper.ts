import type { Outcome, SettingChange } from "../../model/control.ts";
import { SinkError } from "../../model/errors.ts";
import type { Logger } from "../../model/logger.ts";
import { holds, type Setting } from "../../protocol/setting.ts";
import type { Clock } from "../../session/clock.ts";
import type { Journal } from "./journal.ts";
import type { HeldLease } from "./ledger.ts";

const FIRST_RETRY_MS = 15_000;
const LONGEST_RETRY_MS = 3_600_000;

export interface LeaseKeeperOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly isOnline: (inverter: string) => boolean;
  readonly change: (change: SettingChange) => Promise<Outcome>;
}

/** Ends leases when their time has come, at once where the inverter answers, and tries again with growing pauses. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  /** By lease: when its end may be tried again, on the monotonic clock, and the pause behind that. */
  readonly #retries = new Map<string, { at: number; pauseMs: number; busy: boolean }>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Begins to end every lease that is due. */
  due(): Promise<void>[] {
    const { ledger } = this.#options.journal;
    for (const id of this.#retries.keys()) if (!ledger.leases.some((lease) => lease.id === id)) this.#retries.delete(id);
    return ledger.leases.filter((lease) => ledger.isDue(lease)).map((lease) => this.#end(lease));
  }

  /**
   * Gives way where the end of a lease found neither its value nor the one that follows: somebody has set another one elsewhere,
   * such as at the unit's panel, and that is the newer wish.
   */
  async heed({ id, inverter, isSet, value }: HeldLease, { kind, by, before }: Outcome, setting: Setting): Promise<void> {
    const { journal, logger } = this.#options;
    const isReplaced = isSet && kind === "refused" && by === "us" && before !== undefined && !holds(setting, value, before);
    if (!isReplaced || journal.ledger.leaseOf(id) === undefined) return;
    const { name } = setting.info;
    try {
      await journal.add({ kind: "leaseEnd", lease: id, inverter, setting: name, actor: { via: "lease", name: id } });
      logger.warn(`${inverter}: ${name} was changed elsewhere while it was leased; it stays as it is, and the lease is over`);
    } catch (error) {
      // The journal has told of it.
      if (!(error instanceof SinkError)) throw error;
    }
  }

  async #end({ id, inverter, setting, next, confirm }: HeldLease): Promise<void> {
    const { clock, newId, isOnline, change } = this.#options;
    const retry = this.#retries.get(id) ?? { at: Number.NEGATIVE_INFINITY, pauseMs: FIRST_RETRY_MS, busy: false };
    this.#retries.set(id, retry);
    if (retry.busy) return;
    if (!isOnline(inverter)) {
      // What went wrong before may be over when it is back.
      Object.assign(retry, { at: Number.NEGATIVE_INFINITY, pauseMs: FIRST_RETRY_MS });
      return;
    }
    if (clock.monotonic() < retry.at) return;
    retry.busy = true;
    try {
      await change({
        id: newId(),
        inverter,
        setting,
        value: next,
        actor: { via: "lease", name: id },
        ...(confirm !== undefined && { confirm }),
      });
    } finally {
      retry.busy = false;
      retry.at = clock.monotonic() + retry.pauseMs;
      retry.pauseMs = Math.min(LONGEST_RETRY_MS, retry.pauseMs * 2);
    }
  }
}
