import type { Clock } from "./clock.ts";
import type { OpenTransport, Transport, Wire } from "./transport.ts";

/** What crosses the seam between a line and its medium; `at` is monotonic ms. */
export type TrafficEvent =
  | { readonly kind: "sent" | "received"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "opened"; readonly at: number; readonly wire: Wire }
  | { readonly kind: "closed"; readonly at: number };

/** Opens the same medium and tells of every byte that crosses, as late as it was seen. What listens must neither wait nor throw. */
export function tapped(open: OpenTransport, clock: Clock, onTraffic: (event: TrafficEvent) => void): OpenTransport {
  return async (options) => {
    const transport = await open(options);
    onTraffic({ kind: "opened", at: clock.monotonic(), wire: transport.wire });
    return new Tapped(transport, clock, onTraffic);
  };
}

class Tapped implements Transport {
  readonly address: string;
  readonly wire: Wire;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #onTraffic: (event: TrafficEvent) => void;

  constructor(transport: Transport, clock: Clock, onTraffic: (event: TrafficEvent) => void) {
    this.address = transport.address;
    this.wire = transport.wire;
    this.#transport = transport;
    this.#clock = clock;
    this.#onTraffic = onTraffic;
  }

  take(): Uint8Array {
    const bytes = this.#transport.take();
    // A medium may use its buffer again.
    if (bytes.length > 0) this.#onTraffic({ kind: "received", at: this.#clock.monotonic(), bytes: bytes.slice() });
    return bytes;
  }

  write(bytes: Uint8Array, options: { readonly signal: AbortSignal }): Promise<void> {
    this.#onTraffic({ kind: "sent", at: this.#clock.monotonic(), bytes: bytes.slice() });
    return this.#transport.write(bytes, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#onTraffic({ kind: "closed", at: this.#clock.monotonic() });
    await this.#transport[Symbol.asyncDispose]();
  }
}
