import { ackFrame, nakFrame } from "./firmware.ts";
import { Random } from "./random.ts";

/**
 * What can go wrong with a reply, each as on a real line:
 * `corrupt` one bit of one payload byte flips · `truncated` the tail is lost, CR included · `dropped` nothing comes ·
 * `late` the reply comes after the asker has given up · `stale` an old reply to the same command comes first, the true
 * one right behind it · `nak` the unit refuses · `zeros` zero bytes in place of (a part of) the reply · `echo` the
 * request comes back before the reply · `hang` the unit says nothing for a while · `disconnect` the medium goes away.
 */
export const faultKinds = ["corrupt", "truncated", "dropped", "late", "stale", "nak", "zeros", "echo", "hang", "disconnect"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Share of replies that suffer each fault, 0 to 1; together at most 1, for a reply suffers one at most. */
export type FaultRates = Readonly<Partial<Record<FaultKind, number>>>;

/** Sent in one piece, `delayMs` after the request was understood. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly delayMs: number;
}

export interface Disturbed {
  readonly parts: readonly Part[];
  /** The medium goes away instead. */
  readonly disconnect: boolean;
}

export interface FaultTiming {
  /** How long a late reply is held back, ms: longer than anybody waits. */
  readonly lateMs: number;
  /** How long a hang lasts, ms. */
  readonly hangMs: number;
}

/** A stale reply is up to this many replies to the same command old. */
const memory = 4;

/** Disturbs replies at the given rates and counts what it did. */
export class FaultInjector {
  readonly injected: Record<FaultKind, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  readonly #rates: readonly (readonly [FaultKind, number])[];
  readonly #timing: FaultTiming;
  readonly #random: Random;
  readonly #earlier = new Map<string, Uint8Array[]>();
  #hangsUntil = Number.NEGATIVE_INFINITY;

  /** Throws RangeError when the rates are no shares of one whole. */
  constructor(rates: FaultRates, timing: FaultTiming, seed: number) {
    const sum = Object.values(rates).reduce((total, rate) => total + rate, 0);
    if (Object.values(rates).some((rate) => !(rate >= 0)) || !(sum <= 1 + 1e-9))
      throw new RangeError(`faults: expected rates from 0 that add up to at most 1, got ${JSON.stringify(rates)}`);
    this.#rates = faultKinds.map((kind) => [kind, rates[kind] ?? 0]);
    this.#timing = timing;
    this.#random = new Random(seed, "faults");
  }

  /** What becomes of the reply to this request; `at` is the line's own time in ms. */
  disturb(command: string, request: Uint8Array, reply: Uint8Array, at: number): Disturbed {
    if (at < this.#hangsUntil) return { parts: [], disconnect: false };
    const kind = this.#draw();
    const disturbed = kind && this.#inflict(kind, command, request, reply, at);
    this.#remember(command, reply);
    if (kind === undefined || disturbed === undefined) return { parts: [{ bytes: reply, delayMs: 0 }], disconnect: false };
    this.injected[kind] += 1;
    return { parts: disturbed, disconnect: kind === "disconnect" };
  }

  /** At most one fault a reply: the rates lie side by side from 0 on. */
  #draw(): FaultKind | undefined {
    let left = this.#random.next();
    for (const [kind, rate] of this.#rates) {
      if (left < rate) return kind;
      left -= rate;
    }
    return undefined;
  }

  /** Absent when the fault cannot befall this reply. */
  #inflict(kind: FaultKind, command: string, request: Uint8Array, reply: Uint8Array, at: number): readonly Part[] | undefined {
    const now = (bytes: Uint8Array): readonly Part[] => [{ bytes, delayMs: 0 }];
    switch (kind) {
      case "corrupt":
        return now(this.#corrupt(reply));
      case "truncated":
        return now(reply.slice(0, 1 + this.#random.integer(reply.length - 1)));
      case "dropped":
      case "disconnect":
        return [];
      case "late":
        return [{ bytes: reply, delayMs: this.#timing.lateMs }];
      case "stale": {
        const old = this.#earlier.get(command)?.[0];
        return old && now(joined(old, reply));
      }
      case "nak":
        // What was obeyed is never answered with a refusal.
        return sameBytes(reply, nakFrame) || sameBytes(reply, ackFrame) ? undefined : now(nakFrame);
      case "zeros":
        return now(this.#zeros(reply));
      case "echo":
        return now(joined(request, reply));
      case "hang":
        this.#hangsUntil = at + this.#timing.hangMs;
        return [];
    }
  }

  #corrupt(reply: Uint8Array): Uint8Array {
    const bytes = reply.slice();
    for (;;) {
      // Behind the "(" and before checksum and CR.
      const index = 1 + this.#random.integer(reply.length - 4);
      const flipped = (reply[index] ?? 0) ^ (1 << this.#random.integer(8));
      // A delimiter would make it another kind of damage, and so would a zero.
      if (flipped === 0x28 || flipped === 0x0d || flipped === 0x0a || flipped === 0) continue;
      bytes[index] = flipped;
      return bytes;
    }
  }

  /** Half of the time nothing but zeros, else a run of eight inside, as when a USB report is lost. */
  #zeros(reply: Uint8Array): Uint8Array {
    const bytes = reply.slice();
    const reports = Math.floor((reply.length - 2) / 8);
    if (reports === 0 || this.#random.next() < 0.5) return bytes.fill(0);
    const start = 1 + 8 * this.#random.integer(reports);
    return bytes.fill(0, start, Math.min(start + 8, reply.length - 1));
  }

  #remember(command: string, reply: Uint8Array): void {
    const earlier = this.#earlier.get(command) ?? [];
    earlier.push(reply);
    if (earlier.length > memory) earlier.shift();
    this.#earlier.set(command, earlier);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
