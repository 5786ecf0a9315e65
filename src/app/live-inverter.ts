import type { LinkReport } from "../api/link.ts";
import { TransportError } from "../model/errors.ts";
import type { Evidence } from "../model/journal.ts";
import type { Logger } from "../model/logger.ts";
import type { metric } from "../model/metric.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { CardDocument } from "../model/card.ts";
import type { Request } from "../protocol/command.ts";
import { BalanceWatch } from "../protocol/pi30/balance-watch.ts";
import { inWordsOf } from "../protocol/pi30/words.ts";
import type { UnitMake } from "../protocol/setting.ts";
import type { Clock } from "../session/clock.ts";
import type { Answer } from "../session/job.ts";
import { UnitControl } from "../session/control.ts";
import { Line } from "../session/line.ts";
import type { PlanItem } from "../session/poller.ts";
import type { OpenTransport } from "../session/transport.ts";
import { tapped } from "../session/traffic.ts";
import { serialNumberAt, serialNumberNow } from "../session/who-is-there.ts";
import { isSimulated } from "../sim/answers.ts";
import { identityOf, Unit, type Identity } from "../session/unit.ts";
import type { CardStore } from "./cards.ts";
import { LatestAnswers } from "./latest-answers.ts";
import { LinkRecorder } from "./link-recorder.ts";
import { linkReportOf } from "./link-report.ts";
import type { InverterRegistry } from "./registry.ts";
import { Notices } from "./notices.ts";
import { together } from "./together.ts";

const energyCounter: keyof typeof metric & keyof Evidence = "pvEnergyTotal";

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
  /** Where model cards are kept; without it each is made anew at every start. */
  readonly cards?: Pick<CardStore, "recall" | "keep">;
  /** True where the user has allowed settings beyond the narrowest documented range. */
  readonly wide?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Every output. */
  readonly outputs: Sink;
  /** The page, which also shows an inverter that nobody has met yet. */
  readonly page: Sink & { forget(inverter: string): void };
}

/** An inverter of the running program: its line, what it says, and who it is. */
export class LiveInverter {
  /** The last minutes of its link. */
  readonly recorder: LinkRecorder;
  readonly #options: LiveInverterOptions;
  readonly #line: Line;
  readonly #unit: Unit;
  readonly #notices = new Notices();
  readonly #balance = new BalanceWatch();
  readonly #latest = new LatestAnswers();
  #info: InverterInfo;
  #control: UnitControl;
  #problemSince: { readonly message: string; readonly since: number } | undefined;
  /** False until the unit at the other end has said who it is or was known from before: outputs that keep things wait for that. */
  #known: boolean;
  /** True from the moment at which the unit has said who it is until the link is lost: another one may answer then. */
  #isMet = false;
  /** Wh, told since it was met. */
  #pvEnergyTotal: number | undefined;

  constructor(options: LiveInverterOptions) {
    const { target, registry, cards, clock, logger, plan } = options;
    this.#options = options;
    const seen = registry.expect(target.location);
    const knownId = target.wantedId ?? seen?.id;
    this.#known = knownId !== undefined;
    this.#info = {
      id: knownId ?? target.provisionalId,
      device: target.device,
      simulated: target.simulated || isSimulated(seen?.serialNumber),
    };
    this.recorder = new LinkRecorder(clock);
    const open = tapped(target.open, clock, this.recorder.traffic);
    this.#line = new Line({ open, clock, logger, random: Math.random, onStatus: (status) => this.#linkChanged(status) });
    this.#unit = new Unit({
      line: this.#line,
      clock,
      logger,
      plan,
      onIdentity: (identity) => this.#recognised(identity),
      onReading: (reading) => this.#read(reading),
      onProblem: (message) => this.#problem(message),
      ...(cards && {
        expected: knownId === undefined ? undefined : identityOf(cards.recall(knownId)),
        recall: (id) => cards.recall(id),
        onCard: (card, id) => cards.keep(id, card),
      }),
    });
    this.#control = this.#controlled();
  }

  /** Changes the settings of the unit that is there now, and of no other that comes after it; for the control service alone, which guards it. */
  get control(): UnitControl {
    return this.#control;
  }

  /** For the unit that has said who it is, never for one that has taken its place. */
  #controlled(): UnitControl {
    const line = this.#line;
    const { id, serialNumber } = this.#info;
    const met = (): Line => {
      if (!this.#isMet) throw new TransportError("link-down", `${id} has not said who it is yet`);
      if (this.#info.id !== id || this.#info.serialNumber !== serialNumber)
        throw new TransportError("link-down", `Another inverter answers in place of ${id}`);
      return line;
    };
    return new UnitControl({
      line: {
        ask: async (what, how) => {
          const answer = await met().ask(what, how);
          this.#latest.learn(what.command, answer);
          return answer;
        },
        tell: async (write, how) => {
          const there = met();
          // The same command means another thing on some makes.
          if (this.card?.card.complete !== true)
            throw new TransportError(
              "link-down",
              `What make ${id} is, is still being found out; that takes about 20 s after the first contact`,
            );
          try {
            return await there.tell(write, how);
          } finally {
            this.#latest.changedBy(write);
          }
        },
        get requestChecksum() {
          return line.requestChecksum;
        },
      },
      clock: this.#options.clock,
      facts: () => ({ ...this.make, wide: this.#options.wide === true }),
      latest: ({ command }) => {
        const isSame = this.#info.id === id && this.#info.serialNumber === serialNumber;
        return isSame ? this.#latest.of(command, this.card?.card.commands[command]) : undefined;
      },
      mustBeThere: async ({ number, signal }) => {
        if (serialNumber === undefined) return;
        const ask: Line["ask"] = async (what, how) => await met().ask(what, how);
        // A cable can change places without the line noticing.
        const now = await serialNumberNow(ask, { signal });
        if (now === serialNumber) return number === undefined ? undefined : await mustHaveNumber(ask, number, { id, serialNumber, signal });
        if (now === undefined) throw new TransportError("link-down", `${id} does not say who it is at the moment`);
        this.#isMet = false;
        this.#unit.meetAgain();
        throw new TransportError("link-down", `Another inverter, with the serial number ${now}, answers in place of ${id}`);
      },
    });
  }

  /** True while it answers and it is known who answers. */
  get isMet(): boolean {
    return this.#isMet && this.#line.status.state === "online";
  }

  get info(): InverterInfo {
    return this.#info;
  }

  /** What tells it from another unit with the same serial number, as far as it has told since it was met. */
  get evidence(): Evidence {
    const { model, firmware } = this.#info;
    const pvEnergyTotal = this.#pvEnergyTotal;
    return {
      ...(model !== undefined && { model }),
      ...(firmware !== undefined && { firmware }),
      ...(pvEnergyTotal !== undefined && { pvEnergyTotal }),
    };
  }

  get counters(): LinkCounters {
    return this.#line.counters;
  }

  /** Of the line; what is published may also tell of a unit that answers but cannot be used. */
  get status(): LinkStatus {
    return this.#line.status;
  }

  /** How its link works. */
  get link(): LinkReport {
    return linkReportOf(this.#info.id, this.#line, this.recorder, { now: this.#options.clock.now(), balance: this.#balance.state });
  }

  /** What was found out about its make; absent until it was met. */
  get card(): CardDocument | undefined {
    const { card, cardFacts: facts } = this.#unit;
    return card && facts && { card, facts, balance: this.#balance.state };
  }

  /** What a decision about its settings may rest on besides its answers of the moment; `wide` is the user's to say. */
  get make(): Omit<UnitMake, "wide"> {
    const facts = this.#unit.cardFacts;
    return { family: facts?.family ?? "unknown", unit: facts?.parallel.number ?? 0 };
  }

  /** Where it is, as the registry knows places. */
  get location(): string {
    return this.#options.target.location;
  }

  /** Asks for somebody who waits, before what is polled; see `Line.ask`. */
  async ask(what: Request, { signal, urgent = true }: { readonly signal: AbortSignal; readonly urgent?: boolean }): Promise<Answer> {
    return await this.#line.ask(what, { signal, urgent });
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#publish(this.#line.status);
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    await together([this.#line.run({ signal: stop }), this.#unit.run({ signal: stop })], failed);
  }

  /** The unit answers but cannot be used; told again and again as long as it lasts. */
  #problem(message: string): void {
    const { clock, logger } = this.#options;
    if (this.#problemSince?.message === message) return;
    this.#problemSince = { message, since: clock.now() };
    logger.warn(`${this.#info.id}: ${message}`, { device: this.#info.device });
    this.#publish({ state: "silent", ...this.#problemSince });
  }

  #linkChanged(status: LinkStatus): void {
    const { logger, registry, target } = this.#options;
    this.#problemSince = undefined;
    if (status.state !== "online") this.#isMet = false;
    if (status.state !== "online") this.#pvEnergyTotal = undefined;
    if (status.state !== "online") registry.gone(target.location);
    if (status.state === "online") logger.info(`${this.#info.id}: the inverter answers`, { device: this.#info.device });
    else logger.warn(`${this.#info.id}: ${status.message}`, { device: this.#info.device });
    // Online counts from the moment at which the unit has said who it is.
    if (status.state !== "online") this.#publish(status);
    this.#unit.linkChanged(status);
  }

  #recognised(identity: Identity): string {
    const { target, registry, logger } = this.#options;
    // Another sonkrag may serve a simulated unit on this port.
    const simulated = target.simulated || isSimulated(identity.serialNumber);
    const id = registry.identify(target.location, identity.serialNumber, {
      wanted: target.wantedId,
      outputMode: identity.outputMode,
      prefix: simulated ? "simulated" : "axpert",
    });
    if (id !== this.#info.id) {
      this.#leave(this.#info.id, id);
      this.#notices.forget();
    }
    this.#problemSince = undefined;
    const { serialNumber, model, firmware } = identity;
    const isSame = id === this.#info.id && serialNumber === this.#info.serialNumber;
    if (!isSame || firmware !== this.#info.firmware) this.#balance.forget();
    this.#info = {
      id,
      device: target.device,
      simulated,
      ...(serialNumber !== undefined && { serialNumber }),
      ...(model !== undefined && { model }),
      ...(firmware !== undefined && { firmware }),
    };
    if (!isSame) {
      this.#latest.forget();
      this.#control = this.#controlled();
    }
    this.#known = true;
    // A name can still come in after the link was lost; another unit may be there by then.
    this.#isMet = this.#line.status.state === "online";
    logger.info(`${id}: ${model ?? "unknown model"}, serial number ${serialNumber ?? "unknown"}, firmware ${firmware ?? "unknown"}`);
    this.#publish(this.#line.status);
    return id;
  }

  /** What was shown under the former id is over. */
  #leave(former: string, now: string): void {
    const { target, registry, page, clock } = this.#options;
    if (!this.#known) page.forget(former);
    else if (!registry.isElsewhere(former, target.location))
      this.#publish({ state: "lost", since: clock.now(), message: `Another inverter, ${now}, answers in its place.` });
  }

  #read(reading: Reading): void {
    this.#latest.learn(reading.command, { kind: "data", ...reading });
    const total = reading.values[energyCounter];
    if (typeof total === "number") this.#pvEnergyTotal = total;
    const { family } = this.make;
    const worded = { ...reading, values: inWordsOf(family, reading.values) };
    const hasSecond = this.#unit.card?.commands["QPIGS2"]?.support === "answers";
    const told = this.#balance.take(worded, { monotonicMs: this.#options.clock.monotonic(), hasSecond });
    this.#options.outputs.reading(this.#notices.added(told, family), this.#info);
  }

  #publish(status: LinkStatus): void {
    this.recorder.status(status);
    const { target, registry } = this.#options;
    // The unit that was here last answers at another place: what happens here is not about it any more.
    if (this.#known && target.wantedId === undefined && registry.isElsewhere(this.#info.id, target.location)) {
      this.#known = false;
      this.#info = { id: target.provisionalId, device: target.device, simulated: target.simulated };
    }
    if (this.#known) this.#options.outputs.status(status, this.#info);
    else this.#options.page.status(status, this.#info);
  }
}

/** A command with the number of another unit would change that one. Throws TransportError. */
async function mustHaveNumber(
  ask: Line["ask"],
  number: number,
  { id, serialNumber, signal }: { readonly id: string; readonly serialNumber: string; readonly signal: AbortSignal },
): Promise<void> {
  const at = await serialNumberAt(ask, number, { signal });
  if (at === serialNumber || (at === undefined && number === 0)) return;
  throw new TransportError(
    "link-down",
    `The command would hold the number ${number} for ${id}, but in the parallel system that is ${at === undefined ? "nobody" : `the unit ${at}`} now`,
  );
}
