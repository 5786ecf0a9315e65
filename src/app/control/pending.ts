import type { Outcome } from "../../model/control.ts";
import type { SettingValue } from "../../model/setting.ts";
import type { Setting } from "../../protocol/setting.ts";
import type { Who } from "./control-unit.ts";

export interface ChangeHow {
  readonly signal: AbortSignal;
  /** Told as soon as the value reads back as wanted; not to those who join an identical change. */
  readonly onReadBack?: (() => void) | undefined;
}

/** What one change carries besides what is wanted. */
export interface Details extends Omit<ChangeHow, "signal"> {
  readonly expected?: SettingValue;
  readonly setting?: Setting | undefined;
}

/** A change that waits or runs; identical requests join it. */
export interface Pending {
  readonly key: string;
  /** Of the unit that was there when it was asked for. */
  readonly who: Who;
  readonly outcome: Promise<Outcome>;
  /** Those who wait for it; when the last one goes away before it has begun, it is not done. */
  waiting: number;
  /** Identical requests beside the first. */
  more: number;
  readonly onReadBack: (() => void) | undefined;
}
