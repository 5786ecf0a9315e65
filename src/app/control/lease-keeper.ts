import type { Outcome, SettingChange } from "../../model/control.ts";
import type { Clock } from "../../session/clock.ts";
import type { Journal } from "./journal.ts";
import type { HeldLease } from "./ledger.ts";

const FIRST_RETRY_MS = 15_000;
const LONGEST_RETRY_MS = 3_600_000;

export interface LeaseKeeperOptions {
  readonly journal: Journal;
  readonly clock: Clock;
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

  async #end({ id, inverter, setting, next, confirm }: HeldLease): Promise<void> {
    const { clock, newId, isOnline, change } = this.#options;
    const retry = this.#retries.get(id) ?? { at: Number.NEGATIVE_INFINITY, pauseMs: FIRST_RETRY_MS, busy: false };
    this.#retries.set(id, retry);
    if (retry.busy || clock.monotonic() < retry.at || !isOnline(inverter)) return;
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
