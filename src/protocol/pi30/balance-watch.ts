import type { BalanceVerdict, EnergyBalance } from "../../model/balance.ts";
import type { Reading, Value, Values } from "../../model/reading.ts";
import { balanceOf } from "./balance.ts";

const HOUR_MS = 3_600_000;
/** One reading stands for no longer than this: what was between two that lie further apart nobody knows. */
const MOST_BETWEEN_MS = 120_000;
/** Older than this, an answer is not of the same moment as the status. */
const SAME_MOMENT_MS = 60_000;
/** The hour is kept in pieces of this length. */
const PIECE_MS = 60_000;
/** Share of the hour from which on it counts as failing, and under which it counts as held again. */
const FAILS_FROM = 0.75;
const HOLDS_UNDER = 0.25;

interface Piece {
  checkedMs: number;
  failedMs: number;
  /** W·ms. */
  amount: number;
}

/** Which values a PV power that does not fit is in. */
const pvPowers = ["pvPower", "pv1Power", "pv2Power", "pv3Power"] as const;

/**
 * Checks the energy balance of one unit with every status, and tells when it has failed for most of an hour. Only time in
 * which it can be checked counts: a night on the grid changes nothing.
 */
export class BalanceWatch {
  readonly #latest = new Map<string, { readonly values: Values; readonly at: number }>();
  #pieces: Piece[] = [];
  #before: number | undefined;
  #untold: string | undefined = "nothing was read yet";
  #fails = false;

  /** Another unit, or another firmware, is there. */
  forget(): void {
    this.#latest.clear();
    this.#pieces = [];
    this.#before = undefined;
    this.#untold = "nothing was read yet";
    this.#fails = false;
  }

  /** `monotonicMs` is when the reading came; `hasSecond`: the unit answers QPIGS2. The reading comes back with the PV power marked, where it is not to be trusted. */
  take(reading: Reading, { monotonicMs, hasSecond }: { readonly monotonicMs: number; readonly hasSecond: boolean }): Reading {
    const { command, values, derived } = reading;
    if (watched.has(command)) this.#latest.set(command, { values: { ...derived, ...values }, at: monotonicMs });
    if (command === "QPIGS") this.#check(monotonicMs, hasSecond);
    if (!this.#fails || !bearers.has(command)) return reading;
    const estimated = pvPowers.filter((name) => name in values || name in derived);
    return estimated.length === 0 ? reading : { ...reading, estimated };
  }

  get state(): EnergyBalance {
    const { checkedMs, failedMs, amount } = this.#sum();
    return {
      state: this.#fails ? "fails" : checkedMs < HOUR_MS ? "notYet" : "holds",
      checkedMs: Math.round(checkedMs),
      failedMs: Math.round(failedMs),
      ...(failedMs > 0 && { watts: Math.round(amount / failedMs) }),
      ...(this.#untold !== undefined && { untold: this.#untold }),
    };
  }

  #check(now: number, hasSecond: boolean): void {
    const recent = (command: string, withinMs = SAME_MOMENT_MS): Values | undefined => {
      const found = this.#latest.get(command);
      return found !== undefined && now - found.at <= withinMs ? found.values : undefined;
    };
    const value = (values: Values | undefined, name: string): Value | undefined => values?.[name];
    const verdict = balanceOf({
      status: recent("QPIGS") ?? {},
      second: recent("QPIGS2"),
      hasSecond,
      mode: value(recent("QMOD"), "operatingMode"),
      ratedApparentPower: value(recent("QPIRI", Infinity), "ratedApparentPower"),
    });
    const since = this.#before;
    this.#before = now;
    this.#untold = verdict.kind === "untold" ? verdict.because : undefined;
    if (since !== undefined) this.#count(verdict, Math.min(MOST_BETWEEN_MS, now - since));
  }

  #count(verdict: BalanceVerdict, ms: number): void {
    if (verdict.kind === "untold" || ms <= 0) return;
    let piece = this.#pieces.at(-1);
    if (piece === undefined || piece.checkedMs >= PIECE_MS) this.#pieces.push((piece = { checkedMs: 0, failedMs: 0, amount: 0 }));
    piece.checkedMs += ms;
    if (verdict.kind === "unbalanced") {
      piece.failedMs += ms;
      piece.amount += verdict.watts * ms;
    }
    let { checkedMs } = this.#sum();
    while (this.#pieces[0] !== undefined && checkedMs - this.#pieces[0].checkedMs >= HOUR_MS) checkedMs -= this.#pieces.shift()!.checkedMs;
    const { failedMs } = this.#sum();
    if (checkedMs < HOUR_MS) return;
    if (failedMs >= FAILS_FROM * checkedMs) this.#fails = true;
    else if (failedMs < HOLDS_UNDER * checkedMs) this.#fails = false;
  }

  #sum(): Piece {
    const sum: Piece = { checkedMs: 0, failedMs: 0, amount: 0 };
    for (const { checkedMs, failedMs, amount } of this.#pieces) {
      sum.checkedMs += checkedMs;
      sum.failedMs += failedMs;
      sum.amount += amount;
    }
    return sum;
  }
}

const watched: ReadonlySet<string> = new Set(["QPIGS", "QPIGS2", "QMOD", "QPIRI"]);
/** Whose PV power is judged; a record of a parallel unit has its own. */
const bearers: ReadonlySet<string> = new Set(["QPIGS", "QPIGS2"]);
