import { z } from "zod";
import { ConfigError, NotRunningError, RefusedError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { Value } from "../model/reading.ts";
import type { Answer } from "../session/job.ts";
import { formatDeviceUrl, parseDeviceUrl, type AutoUrl, type DeviceUrl } from "../transport/device-url.ts";
import { withLine } from "./ask-once.ts";
import type { Config } from "./config.ts";
import { DaemonClient } from "./daemon-client.ts";
import { listedSchema, oneOf, type Listed } from "./daemon-methods.ts";
import { locationOf, onlyDevice, openerOf } from "./devices.ts";
import { inquiryOf } from "./inquiry.ts";
import { systemClock } from "./system-clock.ts";

export interface Queried {
  /** Its id, where the running sonkrag answered for it. */
  readonly inverter?: string;
  /** The device that answered. */
  readonly device: string;
  /** True when the built-in simulated inverter answered. */
  readonly simulated: boolean;
  readonly answer: Answer;
}

export interface QueryTarget {
  readonly config: Config;
  readonly logger: Logger;
  /** Ids and devices as typed; absent when nothing was said. */
  readonly inverter?: string | undefined;
  readonly devices?: readonly string[] | undefined;
}

/**
 * Asks an inverter one question of the catalogue: through the running sonkrag where it has that inverter, else on a line of our own.
 * Rejects with RefusedError for an unknown command, ConfigError when it is not clear whom to ask, TransportError,
 * DeadlineError, FrameError or ReplyError when there is no proper answer.
 */
export async function query(command: string, target: QueryTarget, { signal }: { readonly signal: AbortSignal }): Promise<Queried> {
  // What is misspelt is told before anything is opened.
  const { command: code } = inquiryOf(command);
  let denied: NotRunningError | undefined;
  try {
    await using daemon = await DaemonClient.open(target.config.dataDir, { signal });
    const answered = await askDaemon(daemon, code, target, { signal });
    if (answered !== undefined) return answered;
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    if (error.context["denied"] === true) denied = error;
  }
  try {
    return await askDevice(code, target, { signal });
  } catch (error) {
    if (denied === undefined || !(error instanceof TransportError) || error.code !== "transport-busy") throw error;
    throw new TransportError("transport-busy", `${error.message}\n${denied.message}`, { cause: error, context: error.context });
  }
}

const answeredSchema = z.object({
  inverter: z.string(),
  device: z.string(),
  simulated: z.boolean(),
  at: z.number(),
  kind: z.enum(["data", "nak"]),
  command: z.string().optional(),
  payload: z.string().optional(),
  values: z.record(z.string(), z.custom<Value>()).optional(),
  tail: z.array(z.string()).optional(),
});

/** The inverter of the running sonkrag that is meant; absent when it does not have the device that was asked for. */
export async function chosenOf(
  daemon: DaemonClient,
  wanted: Pick<QueryTarget, "inverter" | "devices">,
  { signal }: { readonly signal: AbortSignal },
): Promise<Listed | undefined> {
  return await chosenAmong(z.array(listedSchema).parse(await daemon.call("inverters", undefined, { signal })), wanted);
}

/** The same among those that the running sonkrag has listed. */
export async function chosenAmong(
  listed: readonly Listed[],
  { inverter, devices }: Pick<QueryTarget, "inverter" | "devices">,
): Promise<Listed | undefined> {
  const wanted = await placesOf(devices);
  const candidates = wanted === undefined ? listed : listed.filter(({ location }) => wanted.includes(location));
  if (candidates.length === 0 && inverter === undefined) return undefined;
  return oneOf(
    (inverter === undefined ? candidates : listed).map((each) => ({ info: each })),
    inverter,
  ).info;
}

async function askDaemon(
  daemon: DaemonClient,
  command: string,
  target: QueryTarget,
  { signal }: { readonly signal: AbortSignal },
): Promise<Queried | undefined> {
  const chosen = await chosenOf(daemon, target, { signal });
  if (chosen === undefined) return undefined;
  const {
    at,
    kind,
    values = {},
    payload = "",
    tail = [],
    ...rest
  } = answeredSchema.parse(await daemon.call("query", { inverter: chosen.id, command }, { signal }));
  const { device, simulated } = rest;
  const answer: Answer = kind === "nak" ? { kind, at } : { kind, at, command: rest.command ?? command, payload, values, tail };
  return { inverter: rest.inverter, device, simulated, answer };
}

/** Places of the devices that were named one by one; absent when any will do. */
async function placesOf(devices: readonly string[] = []): Promise<readonly string[] | undefined> {
  const urls = devices.map(parseDeviceUrl);
  const places = await Promise.all(urls.map(async (url) => (url.kind === "auto" ? undefined : await locationOf(url))));
  return urls.length === 0 || places.includes(undefined) ? undefined : places.filter((place) => place !== undefined);
}

/** The one device of the configuration that is meant. Rejects with ConfigError or RefusedError when that is not clear. */
export async function deviceOf({ config, inverter }: Pick<QueryTarget, "config" | "inverter">): Promise<Exclude<DeviceUrl, AutoUrl>> {
  const chosen = inverter === undefined ? config.inverters : config.inverters.filter(({ id }) => id === inverter);
  const [only, ...others] = chosen;
  if (only === undefined)
    throw new RefusedError(
      "inverter-unknown",
      `expected the id of an inverter of the configuration, got ${JSON.stringify(inverter)}, and no running sonkrag was found that may know it`,
    );
  if (others.length > 0) {
    const devices = config.inverters.map(({ device }) => device).join(", ");
    throw new ConfigError(`expected one inverter to ask, got ${config.inverters.length}; choose one with --device: ${devices}`);
  }
  return await onlyDevice(parseDeviceUrl(only.device));
}

async function askDevice(
  command: string,
  { config, logger, inverter }: QueryTarget,
  { signal }: { readonly signal: AbortSignal },
): Promise<Queried> {
  const url = await deviceOf({ config, inverter });
  const open = openerOf(url, { simulator: config.simulator, clock: systemClock, logger });
  const answer = await withLine({ open, clock: systemClock, logger }, (ask) => ask(inquiryOf(command), { signal }), { signal });
  return { device: formatDeviceUrl(url), simulated: url.kind === "sim", answer };
}
