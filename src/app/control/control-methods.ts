import { z } from "zod";
import { untilSchema, valueSchema } from "../../api/control.ts";
import type { Actor, LeaseTerm, SettingState } from "../../model/control.ts";
import { RefusedError } from "../../model/errors.ts";
import type { InverterInfo } from "../../model/reading.ts";
import { settings } from "../../protocol/pi30/settings/catalogue.ts";
import { checked, oneOf } from "../daemon-methods.ts";
import type { Methods } from "../local-protocol.ts";
import { changeByCommand } from "./commands.ts";
import type { ControlService } from "./service.ts";
import { planOfSheet, type Plan } from "./sheet.ts";
import { valueFromText } from "./value-from-text.ts";

const name = z.string().min(1).max(100);
const inverter = name.optional();
const confirm = z.string().max(100).optional();
const id = name.optional();
/** Who asks, for the journal. */
const by = z.string().max(100).optional();
/** As typed; made a value by what the unit offers. */
const typed = z.string().max(200);

const settingsParams = z.strictObject({
  inverter,
  /** True where the latest readings will do. */
  latest: z.boolean().optional(),
});
const budgetParams = z.strictObject({ inverter });
const setParams = z.strictObject({
  inverter,
  setting: name,
  value: valueSchema.optional(),
  text: typed.optional(),
  until: z
    .union([untilSchema, z.strictObject({ at: z.number(), nextText: typed }), z.strictObject({ forMs: z.number(), nextText: typed })])
    .optional(),
  confirm,
  id,
  by,
  /** True for a step of a sheet. */
  sheet: z.boolean().optional(),
});
const undoParams = z.strictObject({ inverter, confirm, by });
const journalParams = z.strictObject({ inverter, limit: z.int().min(1).max(1000).default(50), before: z.int().min(1).optional() });
const leaseParams = z.strictObject({ lease: name, by });
const planParams = z.strictObject({ inverter, wanted: z.record(name, valueSchema) });
const commandParams = z.strictObject({ inverter, command: z.string().min(1).max(100), confirm, id, by });

/** The settings of one inverter as the local socket tells them. */
export interface SettingsReport {
  readonly inverter: string;
  readonly simulated: boolean;
  readonly family: string;
  readonly enabled: boolean;
  readonly level: string;
  readonly settings: readonly SettingState[];
}

/** What the local socket can do with settings. */
export function controlMethods(
  service: ControlService,
  inverters: () => readonly { readonly info: InverterInfo }[],
  newId: () => string,
): Methods {
  const infoOf = (given: string | undefined): InverterInfo => oneOf(inverters(), given).info;
  return {
    settings: async (given, { signal }): Promise<SettingsReport> => {
      const params = checked(settingsParams, given);
      const { id: unit, simulated } = infoOf(params.inverter);
      const states = await service.settings(unit, { signal, latest: params.latest === true });
      const { enabled, level } = service.rulesOf(unit);
      return { inverter: unit, simulated, family: service.makeOf(unit)?.family ?? "unknown", enabled, level, settings: states };
    },
    set: async (given, { signal }) => {
      const params = checked(setParams, given);
      const unit = infoOf(params.inverter).id;
      const { setting, text, until, sheet = false } = params;
      const needsState = text !== undefined || (until !== undefined && "nextText" in until);
      const state = needsState && service.knows(setting) ? await service.setting(unit, setting, { signal }) : undefined;
      const said = (words: string): string | number | boolean => (state === undefined ? words : valueFromText(words, state));
      const value = params.value ?? (text === undefined ? undefined : said(text));
      if (value === undefined) throw new RefusedError("request-invalid", "params: expected a value, got none");
      const term: LeaseTerm | undefined =
        until !== undefined && "nextText" in until
          ? { ...("at" in until ? { at: until.at } : { forMs: until.forMs }), next: said(until.nextText) }
          : until;
      return await service.change(
        {
          id: params.id ?? newId(),
          inverter: unit,
          setting,
          value,
          actor: actor(sheet ? "sheet" : "cli", params.by),
          ...(params.confirm !== undefined && { confirm: params.confirm }),
          ...(term && { until: term }),
        },
        { signal },
      );
    },
    undo: async (given, { signal }) => {
      const params = checked(undoParams, given);
      return await service.undo(infoOf(params.inverter).id, { actor: actor("cli", params.by), confirm: params.confirm, signal });
    },
    journal: async (given) => {
      const { inverter: unit, limit, before } = checked(journalParams, given);
      return await service.page({ limit, ...(unit !== undefined && { inverter: unit }), ...(before !== undefined && { before }) });
    },
    leases: async () => service.leases,
    endLease: async (given) => {
      const params = checked(leaseParams, given);
      return await service.endLease(params.lease, actor("cli", params.by));
    },
    budget: async (given) => service.budget(checked(budgetParams, given).inverter),
    plan: async (given, { signal }): Promise<Plan> => {
      const { inverter: unit, wanted } = checked(planParams, given);
      const facts = await service.factsOf(infoOf(unit).id, Object.keys(wanted), { signal });
      return planOfSheet(wanted, facts, settings);
    },
    command: async (given, { signal }) => {
      const { inverter: unit, command, ...params } = checked(commandParams, given);
      return await changeByCommand(
        service,
        { id: params.id ?? newId(), inverter: infoOf(unit).id, command, actor: actor("console", params.by), confirm: params.confirm },
        { signal },
      );
    },
  };
}

function actor(via: Actor["via"], by: string | undefined): Actor {
  return { via, ...(by !== undefined && { name: by }) };
}
