import type { Outcome } from "../../model/control.ts";
import type { IntentEntry } from "../../model/journal.ts";
import { holds, settingText, type Setting } from "../../protocol/setting.ts";
import type { Clock } from "../../session/clock.ts";
import { doubtOf, type ControlUnit } from "./control-unit.ts";

/** Some units apply a change 20 s late; what reads as before may change until then. */
const SETTLED_MS = 30_000;
const LOOK_MS = 2000;

/**
 * How a change ended that was cut short between its first command and its end, read back from the unit. Absent while the
 * unit cannot be read. Rejects with the signal's reason.
 */
export async function findOut(
  intents: readonly IntentEntry[],
  setting: Setting | undefined,
  unit: ControlUnit,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Outcome | undefined> {
  const [first] = intents;
  if (first === undefined) return undefined;
  const { change, before, at } = first;
  const ended = (kind: "applied" | "unconfirmed", reason: string, after?: Outcome["after"]): Outcome => ({
    change,
    kind,
    reason: `After an interruption: ${reason}`,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    written: [],
    startedAt: at,
    endedAt: clock.now(),
  });
  const commands = intents.map(({ command }) => command).join(", ");
  const doubt = doubtOf(first, unit);
  if (doubt?.isOpen === true) return undefined;
  if (doubt !== undefined) return ended("unconfirmed", `${commands} may have been sent. The change was ${doubt.reason}.`);
  if (setting?.readBack === undefined) return ended("unconfirmed", `${commands} may have been sent, and no inquiry tells what came of it.`);
  const ageMs = clock.now() - at;
  const deadline = clock.monotonic() + (ageMs >= 0 ? Math.max(0, SETTLED_MS - ageMs) : SETTLED_MS);
  for (;;) {
    const [state] = await unit.control.read([setting], { signal });
    const value = state?.value;
    if (value !== undefined && holds(setting, change.value, value)) return ended("applied", "read back as wanted.", value);
    if (clock.monotonic() >= deadline) {
      if (value !== undefined) return ended("unconfirmed", `${commands} may have been sent, but it reads ${settingText(value)}.`, value);
      if (!unit.isOnline) return undefined;
      return ended("unconfirmed", `${commands} may have been sent, and the value cannot be read: ${state?.reason ?? "no answer"}`);
    }
    if (value === undefined && !unit.isOnline) return undefined;
    await clock.sleep(LOOK_MS, { signal });
  }
}
