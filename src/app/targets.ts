import type { Logger } from "../model/logger.ts";
import type { Clock } from "../session/clock.ts";
import { formatDeviceUrl, parseDeviceUrl, type AutoUrl, type DeviceUrl } from "../transport/device-url.ts";
import { findInverterNodes, listSerialCandidates, systemRoots, type SystemRoots } from "../transport/discover.ts";
import type { Config } from "./config.ts";
import { locationOf, openerOf, placeOf } from "./devices.ts";
import type { Target } from "./live-inverter.ts";
import { UsbTarget } from "./usb-target.ts";

interface Options {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a line for the person who started the program. */
  readonly tell: (line: string) => void;
  readonly roots?: SystemRoots;
}

/**
 * The configured inverters. `auto` becomes every inverter on USB that is not configured by itself; where there is no
 * inverter at all, the simulated one.
 */
export async function targetsOf(
  { inverters, simulator }: Config,
  { clock, logger, tell, roots = systemRoots }: Options,
): Promise<Target[]> {
  const named = inverters.map(({ device, id }) => ({ url: parseDeviceUrl(device), id }));
  const targets: Target[] = [];
  const nextId = (): string => `inverter-${targets.length + 1}`;
  const places = new Map<unknown, string>();
  const add = async (url: Exclude<DeviceUrl, AutoUrl>, wantedId: string | undefined): Promise<void> => {
    const target = {
      open: openerOf(url, { simulator, clock, logger, roots }),
      device: formatDeviceUrl(url),
      simulated: url.kind === "sim",
      location: await locationOf(url, { roots }),
      wantedId,
      provisionalId: nextId(),
    };
    places.set(target, target.location);
    targets.push(target);
  };

  for (const { url, id } of named) if (url.kind !== "auto") await add(url, id);
  const auto = named.find(({ url }) => url.kind === "auto");
  if (auto === undefined) return targets;

  const taken = new Set(places.values());
  const nodes = (await findInverterNodes({ roots })).filter((node) => !taken.has(placeOf(node)));
  for (const node of nodes) {
    const wantedId = nodes.length === 1 ? auto.id : undefined;
    targets.push(new UsbTarget({ node, wantedId, provisionalId: nextId(), places, roots, logger }));
  }
  if (targets.length === 0) {
    await tellOfSimulation(tell, roots);
    await add({ kind: "sim", parameters: {} }, auto.id);
  }
  return targets;
}

async function tellOfSimulation(tell: (line: string) => void, roots: SystemRoots): Promise<void> {
  tell("No inverter found on USB: running the built-in SIMULATED inverter. Nothing it shows is real.");
  const serial = await listSerialCandidates({ roots });
  if (serial.length === 0) return;
  tell("Serial ports are never tried unasked. If the inverter is on one of these, start again with:");
  for (const { path } of serial) tell(`  --device serial:${path}`);
}
