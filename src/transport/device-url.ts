import { ConfigError } from "../model/errors.ts";
import { nominalBaud } from "../session/transport.ts";

/** Looks for an inverter by itself. */
export interface AutoUrl {
  readonly kind: "auto";
}

/** The built-in simulated inverter; its parameters are the simulator's own. */
export interface SimUrl {
  readonly kind: "sim";
  readonly parameters: Readonly<Record<string, string>>;
}

/** A hidraw node by its name, which the kernel may give to another device at the next boot. */
export interface HidrawUrl {
  readonly kind: "hidraw";
  readonly path: string;
  /** `vvvv:pppp` in lower-case hex; any other device found at the path is refused. */
  readonly usbId: string;
}

/** A hidraw node by the USB socket it is plugged into, e.g. `usb-0000:01:00.0-1.2`; survives renumbering. */
export interface HidrawPortUrl {
  readonly kind: "hidraw-port";
  readonly physicalPath: string;
  readonly usbId: string;
}

export interface SerialUrl {
  readonly kind: "serial";
  readonly path: string;
  readonly baud: number;
}

/** A serial bridge; `baud` is the speed of the serial line behind it. */
export interface TcpUrl {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
  readonly baud: number;
}

/** What this folder can open. */
export type MediumUrl = HidrawUrl | HidrawPortUrl | SerialUrl | TcpUrl;
export type DeviceUrl = AutoUrl | SimUrl | MediumUrl;

/** The Cypress USB bridge that every PI30 unit carries. */
export const inverterUsbId = "0665:5161";

/** The forms of a device URL, for help texts and error messages. */
export const deviceUrlForms = [
  "auto",
  "hidraw:/dev/hidraw0",
  "hidraw:usb-0000:01:00.0-1.2",
  "serial:/dev/ttyUSB0?baud=2400",
  "tcp://192.168.1.20:8899?baud=2400",
  "sim:",
] as const;

/** Speeds that termios names, bit/s; others would need a system call Node does not offer. */
const bauds = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600];

/** Reads a device URL; also takes a bare `/dev/hidrawN`, `/dev/tty…` or `sim`. Throws ConfigError. */
export function parseDeviceUrl(text: string): DeviceUrl {
  const given = text.trim();
  if (given === "auto" || given === "auto:") return { kind: "auto" };
  // In YAML a value that ends in a colon needs quotes; without it, it needs none.
  if (given === "sim") return { kind: "sim", parameters: {} };
  if (given.startsWith("/")) return parseBarePath(given);

  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/is.exec(given) ?? [];
  const [before = "", ...queryParts] = rest.split("?");
  const query = queryParts.join("?");
  switch (scheme.toLowerCase()) {
    case "hidraw":
      return parseHidraw(given, before, query);
    case "serial":
      return { kind: "serial", path: absolutePath(given, before, "/dev/ttyUSB0"), baud: baudOf(given, parameters(given, query, ["baud"])) };
    case "tcp":
      return parseTcp(given, before, query);
    case "sim":
      if (before !== "") throw malformed(given, 'nothing but "?name=value" after "sim:"');
      return { kind: "sim", parameters: Object.fromEntries(new URLSearchParams(query)) };
    default:
      throw malformed(given, `one of ${deviceUrlForms.join(", ")}`);
  }
}

/** The canonical text of a device URL; defaults are left out. */
export function formatDeviceUrl(url: DeviceUrl): string {
  switch (url.kind) {
    case "auto":
      return "auto";
    case "sim": {
      const query = new URLSearchParams(url.parameters).toString();
      return query === "" ? "sim:" : `sim:?${query}`;
    }
    case "hidraw":
      return `hidraw:${url.path}${usbIdSuffix(url.usbId)}`;
    case "hidraw-port":
      return `hidraw:${url.physicalPath}${usbIdSuffix(url.usbId)}`;
    case "serial":
      return `serial:${url.path}${baudSuffix(url.baud)}`;
    case "tcp":
      return `tcp://${url.host.includes(":") ? `[${url.host}]` : url.host}:${url.port}${baudSuffix(url.baud)}`;
  }
}

function parseBarePath(given: string): DeviceUrl {
  if (/^\/dev\/hidraw\d+$/.test(given)) return { kind: "hidraw", path: given, usbId: inverterUsbId };
  if (/^\/dev\/(tty|serial|pts\/)/.test(given)) return parseDeviceUrl(`serial:${given}`);
  throw malformed(given, `the kind of device before the path, such as hidraw:${given} or serial:${given}`);
}

function parseHidraw(given: string, place: string, query: string): HidrawUrl | HidrawPortUrl {
  const usbId = (parameters(given, query, ["usb"])["usb"] ?? inverterUsbId).toLowerCase();
  if (!/^[0-9a-f]{4}:[0-9a-f]{4}$/.test(usbId)) throw malformed(given, `usb=vendor:product in hex, such as usb=${inverterUsbId}`);
  if (/^usb-\S+$/.test(place)) return { kind: "hidraw-port", physicalPath: place, usbId };
  return { kind: "hidraw", path: absolutePath(given, place, "/dev/hidraw0"), usbId };
}

function parseTcp(given: string, place: string, query: string): TcpUrl {
  const [, bracketed, plain, digits] = /^\/\/(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:/@[\]]+)):(\d{1,5})\/?$/i.exec(place) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw malformed(given, "tcp://host:port with a port from 1 to 65535, such as tcp://192.168.1.20:8899");
  }
  return { kind: "tcp", host, port, baud: baudOf(given, parameters(given, query, ["baud"])) };
}

/** `serial:///dev/x` is the same as `serial:/dev/x`, as it is for files. */
function absolutePath(given: string, place: string, example: string): string {
  const path = place.startsWith("///") ? place.slice(2) : place;
  if (!path.startsWith("/") || path.startsWith("//")) throw malformed(given, `an absolute path, such as ${example}`);
  return path;
}

function parameters(given: string, query: string, allowed: readonly string[]): Record<string, string> {
  const found = Object.fromEntries(new URLSearchParams(query));
  const unknown = Object.keys(found).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw malformed(given, `no parameter but ${allowed.join(", ")} here (found "${unknown}")`);
  return found;
}

function baudOf(given: string, found: Readonly<Record<string, string>>): number {
  const text = found["baud"];
  if (text === undefined) return nominalBaud;
  const baud = bauds.find((known) => String(known) === text);
  if (baud === undefined) throw malformed(given, `baud to be one of ${bauds.join(", ")}`);
  return baud;
}

function baudSuffix(baud: number): string {
  return baud === nominalBaud ? "" : `?baud=${baud}`;
}

function usbIdSuffix(usbId: string): string {
  return usbId === inverterUsbId ? "" : `?usb=${usbId}`;
}

function malformed(given: string, expected: string): ConfigError {
  return new ConfigError(`device: expected ${expected}; got "${given}"`, { context: { given } });
}
