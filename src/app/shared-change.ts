import type { UnitMake } from "../protocol/setting.ts";
import { classify } from "../protocol/pi30/settings/catalogue.ts";
import type { ControlPort } from "../session/control-port.ts";
import type { Changed } from "./shared-port.ts";

export interface SharedChangeOptions {
  readonly control: Pick<ControlPort, "change">;
  /** What an inverter is; a command means different things on different ones. */
  readonly makeOf: (inverter: string) => Omit<UnitMake, "wide">;
  /** Unique for ever. */
  readonly newId: () => string;
}

/**
 * What another program may change: the settings of the catalogue, by the rules for everybody, under the program's own name
 * in the journal. A setting that needs a word of confirmation cannot be changed so, for a command has no room for it.
 */
export function sharedChange({ control, makeOf, newId }: SharedChangeOptions) {
  return async (inverter: string, command: string, client: string, { signal }: { readonly signal: AbortSignal }): Promise<Changed> => {
    const found = classify(command, { ...makeOf(inverter), wide: false, values: {} });
    if (found.kind === "forbidden") return { isSo: false, untold: found.reason };
    if (found.kind === "unknown") return { isSo: false, untold: "it is no setting of the catalogue" };
    const { setting, value } = found;
    const { kind } = await control.change(
      { id: newId(), inverter, setting: setting.info.name, value, actor: { via: "sharedPort", name: client } },
      { signal },
    );
    return { isSo: kind === "applied" || kind === "unchanged" };
  };
}
