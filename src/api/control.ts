import { z } from "zod";
import type { SettingState } from "../model/control.ts";
import type { BudgetState, JournalEntry, LeaseState } from "../model/journal.ts";
import type { SettingLevel } from "../model/setting.ts";

/** An amount in the setting's unit, a word, or on and off. */
export const valueSchema = z.union([z.number(), z.string().max(200), z.boolean()], {
  error: "expected a number, a text of at most 200 characters, true or false",
});

const time = z.union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))], {
  error: "expected UTC milliseconds or an ISO time with its zone, such as 2026-01-31T06:00:00+02:00",
});

/** Until when a change holds, and the value from then on. */
export const untilSchema = z.union(
  [z.strictObject({ at: time, next: valueSchema }), z.strictObject({ forMs: z.number().positive(), next: valueSchema })],
  { error: "expected {at, next} or {forMs, next}" },
);

const confirm = z.string().max(100).optional();
/** Who asks, for the journal; nobody checks it. */
const by = z.string().min(1).max(60).optional();

/** Body of `PUT /api/v1/inverters/{id}/settings/{name}`. */
export const changeBodySchema = z.strictObject({
  value: valueSchema,
  confirm,
  until: untilSchema.optional(),
  /** The same id asked twice is done once. */
  id: z
    .string()
    .regex(/^[\w.:-]{1,100}$/, "expected an id of letters, digits and _ . : -, at most 100")
    .optional(),
  by,
});

/** Body of `POST /api/v1/inverters/{id}/undo`. */
export const undoBodySchema = z.strictObject({ confirm, by });

/** Answer of `GET /api/v1/inverters/{id}/settings`. */
export interface SettingsDocument {
  readonly inverter: string;
  /** What the configuration allows; while it is off, every change is refused. */
  readonly enabled: boolean;
  readonly level: SettingLevel;
  readonly settings: readonly SettingState[];
}

/** Answer of `GET /api/v1/journal`: newest first. */
export interface JournalDocument {
  readonly entries: readonly JournalEntry[];
}

export interface LeasesDocument {
  readonly leases: readonly LeaseState[];
}

export interface BudgetDocument {
  readonly budget: readonly BudgetState[];
}
