import { ReplyError, SonkragError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { LinkStatus, Reading, Values } from "../model/reading.ts";
import { request, type Query } from "../protocol/command.ts";
import { identify } from "../protocol/identify.ts";
import { QGMN, QID, QMN, QPI, QSID, QVFW } from "../protocol/pi30/identity.ts";
import { QPGSn } from "../protocol/pi30/parallel.ts";
import { derive } from "../protocol/reading.ts";
import type { Clock } from "./clock.ts";
import type { Answer } from "./job.ts";
import type { Line } from "./line.ts";
import { Poller, type PlanItem } from "./poller.ts";

/** What the unit said about itself; absent where it refused or was silent. */
export interface Identity {
  readonly protocol: string;
  readonly serialNumber?: string;
  readonly model?: string;
  readonly firmware?: string;
}

type Ask = Line["ask"];

/** The values of one inquiry; absent when the unit refuses it or does not answer it. Rejects when the link goes down. */
async function inquire(ask: Ask, query: Query, signal: AbortSignal): Promise<Values | undefined> {
  try {
    const answer = await ask(request(query), { signal });
    return answer.kind === "data" ? (answer.values as Values) : undefined;
  } catch (error) {
    if (signal.aborted || error instanceof TransportError || !(error instanceof SonkragError)) throw error;
    return undefined;
  }
}

function textOf(values: Values | undefined, name: string): string | undefined {
  const value = values?.[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * A read-only identity probe: six short inquiries, half a second on the wire. Throws ReplyError when the unit speaks a
 * protocol that is not supported, TransportError when the link goes down.
 */
export async function probe(ask: Ask, { signal }: { readonly signal: AbortSignal }): Promise<Identity> {
  const protocol = await inquire(ask, QPI, signal);
  const dialect = identify(protocol ?? {});
  if (!dialect.known) throw new ReplyError("reply-foreign", dialect.reason);
  const serialNumber = textOf(await inquire(ask, QID, signal), "serialNumber") ?? textOf(await inquire(ask, QSID, signal), "serialNumber");
  const firmware = textOf(await inquire(ask, QVFW, signal), "firmwareVersion");
  const name = textOf(await inquire(ask, QMN, signal), "modelName");
  const number = name === undefined ? textOf(await inquire(ask, QGMN, signal), "modelNumber") : undefined;
  const model = name ?? (number === undefined ? undefined : `model ${number}`);
  return {
    protocol: dialect.protocol,
    ...(serialNumber !== undefined && { serialNumber }),
    ...(model !== undefined && { model }),
    ...(firmware !== undefined && { firmware }),
  };
}

export interface UnitOptions {
  readonly line: Line;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly plan: readonly PlanItem[];
  /** Told who is at the other end, at first contact and after every reconnect; returns our own stable id of it. */
  readonly onIdentity: (identity: Identity) => string;
  readonly onReading: (reading: Reading) => void;
  /** Told when the unit at the other end cannot be used although it answers. */
  readonly onProblem: (message: string) => void;
}

/** Pause before an unsupported or contradictory unit is asked again who it is. */
const ASK_AGAIN_MS = 60_000;

/** One live inverter: who it is, then readings for ever, and who it is again after every loss of the link. */
export class Unit {
  readonly #options: UnitOptions;
  readonly #poller: Poller;
  #id = "";
  #session = new AbortController();

  constructor(options: UnitOptions) {
    this.#options = options;
    this.#poller = new Poller({
      clock: options.clock,
      logger: options.logger,
      plan: options.plan,
      ask: (what, { signal }) => options.line.ask(what, { signal }),
      online: ({ signal }) => options.line.online({ signal }),
      ready: ({ signal }) => options.line.ready({ signal }),
      onData: (answer) => this.#read(answer),
    });
  }

  get unsupported(): string[] {
    return this.#poller.unsupported;
  }

  /** To be called on every change of the line's state: polling stops with the link and starts again with the identity. */
  linkChanged(status: LinkStatus): void {
    if (status.state !== "online") this.#session.abort(new TransportError("link-down", status.message));
  }

  /** Other units of a parallel system are asked as long as they are there; the record of one that is not has no serial number. */
  #read(answer: Extract<Answer, { kind: "data" }>): void {
    const unit = /^QPGS(\d)$/.exec(answer.command)?.[1];
    if (unit !== undefined) {
      const { serialNumber, unitExists } = answer.values as Values;
      const isThere = typeof serialNumber === "string" && !/^0+$/.test(serialNumber);
      if (!isThere) {
        this.#poller.rest(answer.command);
        return;
      }
      if (unitExists === true && Number(unit) < 9) this.#poller.add(request(QPGSn, Number(unit) + 1), answer.command);
    }
    this.#options.onReading(toReading(this.#id, answer));
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { line, clock } = this.#options;
    while (!signal.aborted) {
      try {
        await line.online({ signal });
        this.#session = new AbortController();
        const session = AbortSignal.any([signal, this.#session.signal]);
        this.#id = this.#options.onIdentity(await probe((what, options) => line.ask(what, options), { signal: session }));
        await this.#poller.run({ signal: session });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof TransportError) continue;
        if (!(error instanceof SonkragError)) throw error;
        this.#options.onProblem(error.message);
        await clock.sleep(ASK_AGAIN_MS, { signal });
      }
    }
  }
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
