import type { SimLine } from "../sim/transport.ts";

/** Bytes within a reply may go out this much late, ms, so that not every one of them needs a wake-up; the last one may not. */
const batchMs = 12;
/** A timer can be this late, ms; the rest of the way to an exact moment is spent looking at the clock. */
const timerSlackMs = 2.6;

/** Carries a simulated line's bytes to its clients in real time: never early, and the last byte of a reply on time. */
export class LinePump {
  readonly #line: SimLine;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #lost: () => void;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #closed = false;

  /** `lost` is called when a fault has taken the line away; then the pump rests until `reconnect`. */
  constructor(line: SimLine, { send, lost }: { readonly send: (bytes: Uint8Array) => void; readonly lost: () => void }) {
    this.#line = line;
    this.#send = send;
    this.#lost = lost;
  }

  /** Bytes from a client, on their way to the unit from now on. */
  feed(bytes: Uint8Array): void {
    this.#line.wire.write(bytes, this.#line.clock.monotonic());
    this.#pump();
  }

  /** Plugs the line in, at first and after it was lost. */
  connect(): void {
    this.#line.wire.reconnect(this.#line.clock.monotonic());
    this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#rest();
  }

  readonly #pump = (): void => {
    this.#rest();
    if (this.#closed) return;
    const { wire, clock } = this.#line;
    const now = clock.monotonic();
    if (wire.isLost(now)) {
      this.#lost();
      return;
    }
    const bytes = wire.take(now);
    if (bytes.length > 0) this.#send(bytes);
    const next = wire.nextEvent(now);
    if (next === undefined) return;
    const last = wire.lastByteDue();
    if (last !== undefined && last <= now + batchMs) this.#wakeExactlyAt(last);
    else this.#wakeAfter(Math.max(next, last === undefined ? next : now + batchMs) - now);
  };

  #wakeAfter(ms: number): void {
    // A delay beyond a day would overflow the timer; waking once too often does no harm.
    this.#timer = setTimeout(this.#pump, Math.min(ms, 86_400_000));
  }

  #wakeExactlyAt(moment: number): void {
    const left = moment - this.#line.clock.monotonic();
    if (left <= 0) this.#immediate = setImmediate(this.#pump);
    else if (left > timerSlackMs) this.#timer = setTimeout(() => this.#wakeExactlyAt(moment), left - timerSlackMs);
    else this.#immediate = setImmediate(() => this.#wakeExactlyAt(moment));
  }

  #rest(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }
}
