import { TransportError } from "../model/errors.ts";
import { type Logger, silentLogger } from "../model/logger.ts";
import { nominalBaud, type Transport, type Wire, wireOf } from "../session/transport.ts";
import { claimPort } from "./claim.ts";
import { formatDeviceUrl, type HidrawPortUrl, type HidrawUrl } from "./device-url.ts";
import { describeHidraw, type HidrawNode, listHidrawNodes, type SystemRoots, systemRoots, usbIdOf } from "./discover.ts";
import { deviceNumber } from "./holders.ts";
import { pause } from "./pause.ts";
import { PolledFd } from "./polled-fd.ts";
import { WriteQueue } from "./write-queue.ts";

/** Bytes of payload in a report, both ways; the bridge numbers no reports. */
const reportSize = 8;
/** Between reports of one frame: the bridge drops what comes faster than it can pass on. Older programs wait 350 ms, 50 ms are enough. */
const reportPauseMs = 50;

interface HidrawOptions {
  readonly signal: AbortSignal;
  readonly logger?: Logger;
  readonly roots?: SystemRoots;
}

/**
 * Opens the USB-HID port of an inverter, alone; throws TransportError. A node that is known to be another kind of device
 * (node numbers change at boot) is refused, and nothing is ever written to it.
 */
export async function openHidraw(
  url: HidrawUrl | HidrawPortUrl,
  { signal, logger = silentLogger, roots = systemRoots }: HidrawOptions,
): Promise<Transport> {
  signal.throwIfAborted();
  const path = url.kind === "hidraw" ? url.path : await nodeAt(url, roots);
  const device = await PolledFd.open(path, { signal });
  try {
    const found = await describeHidraw(deviceNumber(device.stats), path, roots);
    assertWanted(url, path, found);
    await claimPort(device, path, { signal, logger });
    return new HidrawTransport(device, formatDeviceUrl(url));
  } catch (error) {
    await device[Symbol.asyncDispose]();
    throw error;
  }
}

async function nodeAt(url: HidrawPortUrl, roots: SystemRoots): Promise<string> {
  const nodes = await listHidrawNodes({ roots });
  const node = nodes.find((each) => each.physicalPath === url.physicalPath && usbIdOf(each) === url.usbId);
  if (node !== undefined) return node.path;
  const seen = nodes.map((each) => `${each.physicalPath} (${usbIdOf(each)} ${each.name})`).join(", ");
  throw new TransportError(
    "transport-open",
    `expected an inverter (${url.usbId}) at USB port ${url.physicalPath}, found ${seen === "" ? "no HID device at all" : `only ${seen}`}; is the cable plugged in?`,
    { context: { physicalPath: url.physicalPath, errno: "ENOENT" } },
  );
}

function assertWanted(url: HidrawUrl | HidrawPortUrl, path: string, found: HidrawNode | undefined): void {
  // Without sysfs (some containers) there is nothing to compare; the identity query decides then.
  if (found === undefined) return;
  const isElsewhere = url.kind === "hidraw-port" && found.physicalPath !== url.physicalPath;
  if (usbIdOf(found) === url.usbId && !isElsewhere) return;
  throw new TransportError(
    "transport-open",
    `expected an inverter (${url.usbId}) at ${path}, found ${found.name} (${usbIdOf(found)}) at USB port ${found.physicalPath}; nothing was sent to it`,
    { context: { path, found } },
  );
}

class HidrawTransport implements Transport {
  readonly address: string;
  /** The bridge talks to the inverter over the unit's own serial line; no answer comes faster than that line. */
  readonly wire: Wire = wireOf(nominalBaud, true, reportSize);
  readonly #device: PolledFd;
  readonly #writes = new WriteQueue();

  constructor(device: PolledFd, address: string) {
    this.#device = device;
    this.address = address;
  }

  /** Whole reports, with the zero bytes that fill the last one of an answer. */
  take(): Uint8Array {
    return this.#device.take();
  }

  write(bytes: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#writes.run(
      async () => {
        for (const [index, report] of reportsOf(bytes).entries()) {
          if (index > 0) await pause(reportPauseMs, { signal });
          await this.#device.writeWhole(report);
        }
      },
      { signal },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writes.close(new TransportError("transport-lost", `${this.address} was closed`));
    await this.#device[Symbol.asyncDispose]();
  }
}

/**
 * What hidraw's write wants for these bytes: the report number, always 0 here, before each eight bytes. The last report is
 * filled up with zeros; unfilled, some units answer NAK to every command that needs more than one (PIP-8048MAX).
 */
export function reportsOf(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / reportSize) }, (_, index) => {
    const report = new Uint8Array(1 + reportSize);
    report.set(bytes.subarray(index * reportSize, (index + 1) * reportSize), 1);
    return report;
  });
}
