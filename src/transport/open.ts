import type { Logger } from "../model/logger.ts";
import type { Transport } from "../session/transport.ts";
import type { MediumUrl } from "./device-url.ts";
import type { SystemRoots } from "./discover.ts";
import { openHidraw } from "./hidraw.ts";
import { openSerial } from "./serial.ts";
import { openTcp } from "./tcp.ts";

export interface OpenOptions {
  readonly signal: AbortSignal;
  /** Hears of what does not stop the port from working, such as a missing lock program. */
  readonly logger?: Logger;
  /** Where the system's own files are; tests point them at a made-up tree. */
  readonly roots?: SystemRoots;
}

/** Opens the medium of a device URL, alone on this machine; throws TransportError `transport-open` or `transport-busy`. */
export async function openTransport(url: MediumUrl, options: OpenOptions): Promise<Transport> {
  switch (url.kind) {
    case "hidraw":
    case "hidraw-port":
      return openHidraw(url, options);
    case "serial":
      return openSerial(url, options);
    case "tcp":
      return openTcp(url, options);
  }
}
