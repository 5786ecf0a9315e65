/** A source of chance that gives the same sequence for the same seed and stream name on every machine (sfc32). */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spare: number | undefined;

  /** `stream` keeps the parts of a simulation apart: one more draw in one of them moves nothing in another. */
  constructor(seed: number, stream: string) {
    let hash = 0x811c9dc5 ^ (seed >>> 0);
    hash = Math.imul(hash, 0x01000193) ^ Math.floor(seed / 0x1_0000_0000);
    for (let i = 0; i < stream.length; i += 1) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
    this.#a = hash | 0;
    this.#b = Math.imul(hash ^ 0x9e3779b9, 0x85ebca6b);
    this.#c = Math.imul(hash ^ 0x243f6a88, 0xc2b2ae35);
    // The first results still show the seed's pattern.
    for (let i = 0; i < 15; i += 1) this.next();
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number from 0 up to, but not, `below`. */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Mean 0, deviation 1. */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** A quantity that wanders about 0 with deviation 1 and forgets where it was after about `memorySeconds`. */
export class Wander {
  readonly #random: Random;
  readonly #memorySeconds: number;
  #value: number;

  constructor(random: Random, memorySeconds: number) {
    this.#random = random;
    this.#memorySeconds = memorySeconds;
    this.#value = random.normal();
  }

  /** The value `seconds` later; exact for any step. */
  step(seconds: number): number {
    const kept = Math.exp(-seconds / this.#memorySeconds);
    this.#value = this.#value * kept + Math.sqrt(1 - kept * kept) * this.#random.normal();
    return this.#value;
  }
}
