import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Logger } from "../../model/logger.ts";
import { settings } from "../../protocol/pi30/settings/catalogue.ts";
import type { Clock } from "../../session/clock.ts";
import type { Config } from "../config.ts";
import type { LiveInverter } from "../live-inverter.ts";
import type { ControlUnit } from "./control-unit.ts";
import { presentBoot } from "./boot.ts";
import { JournalFile, type LineStore } from "./journal-file.ts";
import { Journal } from "./journal.ts";
import type { ControlRules } from "./rules.ts";
import { ControlService } from "./service.ts";

type Controlled = Pick<LiveInverter, "info" | "isMet" | "control" | "evidence">;

export interface OpenControlOptions {
  readonly config: Pick<Config, "dataDir" | "control" | "inverters">;
  readonly inverters: () => readonly Controlled[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keeps the journal; a file in the data folder if absent. */
  readonly store?: LineStore;
}

/** What the configuration allows on the inverter at a device; one that `auto` has found has the entry of `auto`. */
export function rulesOf({ control, inverters }: Pick<Config, "control" | "inverters">, device: string): ControlRules {
  const entry = inverters.find((each) => each.device === device) ?? inverters.find((each) => each.device === "auto");
  const { enabled, level, wide, console, budget } = control;
  const own = entry?.control;
  return { enabled: own?.enabled ?? enabled, level: own?.level ?? level, wide: own?.wide ?? wide, console, budget };
}

/** The unit that is there now; whoever comes after it at the same cable is another one. */
function unitOf(inverter: Controlled): ControlUnit {
  const { control } = inverter;
  return {
    id: inverter.info.id,
    serialNumber: inverter.info.serialNumber,
    get evidence() {
      return inverter.evidence;
    },
    control,
    get isOnline() {
      return inverter.isMet && inverter.control === control;
    },
  };
}

/** The control service with its journal in the data folder, which this process has locked. */
export async function openControl({ config, inverters, clock, logger, store }: OpenControlOptions): Promise<ControlService> {
  const file = store ?? (await JournalFile.open(join(config.dataDir, "journal.jsonl"), { logger }));
  const journal = await Journal.open(file, { clock, logger, boot: await presentBoot() });
  const rules = (id: string): ControlRules => rulesOf(config, inverters().find(({ info }) => info.id === id)?.info.device ?? "");
  return new ControlService({
    units: () => inverters().map(unitOf),
    settings,
    rules,
    journal,
    clock,
    logger,
    newId: randomUUID,
  });
}
