import { z } from "zod";
import { outcomeKinds } from "../../model/control.ts";
import type { JournalEntry } from "../../model/journal.ts";

const value = z.union([z.number(), z.string(), z.boolean()]);
const actor = z.looseObject({ via: z.string(), name: z.string().optional() });
const change = z.looseObject({
  id: z.string(),
  inverter: z.string(),
  setting: z.string(),
  value,
  actor,
  confirm: z.string().optional(),
  until: z.union([z.looseObject({ at: z.number(), next: value }), z.looseObject({ forMs: z.number(), next: value })]).optional(),
});
const stamp = { n: z.number(), at: z.number(), boot: z.string().optional(), upMs: z.number().optional() };
/** What decisions rest on; what else an entry holds is for people. */
const entrySchema = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("intent"),
    ...stamp,
    change,
    command: z.string(),
    serialNumber: z.string().optional(),
    evidence: z
      .looseObject({ model: z.string().optional(), firmware: z.string().optional(), pvEnergyTotal: z.number().optional() })
      .optional(),
    before: value.optional(),
  }),
  z.looseObject({
    kind: z.literal("outcome"),
    ...stamp,
    outcome: z.looseObject({
      change,
      kind: z.enum(outcomeKinds),
      reason: z.string(),
      before: value.optional(),
      after: value.optional(),
      written: z.array(z.looseObject({ command: z.string(), answer: z.string() })),
    }),
  }),
  z.looseObject({ kind: z.literal("leaseEnd"), ...stamp, lease: z.string(), inverter: z.string(), setting: z.string(), actor }),
]);

/** Absent for what is none of ours, e.g. zero bytes that a power cut has left, or a line that a failing disk has changed. */
export function parseEntry(line: string): JournalEntry | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  return entrySchema.safeParse(json).success ? (json as JournalEntry) : undefined;
}
