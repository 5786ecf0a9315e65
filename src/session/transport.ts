/**
 * The seam between a live line and its medium. Report size, padding, termios and sockets end on the far side of it;
 * what crosses it is the plain byte stream of the protocol.
 */
export interface Transport extends AsyncDisposable {
  /** The device URL that was opened, e.g. `hidraw:/dev/hidraw0`. */
  readonly address: string;
  readonly wire: Wire;
  /**
   * Hands over every byte that has arrived since the last call, without waiting; empty when there is none.
   * Padding of the medium may be in it (zero bytes around frames).
   * Throws TransportError `transport-lost` once the medium is gone.
   */
  take(): Uint8Array;
  /** Resolves when the medium has accepted all bytes. Rejects with TransportError `transport-write` or `transport-lost`. */
  write(bytes: Uint8Array, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** What is known of the slowest wire between us and the inverter; it decides how early an answer can be true. */
export interface Wire {
  /** Milliseconds one byte takes at the nominal speed; 10 bits at 2400 baud = 4.1667. */
  readonly byteMs: number;
  /** True when the wire is physically there and cannot be faster (real serial, USB-HID bridge); false when it must be measured (pty, TCP). */
  readonly certain: boolean;
  /** Bytes that arrive together at the earliest: 8 behind USB-HID, whose first report of an answer waits for 8 bytes; else 1. */
  readonly chunkBytes: number;
}

/** The wire of every PI30 unit: 2400 baud, 8N1. */
export const nominalBaud = 2400;

export function wireOf(baud: number, certain: boolean, chunkBytes = 1): Wire {
  return { byteMs: 10_000 / baud, certain, chunkBytes };
}

/** Opens the medium anew; called again for every reconnect, and looks the device up again each time. */
export type OpenTransport = (options: { readonly signal: AbortSignal }) => Promise<Transport>;
