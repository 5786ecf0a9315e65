import type { LinkStatus } from "../model/reading.ts";
import type { Clock } from "../session/clock.ts";
import type { TrafficEvent } from "../session/traffic.ts";
import type { Wire } from "../session/transport.ts";

/** How long traffic is kept, ms; findings are about this time. */
const keepMs = 5 * 60_000;
/** Bounds for a line without pace, which can carry megabytes in that time. */
const keepBytes = 262_144;
const keepEvents = 16_384;
const keepStatuses = 100;

/** Remembers the last minutes of one link: what crossed it, and its states. Bounded in time and size. */
export class LinkRecorder {
  readonly #clock: Clock;
  readonly #events: TrafficEvent[] = [];
  #bytes = 0;
  #wire: Wire | undefined;
  readonly #statuses: LinkStatus[] = [];
  readonly #listeners = new Set<(event: TrafficEvent) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be given to `tapped`. */
  readonly traffic = (event: TrafficEvent): void => {
    if (event.kind === "opened") this.#wire = event.wire;
    if (event.kind === "closed") this.#wire = undefined;
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    this.#forget(event.at);
    for (const listener of this.#listeners) listener(event);
  };

  readonly status = (status: LinkStatus): void => {
    this.#statuses.push(status);
    if (this.#statuses.length > keepStatuses) this.#statuses.shift();
  };

  /** The wire of the open port; absent while none is open. */
  get wire(): Wire | undefined {
    return this.#wire;
  }

  /** The traffic of the last minutes, oldest first. */
  get recent(): readonly TrafficEvent[] {
    this.#forget(this.#clock.monotonic());
    return [...this.#events];
  }

  /** The latest states, oldest first. */
  get statuses(): readonly LinkStatus[] {
    return [...this.#statuses];
  }

  /** Tells of everything that crosses from now on, until the returned function is called. The listener must neither wait nor throw. */
  listen(listener: (event: TrafficEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #forget(now: number): void {
    for (;;) {
      const oldest = this.#events[0];
      if (oldest === undefined) return;
      if (oldest.at >= now - keepMs && this.#bytes <= keepBytes && this.#events.length <= keepEvents) return;
      this.#events.shift();
      this.#bytes -= sizeOf(oldest);
    }
  }
}

function sizeOf(event: TrafficEvent): number {
  return "bytes" in event ? event.bytes.length : 0;
}
