import { TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { OpenTransport } from "../session/transport.ts";
import { formatDeviceUrl, inverterUsbId } from "../transport/device-url.ts";
import { findInverterNodes, type HidrawNode, type SystemRoots } from "../transport/discover.ts";
import { openTransport } from "../transport/open.ts";
import { placeOf, urlOf } from "./devices.ts";
import type { Target } from "./live-inverter.ts";

export interface UsbTargetOptions {
  readonly node: HidrawNode;
  readonly wantedId: string | undefined;
  readonly provisionalId: string;
  /** The places that belong to somebody, by owner; shared, so that no two go for one node. */
  readonly places: Map<unknown, string>;
  readonly roots: SystemRoots;
  readonly logger: Logger;
}

/**
 * One inverter that was found on USB. It is opened where it was last; when it is gone from there and an inverter has come
 * up at a socket that belongs to nobody, it is opened there. Who answers then is for the identity query to tell.
 */
export class UsbTarget implements Target {
  readonly simulated = false;
  readonly wantedId: string | undefined;
  readonly provisionalId: string;
  readonly #options: UsbTargetOptions;
  #node: HidrawNode;

  constructor(options: UsbTargetOptions) {
    this.#options = options;
    this.wantedId = options.wantedId;
    this.provisionalId = options.provisionalId;
    this.#node = options.node;
    options.places.set(this, this.location);
  }

  get device(): string {
    return formatDeviceUrl(urlOf(this.#node));
  }

  get location(): string {
    return placeOf(this.#node);
  }

  readonly open: OpenTransport = async ({ signal }) => {
    const { roots, logger, places } = this.#options;
    const nodes = await findInverterNodes({ roots });
    const taken = new Set(places.values());
    const node = nodes.find((each) => placeOf(each) === this.location) ?? nodes.find((each) => !taken.has(placeOf(each)));
    if (node === undefined) {
      throw new TransportError(
        "transport-open",
        `expected an inverter (${inverterUsbId}) at ${this.device} or at a USB port where none was before, found none; is the cable plugged in?`,
        { context: { errno: "ENOENT" } },
      );
    }
    if (placeOf(node) !== this.location) {
      logger.info(`The inverter at ${this.device} is gone; one has come up at ${formatDeviceUrl(urlOf(node))}`);
      places.set(this, placeOf(node));
    }
    this.#node = node;
    return await openTransport(urlOf(node), { signal, roots, logger });
  };
}
