import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import type { Answer } from "../session/job.ts";
import { formatDeviceUrl, parseDeviceUrl } from "../transport/device-url.ts";
import { withLine } from "./ask-once.ts";
import type { Config } from "./config.ts";
import { onlyDevice, openerOf } from "./devices.ts";
import { systemClock } from "./system-clock.ts";

export interface Queried {
  /** The device that answered. */
  readonly device: string;
  /** True when the built-in simulated inverter answered. */
  readonly simulated: boolean;
  readonly answer: Answer;
}

/**
 * Asks the configured inverter one question of the catalogue, on a line of its own.
 * Rejects with RefusedError for an unknown command, ConfigError when it is not clear whom to ask, TransportError,
 * DeadlineError, FrameError or ReplyError when there is no proper answer.
 */
export async function query(
  command: string,
  { config, logger }: { readonly config: Config; readonly logger: Logger },
  { signal }: { readonly signal: AbortSignal },
): Promise<Queried> {
  const request = findRequest(command);
  const [only, ...others] = config.inverters;
  if (only === undefined || others.length > 0) {
    const devices = config.inverters.map(({ device }) => device).join(", ");
    throw new ConfigError(`expected one inverter to ask, got ${config.inverters.length}; choose one with --device: ${devices}`);
  }
  const url = await onlyDevice(parseDeviceUrl(only.device));
  const open = openerOf(url, { simulator: config.simulator, clock: systemClock, logger });
  const answer = await withLine({ open, clock: systemClock, logger }, (ask) => ask(request, { signal }), { signal });
  return { device: formatDeviceUrl(url), simulated: url.kind === "sim", answer };
}
