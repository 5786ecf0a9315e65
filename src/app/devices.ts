import { TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { Clock } from "../session/clock.ts";
import type { OpenTransport } from "../session/transport.ts";
import { Simulation } from "../sim/transport.ts";
import {
  formatDeviceUrl,
  inverterUsbId,
  type AutoUrl,
  type DeviceUrl,
  type HidrawPortUrl,
  type HidrawUrl,
} from "../transport/device-url.ts";
import {
  findInverterNodes,
  listHidrawNodes,
  listSerialCandidates,
  systemRoots,
  type HidrawNode,
  type SystemRoots,
} from "../transport/discover.ts";
import { openTransport } from "../transport/open.ts";
import type { Config } from "./config.ts";

interface OpenerOptions {
  readonly simulator: Config["simulator"];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly roots?: SystemRoots;
}

/** How to open a device, again and again. */
export function openerOf(
  url: Exclude<DeviceUrl, AutoUrl>,
  { simulator, clock, logger, roots = systemRoots }: OpenerOptions,
): OpenTransport {
  if (url.kind !== "sim") return ({ signal }) => openTransport(url, { signal, logger, roots });
  // The first unit of a parallel system tells of the others.
  const [line] = new Simulation({ clock, ...simulator }).lines;
  if (line === undefined) throw new TransportError("transport-open", "sim: expected one line, got none");
  return line.open;
}

/** The one inverter on USB that `auto` stands for when a question is to be asked. Throws TransportError when there is none or a choice. */
export async function onlyDevice(
  url: DeviceUrl,
  { roots = systemRoots }: { readonly roots?: SystemRoots } = {},
): Promise<Exclude<DeviceUrl, AutoUrl>> {
  if (url.kind !== "auto") return url;
  const nodes = await findInverterNodes({ roots });
  const [first] = nodes;
  if (first !== undefined && nodes.length === 1) return urlOf(first);
  if (first !== undefined) {
    const choices = nodes.map((node) => formatDeviceUrl(urlOf(node))).join(", ");
    throw new TransportError("transport-open", `expected one inverter on USB, found ${nodes.length}; choose one with --device: ${choices}`);
  }
  const serial = await listSerialCandidates({ roots });
  const others =
    serial.length === 0
      ? "and there is no serial port either"
      : `but there are serial ports, which are never tried unasked: ${serial.map(({ path }) => `--device serial:${path}`).join(", ")}`;
  throw new TransportError("transport-open", `expected an inverter on USB (${inverterUsbId}), found none; ${others}`);
}

/** By the socket where the kernel tells it: node numbers change at boot. */
export function urlOf(node: HidrawNode): HidrawUrl | HidrawPortUrl {
  return node.physicalPath === ""
    ? { kind: "hidraw", path: node.path, usbId: inverterUsbId }
    : { kind: "hidraw-port", physicalPath: node.physicalPath, usbId: inverterUsbId };
}

/** Where a node is: its USB socket, or its path where the kernel does not tell the socket. */
export function placeOf(node: HidrawNode): string {
  return node.physicalPath || node.path;
}

/** Where a device is, for recognising the inverter behind it after a restart. */
export async function locationOf(
  url: Exclude<DeviceUrl, AutoUrl>,
  { roots = systemRoots }: { readonly roots?: SystemRoots } = {},
): Promise<string> {
  switch (url.kind) {
    case "sim":
      return "sim";
    case "tcp":
      return `${url.host}:${url.port}`;
    case "serial":
      return url.path;
    case "hidraw-port":
      return url.physicalPath;
    case "hidraw":
      return (await listHidrawNodes({ roots })).find(({ path }) => path === url.path)?.physicalPath || url.path;
  }
}
