import type { Logger } from "../model/logger.ts";
import type { Clock } from "../session/clock.ts";
import { formatDeviceUrl, parseDeviceUrl, type AutoUrl, type DeviceUrl } from "../transport/device-url.ts";
import { findInverterNodes, listSerialCandidates, systemRoots, type SystemRoots } from "../transport/discover.ts";
import type { Config } from "./config.ts";
import { locationOf, openerOf, urlOf } from "./devices.ts";
import type { Target } from "./live-inverter.ts";

interface Options {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a line for the person who started the program. */
  readonly tell: (line: string) => void;
  readonly roots?: SystemRoots;
}

/** The configured inverters; `auto` becomes every inverter on USB, or the simulated one when there is none. */
export async function targetsOf(config: Config, options: Options): Promise<Target[]> {
  const found: { url: Exclude<DeviceUrl, AutoUrl>; id: string | undefined }[] = [];
  for (const { device, id } of config.inverters) {
    const url = parseDeviceUrl(device);
    const urls = url.kind === "auto" ? await discover(options) : [url];
    for (const each of urls) found.push({ url: each, id: urls.length === 1 ? id : undefined });
  }
  return await Promise.all(
    found.map(async ({ url, id }, index) => ({
      open: openerOf(url, { simulator: config.simulator, clock: options.clock, logger: options.logger }),
      device: formatDeviceUrl(url),
      simulated: url.kind === "sim",
      location: await locationOf(url, options),
      wantedId: id,
      provisionalId: `inverter-${index + 1}`,
    })),
  );
}

async function discover({ tell, roots = systemRoots }: Options): Promise<Exclude<DeviceUrl, AutoUrl>[]> {
  const nodes = await findInverterNodes({ roots });
  if (nodes.length > 0) return nodes.map(urlOf);
  tell("No inverter found on USB: running the built-in SIMULATED inverter. Nothing it shows is real.");
  const serial = await listSerialCandidates({ roots });
  if (serial.length > 0) {
    tell("Serial ports are never tried unasked. If the inverter is on one of these, start again with:");
    for (const { path } of serial) tell(`  --device serial:${path}`);
  }
  return [{ kind: "sim", parameters: {} }];
}
