import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { Clock } from "../session/clock.ts";
import { Line } from "../session/line.ts";
import type { PlanItem } from "../session/poller.ts";
import type { OpenTransport } from "../session/transport.ts";
import { isSimulated } from "../sim/answers.ts";
import { Unit, type Identity } from "../session/unit.ts";
import type { InverterRegistry } from "./registry.ts";
import { together } from "./together.ts";

/** One configured device, resolved: what to open and how to call it. */
export interface Target {
  readonly open: OpenTransport;
  /** The device URL for people. */
  readonly device: string;
  readonly simulated: boolean;
  /** Where it is, for recognising the unit after a restart. */
  readonly location: string;
  /** The id that the configuration gives it. */
  readonly wantedId: string | undefined;
  /** What it is called until it has said who it is, if it was never seen before. */
  readonly provisionalId: string;
}

export interface LiveInverterOptions {
  readonly target: Target;
  readonly plan: readonly PlanItem[];
  readonly registry: InverterRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Every output. */
  readonly outputs: Sink;
  /** The page, which also shows an inverter that nobody has met yet. */
  readonly page: Sink & { forget(inverter: string): void };
}

/** An inverter of the running program: its line, what it says, and who it is. */
export class LiveInverter {
  readonly #options: LiveInverterOptions;
  readonly #line: Line;
  readonly #unit: Unit;
  #info: InverterInfo;
  /** False until the unit at the other end has said who it is or was known from before: outputs that keep things wait for that. */
  #known: boolean;

  constructor(options: LiveInverterOptions) {
    const { target, registry, clock, logger, plan } = options;
    this.#options = options;
    const knownId = target.wantedId ?? registry.at(target.location);
    this.#known = knownId !== undefined;
    this.#info = { id: knownId ?? target.provisionalId, device: target.device, simulated: target.simulated };
    this.#line = new Line({ open: target.open, clock, logger, random: Math.random, onStatus: (status) => this.#linkChanged(status) });
    this.#unit = new Unit({
      line: this.#line,
      clock,
      logger,
      plan,
      onIdentity: (identity) => this.#recognised(identity),
      onReading: (reading) => this.#read(reading),
      onProblem: (message) => this.#publish({ state: "silent", since: clock.now(), message }),
    });
  }

  get info(): InverterInfo {
    return this.#info;
  }

  get counters(): LinkCounters {
    return this.#line.counters;
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#publish(this.#line.status);
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    await together([this.#line.run({ signal: stop }), this.#unit.run({ signal: stop })], failed);
  }

  #linkChanged(status: LinkStatus): void {
    const { logger } = this.#options;
    if (status.state === "online") logger.info(`${this.#info.id}: the inverter answers`, { device: this.#info.device });
    else logger.warn(`${this.#info.id}: ${status.message}`, { device: this.#info.device });
    // Online counts from the moment at which the unit has said who it is.
    if (status.state !== "online") this.#publish(status);
    this.#unit.linkChanged(status);
  }

  #recognised(identity: Identity): string {
    const { target, registry, logger, page } = this.#options;
    // Another sonkrag may serve a simulated unit on this port.
    const simulated = target.simulated || isSimulated(identity.serialNumber);
    const id = registry.identify(target.location, identity.serialNumber, {
      wanted: target.wantedId,
      prefix: simulated ? "simulated" : "axpert",
    });
    if (id !== this.#info.id && !this.#known) page.forget(this.#info.id);
    const { serialNumber, model, firmware } = identity;
    this.#info = {
      id,
      device: target.device,
      simulated,
      ...(serialNumber !== undefined && { serialNumber }),
      ...(model !== undefined && { model }),
      ...(firmware !== undefined && { firmware }),
    };
    this.#known = true;
    logger.info(`${id}: ${model ?? "unknown model"}, serial number ${serialNumber ?? "unknown"}, firmware ${firmware ?? "unknown"}`);
    this.#publish(this.#line.status);
    return id;
  }

  #read(reading: Reading): void {
    this.#options.outputs.reading(reading, this.#info);
  }

  #publish(status: LinkStatus): void {
    if (this.#known) this.#options.outputs.status(status, this.#info);
    else this.#options.page.status(status, this.#info);
  }
}
