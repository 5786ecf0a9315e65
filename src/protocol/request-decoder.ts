import { matchChecksum } from "./crc.ts";
import { latin1 } from "./frame.ts";

/** What a program sent to a unit: a command whose checksum is right, or bytes that are none. */
export type Received = { readonly kind: "command"; readonly command: string } | { readonly kind: "garbage"; readonly raw: Uint8Array };

const CR = 0x0d;
const LF = 0x0a;
/** The longest command has 120 characters; then come the checksum and CR. */
const MAX_REQUEST = 123;
/** One character, two checksum bytes, CR. */
const MIN_REQUEST = 4;

/**
 * Cuts a byte stream into requests, as the processor of a unit does, however it is chunked. Padding (zero bytes of 8-byte
 * HID reports, LF) and a CR alone are nobody's request; a checksum is right under either habit, as on most units.
 */
export class RequestDecoder {
  readonly #buffer = new Uint8Array(MAX_REQUEST);
  #length = 0;
  #isTooLong = false;

  /** True while a request has begun and not ended. */
  get open(): boolean {
    return this.#length > 0;
  }

  push(chunk: Uint8Array): Received[] {
    const out: Received[] = [];
    for (const byte of chunk) {
      if (byte === CR) {
        if (this.#length > 0) out.push(this.#finish());
      } else if (this.#length === MAX_REQUEST) this.#isTooLong = true;
      else if (this.#length > 0 || (byte !== 0 && byte !== LF)) this.#buffer[this.#length++] = byte;
    }
    return out;
  }

  /** Gives up what is half received, when the sender has been silent too long for the rest to come. */
  reset(): void {
    this.#length = 0;
    this.#isTooLong = false;
  }

  #finish(): Received {
    const raw = Uint8Array.of(...this.#buffer.subarray(0, this.#length), CR);
    const isWhole = !this.#isTooLong && raw.length >= MIN_REQUEST;
    this.reset();
    const end = raw.length - 3;
    if (!isWhole || matchChecksum(raw, 0, end, raw[end]!, raw[end + 1]!) === undefined) return { kind: "garbage", raw };
    return { kind: "command", command: latin1(raw, 0, end) };
  }
}
