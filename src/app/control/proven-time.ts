import type { Clock } from "../../session/clock.ts";

/** One start of the machine, and how long ago it was: what no setting of the wall clock changes. */
export interface Boot {
  readonly id: string;
  upMs(): number;
}

/** When an entry was written. */
export interface Moment {
  /** UTC epoch ms. */
  readonly at: number;
  /** Which start of the machine it was, and how long (ms) it had been running; absent where the system does not tell. */
  readonly boot?: string;
  readonly upMs?: number;
}

/**
 * Time that has passed for certain, over restarts: within one run by the clock that never jumps, between runs by how long the
 * machine has been up. What passed while it was off is not proven and does not count. Where the system does not tell, the
 * wall clock has to do from entry to entry; it never goes back, so a clock that was far ahead once does not matter for ever.
 */
export class ProvenTime {
  readonly #clock: Clock;
  #ms = 0;
  #last: Moment | undefined;
  /** On the clock that never jumps; absent while earlier runs are read. */
  #since: number | undefined;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** Takes the next entry of an earlier run. */
  pass(moment: Moment): void {
    if (this.#last !== undefined) this.#ms += elapsedMs(this.#last, moment);
    this.#last = moment;
  }

  /** The present run begins. */
  begin(moment: Moment): void {
    this.pass(moment);
    this.#since = this.#clock.monotonic();
  }

  /** In ms from the first entry on. */
  get now(): number {
    return this.#ms + (this.#since === undefined ? 0 : this.#clock.monotonic() - this.#since);
  }
}

function elapsedMs(from: Moment, to: Moment): number {
  if (from.upMs === undefined || to.upMs === undefined) return Math.max(0, to.at - from.at);
  // A container may tell its own time under the boot of its host: what goes back has begun anew.
  return from.boot === to.boot && to.upMs >= from.upMs ? to.upMs - from.upMs : Math.max(0, to.upMs);
}
