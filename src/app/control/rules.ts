import type { Outcome, SettingChange } from "../../model/control.ts";
import type { SettingInfo, SettingLevel } from "../../model/setting.ts";
import type { Clock } from "../../session/clock.ts";

/** What the user allows on one inverter. */
export interface ControlRules {
  readonly enabled: boolean;
  readonly level: SettingLevel;
  /** Values beyond the narrowest documented range. */
  readonly wide: boolean;
  /** Commands as text. */
  readonly console: boolean;
  /** Writes of one setting. */
  readonly budget: { readonly perHour: number; readonly perDay: number };
}

const LONGEST_LEASE_MS = 366 * 86_400_000;

/** Why this may not be done at all; absent when nothing speaks against it. The unit itself is not asked. */
export function objection(change: SettingChange, info: SettingInfo, rules: ControlRules, clock: Pick<Clock, "now">): string | undefined {
  if (!rules.enabled)
    return `changing settings is off for ${change.inverter}; \`control: {enabled: true}\` in the configuration turns it on, and a restart`;
  if (info.level === "expert" && rules.level !== "expert")
    return `${info.name} is an expert setting; \`control: {level: expert}\` in the configuration allows it, and a restart`;
  if (info.confirm !== undefined && change.confirm !== info.confirm)
    return (
      `${info.name} has to be confirmed with the exact word ${JSON.stringify(info.confirm)}, got ` +
      (change.confirm === undefined ? "none" : JSON.stringify(change.confirm))
    );
  if (change.until === undefined) return undefined;
  if (change.until.next === change.value) return `expected another value after the lease, got ${JSON.stringify(change.value)} again`;
  const lengthMs = "at" in change.until ? change.until.at - clock.now() : change.until.forMs;
  if (!(lengthMs > 0)) return `expected the end of the lease to lie ahead, got ${describeTime(clock.now() + lengthMs)}`;
  if (lengthMs > LONGEST_LEASE_MS) return "expected a lease of at most a year";
  return undefined;
}

export function unknownSetting(name: string): string {
  return `no setting is called ${JSON.stringify(name)}; \`sonkrag settings\` lists them`;
}

/** An outcome that came without asking the unit anything. */
export function refusal(change: SettingChange, reason: string, at: number, kind: "refused" | "notSupported" = "refused"): Outcome {
  return { change, kind, reason, ...(kind === "refused" && { by: "us" as const }), written: [], startedAt: at, endedAt: at };
}

function describeTime(at: number): string {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15 ? new Date(at).toISOString() : String(at);
}
