import type { TrafficEvent } from "./traffic.ts";

/** A reply of so many bytes of which no more came at once than this was passed on as it came. */
const LONG_BYTES = 64;
const PIECE_BYTES = 16;

/**
 * Whether what is between us and the unit may collect a reply before it hands it over. Of a wire that is physically there
 * it is known that it does not; of any other it is assumed until a long reply has come in small pieces.
 */
export class HandOver {
  #mayHoldBack = false;
  #bytes = 0;
  #largestPiece = 0;

  get mayHoldBack(): boolean {
    return this.#mayHoldBack;
  }

  note(event: TrafficEvent): void {
    if (event.kind === "opened") this.#mayHoldBack = !event.wire.certain;
    else if (event.kind === "received") {
      this.#bytes += event.bytes.length;
      this.#largestPiece = Math.max(this.#largestPiece, event.bytes.length);
      if (this.#bytes >= LONG_BYTES && this.#largestPiece <= PIECE_BYTES) this.#mayHoldBack = false;
    } else {
      this.#bytes = 0;
      this.#largestPiece = 0;
    }
  }
}
