import { once } from "node:events";
import { z } from "zod";
import type { LiveSnapshot } from "../api/live.ts";
import type { CardDocument } from "../model/card.ts";
import { RefusedError } from "../model/errors.ts";
import type { InverterInfo, LinkStatus } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import type { DiagnosisSource } from "../server/diagnosis.ts";
import type { Answer } from "../session/job.ts";
import { inquiryOf } from "./inquiry.ts";
import type { Methods } from "./local-protocol.ts";

/** What the local socket needs of an inverter of the running program. */
export interface ServedInverter {
  readonly info: InverterInfo;
  readonly status: LinkStatus;
  readonly location: string;
  /** Absent until it was met. */
  readonly card: CardDocument | undefined;
  ask(what: Request, options: { readonly signal: AbortSignal }): Promise<Answer>;
}

const queryParams = z.strictObject({ command: z.string().max(120), inverter: z.string().optional() });

const inverterParams = z.strictObject({ inverter: z.string().optional() });

/** An inverter as `inverters` lists it. */
export const listedSchema = z.object({
  id: z.string(),
  device: z.string(),
  /** The place behind the device: two spellings of one device have the same. */
  location: z.string(),
  simulated: z.boolean(),
  state: z.string(),
  serialNumber: z.string().optional(),
  model: z.string().optional(),
  firmware: z.string().optional(),
});
export type Listed = z.output<typeof listedSchema>;

export interface DaemonSources {
  readonly inverters: () => readonly ServedInverter[];
  readonly snapshot: () => LiveSnapshot;
  readonly diagnosis: DiagnosisSource;
}

/** What the local socket can do with inverters as such; changing them is `control`'s. */
export function daemonMethods({ inverters, snapshot, diagnosis }: DaemonSources): Methods {
  const named = (given: unknown): ServedInverter => oneOf(inverters(), checked(inverterParams, given).inverter);
  return {
    snapshot: async () => snapshot(),
    link: async (given) => diagnosis.link(named(given).info.id),
    bundle: async () => ({ base64: Buffer.from(await diagnosis.bundle()).toString("base64") }),
    traffic: async (given, { signal, more }) => {
      const stop = diagnosis.traffic(named(given).info.id, (line) => more?.(line));
      try {
        if (!signal.aborted) await once(signal, "abort");
        signal.throwIfAborted();
      } finally {
        stop?.();
      }
    },
    inverters: async () =>
      inverters().map(({ info, status, location }): Listed => {
        const { id, device, simulated, serialNumber, model, firmware } = info;
        return {
          id,
          device,
          location,
          simulated,
          state: status.state,
          ...(serialNumber !== undefined && { serialNumber }),
          ...(model !== undefined && { model }),
          ...(firmware !== undefined && { firmware }),
        };
      }),
    card: async (given) => {
      const { info, card } = named(given);
      if (card === undefined)
        throw new RefusedError("inverter-unknown", `expected an inverter that has said who it is, got ${info.id}, which has not yet`);
      return card;
    },
    query: async (given, { signal }) => {
      const { command, inverter: id } = checked(queryParams, given);
      const inverter = oneOf(inverters(), id);
      const answer = await inverter.ask(inquiryOf(command), { signal });
      const { device, simulated } = inverter.info;
      return { inverter: inverter.info.id, device, simulated, ...answer };
    },
  };
}

/** The parameters of a method, in their form. Throws RefusedError `request-invalid`. */
export function checked<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = ["params", ...(issue?.path ?? [])].map(String).join(".");
  throw new RefusedError("request-invalid", `${place}: ${issue?.message ?? "not as documented"}`, { cause: parsed.error });
}

/** The inverter of this id, or the only one there is. Throws RefusedError `inverter-unknown` with the choice. */
export function oneOf<T extends { readonly info: Pick<InverterInfo, "id"> }>(inverters: readonly T[], id: string | undefined): T {
  const [only, ...others] = inverters;
  const found = id === undefined ? (others.length === 0 ? only : undefined) : inverters.find(({ info }) => info.id === id);
  if (found !== undefined) return found;
  const known = inverters.map(({ info }) => info.id).join(", ") || "none";
  throw new RefusedError(
    "inverter-unknown",
    id === undefined
      ? `expected the id of one of several inverters, got none; choose one of ${known}`
      : `expected the id of an inverter (${known}), got ${JSON.stringify(id)}`,
  );
}
