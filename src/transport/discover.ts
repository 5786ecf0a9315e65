import { readdir, readFile, realpath } from "node:fs/promises";
import { inverterUsbId } from "./device-url.ts";

/** Where the system's own files are; tests point them at a made-up tree. */
export interface SystemRoots {
  readonly sys: string;
  readonly dev: string;
}

export const systemRoots: SystemRoots = { sys: "/sys", dev: "/dev" };

/** A HID device as the kernel describes it. */
export interface HidrawNode {
  /** E.g. `/dev/hidraw0`; the number may change at every boot. */
  readonly path: string;
  readonly vendorId: number;
  readonly productId: number;
  readonly name: string;
  /** The USB socket, e.g. `usb-0000:01:00.0-1.2`; stays the same as long as the cable stays where it is. */
  readonly physicalPath: string;
}

/** A serial port that an inverter may be on. Listed only: writing to an unknown serial device may do anything. */
export interface SerialCandidate {
  /** The most lasting name there is, e.g. `/dev/serial/by-id/usb-FTDI_…`. */
  readonly path: string;
  /** The node that name leads to, e.g. `/dev/ttyUSB0`. */
  readonly node: string;
}

interface Where {
  readonly roots?: SystemRoots;
}

/** Every HID device the kernel offers a raw node for, in the order of their USB sockets; opens none of them. */
export async function listHidrawNodes({ roots = systemRoots }: Where = {}): Promise<readonly HidrawNode[]> {
  const names = await entriesOf(`${roots.sys}/class/hidraw`);
  const nodes = await Promise.all(
    names.map(async (name) => nodeFrom(await contentOf(`${roots.sys}/class/hidraw/${name}/device/uevent`), `${roots.dev}/${name}`)),
  );
  return nodes
    .filter((node) => node !== undefined)
    .toSorted((a, b) => inNaturalOrder(a.physicalPath, b.physicalPath) || inNaturalOrder(a.path, b.path));
}

/** The nodes that carry the inverters' USB id. Some UPSs carry it too: only an identity query tells. */
export async function findInverterNodes({ roots = systemRoots }: Where = {}): Promise<readonly HidrawNode[]> {
  return (await listHidrawNodes({ roots })).filter((node) => usbIdOf(node) === inverterUsbId);
}

/** What the kernel knows of the HID device behind an open node, by its `major:minor`; absent when it is none or sysfs is not there. */
export async function describeHidraw(
  deviceNumber: string,
  path: string,
  { sys }: Pick<SystemRoots, "sys"> = systemRoots,
): Promise<HidrawNode | undefined> {
  return nodeFrom(await contentOf(`${sys}/dev/char/${deviceNumber}/device/uevent`), path);
}

/** Serial ports for a person to choose from, each once and by its most lasting name; opens none of them. */
export async function listSerialCandidates({ roots = systemRoots }: Where = {}): Promise<readonly SerialCandidate[]> {
  const lasting = (await entriesOf(`${roots.dev}/serial/by-id`)).map((name) => `serial/by-id/${name}`);
  const nodes = (await entriesOf(roots.dev)).filter((name) => /^(tty(USB|ACM)\d+|ttyAMA0|serial0)$/.test(name));
  const byNode = new Map<string, SerialCandidate>();
  for (const name of [...lasting, ...nodes].toSorted(byKindOfName)) {
    const path = `${roots.dev}/${name}`;
    const node = await realpath(path).catch(() => undefined);
    if (node !== undefined && !byNode.has(node)) byNode.set(node, { path, node });
  }
  return [...byNode.values()];
}

/** `vvvv:pppp` in lower-case hex. */
export function usbIdOf({ vendorId, productId }: Pick<HidrawNode, "vendorId" | "productId">): string {
  return [vendorId, productId].map((id) => id.toString(16).padStart(4, "0")).join(":");
}

/** `HID_ID=bus:vendor:product` in hex, `HID_NAME`, and `HID_PHYS`, which is the socket with `/input` and the interface behind it. */
function nodeFrom(uevent: string, path: string): HidrawNode | undefined {
  const [, vendor, product] = /^HID_ID=[0-9a-f]+:([0-9a-f]+):([0-9a-f]+)$/im.exec(uevent) ?? [];
  if (vendor === undefined || product === undefined) return undefined;
  return {
    path,
    vendorId: Number.parseInt(vendor, 16),
    productId: Number.parseInt(product, 16),
    name: /^HID_NAME=(.*)$/m.exec(uevent)?.[1]?.trim() ?? "",
    physicalPath: (/^HID_PHYS=(.*)$/m.exec(uevent)?.[1] ?? "").replace(/\/input\d+$/, ""),
  };
}

/** Lasting names first, then what the system calls its main port, then plain nodes. */
function byKindOfName(a: string, b: string): number {
  const rank = (name: string): number => (name.startsWith("serial/") ? 0 : name.startsWith("serial") ? 1 : 2);
  return rank(a) - rank(b) || inNaturalOrder(a, b);
}

/** `hidraw2` before `hidraw10`. */
function inNaturalOrder(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** A machine without such devices has no such directory, and a device may leave while we look. */
async function entriesOf(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}

async function contentOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
