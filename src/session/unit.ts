import { FrameError, ReplyError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { CardFacts, ModelCard } from "../model/card.ts";
import type { LinkStatus, Reading, Values } from "../model/reading.ts";
import { request, type Query } from "../protocol/command.ts";
import { isSharedSerialNumber } from "../protocol/identify.ts";
import { hasZeroByte } from "../protocol/encode.ts";
import { asTold, derived, emptyCard, isCardOf, isLearning, isThere, observe, withFact, type Observation } from "../protocol/pi30/card.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { QEDyyyymmdd, QET } from "../protocol/pi30/energy.ts";
import { QGMN, QID, QMN, QSID, QVFW } from "../protocol/pi30/identity.ts";
import { QP2GSn, QPGSn } from "../protocol/pi30/parallel.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { derive } from "../protocol/reading.ts";
import type { Clock } from "./clock.ts";
import type { Answer, Effort } from "./job.ts";
import type { Line } from "./line.ts";
import { Poller, type PlanItem } from "./poller.ts";
import { dialectOf, inquire, type Found } from "./who-is-there.ts";

/** What the unit said about itself; absent where it refused or was silent. */
export interface Identity {
  readonly protocol: string;
  readonly serialNumber?: string;
  readonly model?: string;
  readonly firmware?: string;
  /** Its place in a parallel system, e.g. `phase2Of3`; asked only of a unit whose serial number does not tell it apart. */
  readonly outputMode?: string;
}

type Ask = Line["ask"];

function textOf(found: Found, name: string): string | undefined {
  const value = typeof found === "object" && "values" in found ? found.values[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** What a unit is called that tells only the number of its model. */
function modelOf(number: unknown): string | undefined {
  return typeof number === "string" ? `model ${number}` : undefined;
}

/** Who a unit is, except for its name, which some firmware meets with silence, twice and for long. */
interface Introduction {
  readonly identity: Identity;
  /** Resolves late, and to nothing where the unit does not tell or the link goes down. */
  readonly model: Promise<string | undefined>;
}

/** `met` is who was there before: the same unit is not asked for its name again. `effort` is for the name. */
async function introduce(ask: Ask, met: Identity | undefined, signal: AbortSignal, effort: Effort): Promise<Introduction> {
  const dialect = await dialectOf(ask, signal);
  if (!dialect.known) throw new ReplyError("reply-foreign", dialect.reason);
  const text = async (query: Query, name: string): Promise<string | undefined> => textOf(await inquire(ask, query, signal), name);
  const askModel = async (): Promise<string | undefined> => {
    try {
      const found = await inquire(ask, QMN, signal, effort);
      const name = textOf(found, "modelName");
      // Silence to both would cost the others time; the poller asks for both again.
      if (name !== undefined || (found === "silence" && effort === "brief")) return name;
      return modelOf(textOf(await inquire(ask, QGMN, signal, effort), "modelNumber"));
    } catch (error) {
      // The end of the link shows in every other question too.
      if (signal.aborted || error instanceof TransportError) return undefined;
      throw error;
    }
  };
  // Side by side: some firmware meets an unknown command with silence, and the waiting times overlap.
  const serialAsked = text(QID, "serialNumber").then((found) => found ?? text(QSID, "serialNumber"));
  const firmwareAsked = text(QVFW, "firmwareVersion");
  const modelAsked = met ? undefined : askModel();
  const [serialNumber, firmware] = await Promise.all([serialAsked, firmwareAsked]);
  const outputMode = isSharedSerialNumber(serialNumber) ? await text(QPIRI, "outputMode") : undefined;
  const isSame = met !== undefined && serialNumber !== undefined && met.serialNumber === serialNumber && met.firmware === firmware;
  return {
    identity: {
      protocol: dialect.protocol,
      ...(serialNumber !== undefined && { serialNumber }),
      ...(firmware !== undefined && { firmware }),
      ...(outputMode !== undefined && { outputMode }),
      ...(isSame && met.model !== undefined && { model: met.model }),
    },
    // A unit that did not tell its name is asked by the poller.
    model: modelAsked ?? (isSame ? Promise.resolve(met.model) : askModel()),
  };
}

function named(identity: Identity, model: string | undefined): Identity {
  return model === undefined ? identity : { ...identity, model };
}

/**
 * A read-only identity probe: six short inquiries, half a second on the wire. Throws ReplyError `reply-foreign` when the
 * unit speaks a protocol that is not supported, another ReplyError or FrameError when it could not be understood,
 * TransportError when the link goes down.
 */
export async function probe(ask: Ask, { signal }: { readonly signal: AbortSignal }): Promise<Identity> {
  const { identity, model } = await introduce(ask, undefined, signal, "full");
  return named(identity, await model);
}

export interface UnitOptions {
  readonly line: Line;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly plan: readonly PlanItem[];
  /** Told who is at the other end, at first contact and after every reconnect; returns our own stable id of it. */
  readonly onIdentity: (identity: Identity) => string;
  readonly onReading: (reading: Reading) => void;
  /** Who was here when the program ran last; the same unit is not asked for its name again. */
  readonly expected?: Identity | undefined;
  /** The card that was kept of the inverter with this id, whatever it was made with. */
  readonly recall?: (id: string) => ModelCard | undefined;
  /** Told whenever something new was found out about the make of the unit. */
  readonly onCard?: (card: ModelCard, id: string) => void;
  /** Told when the unit at the other end cannot be used although it answers. */
  readonly onProblem: (message: string) => void;
}

/** Pause before a unit of another protocol is asked again who it is: somebody may have changed it for one that can be read. */
const ASK_AGAIN_MS = 15_000;
/** The same for a unit that could not be understood. */
const UNDERSTOOD_AGAIN_MS = 2000;

/** How often a parallel unit is looked for that was never there. */
const UNIT_AGAIN_MS = 300_000;
const DAY_MS = 86_400_000;
/** Of 365 dates two or three have a zero byte in their checksum. */
const SEARCHED_DAYS = 1000;

/** How long the first values wait for the unit's name. */
const NAME_PATIENCE_MS = 700;

/** One live inverter: who it is, then readings for ever, and who it is again after every loss of the link. */
export class Unit {
  readonly #options: UnitOptions;
  readonly #poller: Poller;
  #id = "";
  /** Who was met last, name included. */
  #met: Identity | undefined;
  #session = new AbortController();
  /** Commands that have told of a unit of a parallel system. */
  readonly #unitsSeen = new Set<string>();
  #card: ModelCard | undefined;
  #cardFacts: { readonly of: ModelCard; readonly facts: CardFacts } | undefined;
  /** The latest values by command. */
  readonly #values = new Map<string, Values>();

  constructor(options: UnitOptions) {
    this.#options = options;
    this.#met = options.expected;
    this.#poller = new Poller({
      clock: options.clock,
      logger: options.logger,
      plan: options.plan,
      ask: (what, how) => options.line.ask(asTold(what, this.#card, this.cardFacts?.family), how),
      online: ({ signal }) => options.line.online({ signal }),
      ready: ({ signal }) => options.line.ready({ signal }),
      onData: (answer) => this.#read(answer),
      onFailure: ({ command, support, body }) => this.#failed({ command, support, payload: body }),
    });
  }

  /** What was found out about the make of the unit that was met last; absent before the first. */
  get card(): ModelCard | undefined {
    return this.#card;
  }

  /** What follows from the card; absent with it. */
  get cardFacts(): CardFacts | undefined {
    if (this.#card && this.#cardFacts?.of !== this.#card) this.#cardFacts = { of: this.#card, facts: derived(this.#card) };
    return this.#cardFacts?.facts;
  }

  /** The latest values of a command, as sent; absent before the first answer of the unit that was met last. */
  values(command: string): Values | undefined {
    return this.#values.get(command);
  }

  get unsupported(): string[] {
    return this.#poller.unsupported;
  }

  /** To be called on every change of the line's state: polling stops with the link and starts again with the identity. */
  linkChanged(status: LinkStatus): void {
    if (status.state !== "online") this.#session.abort(new TransportError("link-down", status.message));
  }

  /** To be called when another unit was found at the other end: it is asked who it is, and polling starts again. */
  meetAgain(): void {
    this.#session.abort(new TransportError("link-down", "Another unit answers."));
  }

  /**
   * Other units of a parallel system are asked too; the record of one that is not there has no serial number. One that was
   * there is missed and asked on; of the numbers behind it the next two are tried, for one unit may be off at the start.
   */
  #read(answer: Extract<Answer, { kind: "data" }>): void {
    const { command, payload, zeroChecksum } = answer;
    const values = answer.values as Values;
    this.#observe({ command, support: "answers", payload, zeroChecksum });
    this.#values.set(command, values);
    this.#hearName(values);
    if (command === QET.code) this.#learnChecksum();
    // What is only asked to find out whether the unit knows it is no live value.
    if (findRequest(command).query.cadence === "onDemand") return;
    const unit = /^QPGS(\d)$/.exec(answer.command)?.[1];
    if (unit !== undefined) {
      if (!isThere(values)) {
        if (!this.#unitsSeen.has(command)) this.#poller.rest(command, UNIT_AGAIN_MS);
        return;
      }
      this.#unitsSeen.add(command);
      if (values["unitExists"] === true)
        for (const next of [1, 2].map((more) => Number(unit) + more).filter((number) => number <= 9))
          this.#poller.add(request(QPGSn, next), command);
    }
    // Its further solar chargers are asked for as well, where the unit at the cable knows that.
    const charged = Number(/^QP2GS(\d)$/.exec(command)?.[1]);
    if (this.#unitsSeen.has(`QPGS${charged + 1}`)) this.#poller.add(request(QP2GSn, charged + 1), command);
    if (charged > 0 && values["unitExists"] === false) return;
    this.#options.onReading(toReading(this.#id, answer));
  }

  #failed(observation: Observation): void {
    this.#observe(observation);
    // Not at the pace of what cannot be read: two more like it, and the rest of the answer can be.
    if (isLearning(this.#card, observation.command, this.cardFacts?.family)) this.#poller.rest(observation.command, 0);
  }

  #observe(observation: Observation): void {
    if (this.#card) this.#keep(observe(this.#card, observation, this.#options.clock.now()));
  }

  #keep(card: ModelCard): void {
    const { clock, line, onCard } = this.#options;
    const learnt = line.requestChecksum ?? "unknown";
    const whole = withFact(card, "complete", card.complete || this.#poller.complete, clock.now());
    const kept = learnt === "unknown" ? whole : withFact(whole, "requestChecksum", learnt, clock.now());
    if (kept === this.#card) return;
    this.#card = kept;
    onCard?.(kept, this.#id);
  }

  /** It is known who is there: goes on with what is known of that unit, or begins anew. */
  #take(identity: Identity, id: string): void {
    const { clock, line, recall } = this.#options;
    const { outputMode: _, model: __, ...who } = identity;
    const kept = id === this.#id && this.#card ? this.#card : recall?.(id);
    this.#id = id;
    if (kept !== undefined && kept === this.#card && isCardOf(kept, who)) return;
    const isSame = kept !== undefined && isCardOf(kept, who);
    const card = isSame ? kept : emptyCard(who, clock.now(), kept?.serialNumber === who.serialNumber ? kept : undefined);
    this.#unitsSeen.clear();
    this.#values.clear();
    this.#poller.know(card.commands);
    line.requestChecksum = card.requestChecksum === "unknown" ? undefined : card.requestChecksum;
    this.#card = undefined;
    this.#keep(card);
  }

  /** A name that is told late is as good as one told at once. */
  #hearName({ modelName, modelNumber }: Values): void {
    if (this.#met === undefined) return;
    const model = typeof modelName === "string" ? modelName : (this.#met.model ?? modelOf(modelNumber));
    if (model === undefined || model === this.#met.model) return;
    this.#met = { ...this.#met, model };
    this.#id = this.#options.onIdentity(this.#met);
  }

  /** No inquiry that is polled has a checksum with a zero byte: the day's energy of the latest date that has one is asked. */
  #learnChecksum(): void {
    const { clock, line } = this.#options;
    if (line.requestChecksum !== undefined) return;
    for (let day = 0; day < SEARCHED_DAYS; day++) {
      const date = new Date(clock.now() - day * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
      if (!hasZeroByte(QEDyyyymmdd.stem + date)) continue;
      this.#poller.probe(request(QEDyyyymmdd, date), DAY_MS);
      return;
    }
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { line } = this.#options;
    while (!signal.aborted) {
      this.#session = new AbortController();
      try {
        await line.online({ signal });
        await this.#serve(AbortSignal.any([signal, this.#session.signal]));
      } catch (error) {
        // Any end of the link ends the session; what comes next begins with who is there.
        if (!signal.aborted && !(error instanceof TransportError)) throw error;
      }
    }
  }

  async #serve(session: AbortSignal): Promise<void> {
    const { clock, onProblem } = this.#options;
    for (;;) {
      try {
        const { naming, heard } = await this.#meet(session);
        await Promise.all([this.#poller.run({ signal: session, heard }), naming]);
        return;
      } catch (error) {
        if (session.aborted || !(error instanceof ReplyError || error instanceof FrameError)) throw error;
        const isForeign = error.code === "reply-foreign";
        onProblem(isForeign ? error.message : `The inverter answers, but nothing that can be understood: ${error.message}`);
        await clock.sleep(isForeign ? ASK_AGAIN_MS : UNDERSTOOD_AGAIN_MS, { signal: session });
      }
    }
  }

  /**
   * Resolves when it is known which unit is there; `naming`, when its name is known too or never will be. `heard` are the
   * commands of the plan that it has answered meanwhile.
   */
  async #meet(session: AbortSignal): Promise<{ readonly naming: Promise<void>; readonly heard: ReadonlySet<string> }> {
    const { line, clock, plan, onIdentity } = this.#options;
    const answers: Extract<Answer, { kind: "data" }>[] = [];
    const ask: Ask = async (what, how) => {
      const answer = await line.ask(what, how);
      if (answer.kind === "data") answers.push(answer);
      return answer;
    };
    const { identity, model } = await introduce(ask, this.#met, session, "brief");
    this.#met = identity;
    let isTold = false;
    const tell = (name: string | undefined): void => {
      isTold = true;
      this.#take(identity, onIdentity(named(identity, name)));
    };
    const hearName = async (): Promise<void> => {
      const name = await model;
      if (session.aborted) return;
      if (name !== undefined) this.#met = named(identity, name);
      if (!isTold || name !== undefined) tell(name);
    };
    const naming = hearName();
    await Promise.race([naming, clock.sleep(NAME_PATIENCE_MS, { signal: session })]);
    if (!isTold) tell(undefined);
    const wanted = answers.filter(({ command }) => plan.some(({ request: { command: asked } }) => asked === command));
    for (const answer of wanted) this.#read(answer);
    return { naming, heard: new Set(wanted.map(({ command }) => command)) };
  }
}

/** Who a card is about. */
export function identityOf(card: ModelCard | undefined): Identity | undefined {
  if (card === undefined) return undefined;
  const { protocol, serialNumber, firmware } = card;
  const { modelName, modelNumber } = derived(card);
  const identity = { protocol, ...(serialNumber !== undefined && { serialNumber }), ...(firmware !== undefined && { firmware }) };
  return named(identity, modelName ?? modelOf(modelNumber));
}

/** Adds to an answer whose it is and what follows from it. */
export function toReading(inverter: string, answer: Extract<Answer, { kind: "data" }>): Reading {
  const values = answer.values as Values;
  return {
    inverter,
    at: answer.at,
    command: answer.command,
    payload: answer.payload,
    values,
    derived: derive(values),
    tail: answer.tail,
  };
}
