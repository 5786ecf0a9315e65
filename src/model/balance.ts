/** What the energy balance of one moment says: PV + grid + battery = load + losses. */
export type BalanceVerdict =
  | { readonly kind: "balanced" }
  /** `watts` by which the sources exceed what they can be used for; negative: by which they fall short. Without the tolerance. */
  | { readonly kind: "unbalanced"; readonly watts: number; readonly toleranceWatts: number }
  /** `because` completes "cannot be told: …". */
  | { readonly kind: "untold"; readonly because: string };

/** How the energy balance of a unit stands, over the last hour in which it could be checked. */
export interface EnergyBalance {
  /** `notYet`: there was no hour yet in which it could be checked; `fails`: most of that hour, so its PV power is not to be trusted. */
  readonly state: "notYet" | "holds" | "fails";
  /** Time that could be checked, at most one hour, ms. */
  readonly checkedMs: number;
  /** The part of it in which the balance failed, ms. */
  readonly failedMs: number;
  /** Mean of what was too much (negative: too little) while it failed, W; absent where it never did. */
  readonly watts?: number;
  /** Why the latest reading cannot be checked; absent where it can. */
  readonly untold?: string;
}

/** How the energy balance of a unit stands, for people. */
export function balanceText({ state, checkedMs, failedMs, watts, untold }: EnergyBalance): string {
  const minutes = (ms: number): number => Math.round(ms / 60_000);
  const off = watts === undefined ? "" : `, then ${Math.abs(watts)} W too ${watts > 0 ? "much" : "little"}`;
  const failed = failedMs === 0 ? "" : ` (failed for ${minutes(failedMs)} of ${minutes(checkedMs)} min${off})`;
  const now = untold === undefined ? "" : `; cannot be checked at the moment: ${untold}`;
  const words = {
    notYet: `not checked for an hour yet, ${minutes(checkedMs)} min so far`,
    holds: "PV power fits load and battery",
    fails: "PV POWER DOES NOT FIT load and battery, and is shown as estimated",
  } as const;
  return `${words[state]}${failed}${now}`;
}
