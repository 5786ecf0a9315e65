import { TransportError } from "../model/errors.ts";
import type { Clock } from "../session/clock.ts";
import { nominalBaud, type OpenTransport, type Transport, type Wire } from "../session/transport.ts";
import type { Unit } from "./answers.ts";
import { FaultInjector, faultKinds, type Disturbed, type FaultKind, type FaultRates } from "./faults.ts";
import { Firmware, type FirmwareOptions, type Model } from "./firmware.ts";
import { SimulatedInverter, type InverterOptions } from "./inverter.ts";
import { king5kw } from "./ratings.ts";
import type { Recorded } from "./recorded.ts";
import { goodPayloads, Replay } from "./replay.ts";
import { SimWire, type SecondReader } from "./wire.ts";

export interface SimulationOptions {
  readonly clock: Clock;
  /** 1 by default; the same seed gives the same inverter and the same faults. */
  readonly seed?: number;
  /** Whose replies are imitated; `max` by default. */
  readonly model?: Model;
  /** Inverters in parallel, 1 to 9, each on its own line; 1 by default. */
  readonly units?: number;
  /** Bits a second, 2400 by default; 0 is unpaced. */
  readonly baud?: number;
  /** Between request and reply, ms; 0 by default. */
  readonly latencyMs?: number;
  readonly faults?: FaultRates;
  /** How long a late reply is held back; 2500 by default. */
  readonly lateMs?: number;
  /** How long a hang lasts; 60 000 by default. */
  readonly hangMs?: number;
  /** How long the device stays away after a disconnect; 0 by default. */
  readonly unpluggedMs?: number;
  /** Lines of a log of the older script; its good lines answer QPIGS. */
  readonly replayLines?: readonly string[];
  /** Answers in place of the simulated unit; no faults are added to what was recorded. */
  readonly recorded?: Recorded;
  /** Simulated seconds a second; 1 by default. Bytes keep their pace. */
  readonly speed?: number;
  /** UTC epoch ms at which simulated time begins; the clock's time by default. */
  readonly start?: number;
  /** Replies in 8-byte reports, as USB-HID brings them. */
  readonly hid?: boolean;
  readonly secondReader?: SecondReader;
  /** Whether the wire's pace may be relied upon, as on a real serial line; true by default on a paced line. */
  readonly certain?: boolean;
  readonly firmware?: Pick<FirmwareOptions, "refusal" | "acceptsZeroBumped">;
  readonly inverter?: Omit<Partial<InverterOptions>, "seed" | "start">;
}

/** One or more simulated inverters, each at the end of its own line. */
export class Simulation {
  readonly inverter: SimulatedInverter;
  /** By unit. */
  readonly lines: readonly SimLine[];

  /** Throws ConfigError when `replayLines` has no good line, RangeError for fault rates that are no shares. */
  constructor(options: SimulationOptions) {
    const { clock, seed = 1, units = 1, speed = 1 } = options;
    if (!(Number.isInteger(units) && units >= 1 && units <= 9)) throw new RangeError(`units: expected 1 to 9, got ${units}`);
    const start = options.start ?? clock.now();
    const began = clock.monotonic();
    // Fast time in steps that the machine can follow: at most two thousand a second.
    const stepSeconds = Math.min(60, Math.max(1, Math.round(speed / 2000)));
    const ratings = { ...(options.model === "king" ? king5kw : {}), ...options.inverter?.ratings };
    this.inverter = new SimulatedInverter({ stepSeconds, ...options.inverter, ratings, seed, start });
    const payloads = options.replayLines && goodPayloads(options.replayLines);
    const live = (at: number): void => this.inverter.advanceTo(start + (at - began) * speed);
    this.lines = Array.from({ length: units }, (_, index) => {
      const unit = { inverter: this.inverter, index, count: units };
      return new SimLine(options, unit, live, payloads && new Replay(payloads));
    });
  }

  /** Faults injected so far, over all lines. */
  get injected(): Readonly<Record<FaultKind, number>> {
    const sum = (kind: FaultKind): number => this.lines.reduce((total, line) => total + line.injected[kind], 0);
    return Object.fromEntries(faultKinds.map((kind) => [kind, sum(kind)])) as Record<FaultKind, number>;
  }
}

/** A line with a simulated unit at its end; outlives the transports that are opened on it. */
export class SimLine {
  readonly wire: SimWire;
  readonly clock: Clock;
  readonly address: string;
  /** What a session may know of the wire. */
  readonly nominal: Wire;
  readonly #faults: FaultInjector;
  readonly #unpluggedMs: number;
  #backAt = Number.NEGATIVE_INFINITY;
  /** Requests that reached the unit, whoever sent them. */
  requests = 0;

  constructor(options: SimulationOptions, unit: Unit, live: (at: number) => void, replay: Replay | undefined) {
    const { clock, seed = 1, baud = nominalBaud, latencyMs = 0, hid = false, secondReader } = options;
    this.clock = clock;
    this.address = unit.index === 0 ? "sim:" : `sim:${unit.index}`;
    this.nominal = { byteMs: 10_000 / (baud || nominalBaud), certain: options.certain ?? baud > 0, chunkBytes: hid ? 8 : 1 };
    this.#unpluggedMs = options.unpluggedMs ?? 0;
    const timing = { lateMs: options.lateMs ?? 2500, hangMs: options.hangMs ?? 60_000 };
    this.#faults = new FaultInjector(options.faults ?? {}, timing, seed + unit.index);
    const firmware = new Firmware({ unit, model: options.model, replay, ...options.firmware });
    const undisturbed = (request: Uint8Array, at: number): Disturbed => {
      live(at);
      this.requests += 1;
      const { reply } = firmware.answer(request);
      return { parts: reply === undefined ? [] : [{ bytes: reply, delayMs: 0 }], disconnect: false };
    };
    const disturbed = (request: Uint8Array, at: number): Disturbed => {
      live(at);
      this.requests += 1;
      if (options.recorded !== undefined) return { parts: options.recorded.answer(request), disconnect: false };
      const { command, reply } = firmware.answer(request);
      if (reply === undefined) return { parts: [], disconnect: false };
      const result = this.#faults.disturb(command, request, reply, at);
      if (result.disconnect) this.#backAt = at + this.#unpluggedMs;
      return result;
    };
    this.wire = new SimWire({ baud, latencyMs, hid, secondReader, answer: disturbed, answerOther: undisturbed });
  }

  get injected(): Readonly<Record<FaultKind, number>> {
    return this.#faults.injected;
  }

  /** Opens the line as a session does, again and again. */
  readonly open: OpenTransport = async ({ signal }) => {
    signal.throwIfAborted();
    const now = this.clock.monotonic();
    // Working out what has happened until now may itself unplug the device.
    if (this.wire.isLost(now) && now < this.#backAt)
      throw new TransportError("transport-open", `${this.address}: expected a simulated inverter, got none: it is unplugged`);
    this.wire.reconnect(now);
    return new SimTransport(this);
  };
}

/** A simulated line, opened. Only one at a time should be open on a line, as with a real port. */
export class SimTransport implements Transport {
  readonly address: string;
  readonly wire: Wire;
  readonly #line: SimLine;
  #closed = false;

  constructor(line: SimLine) {
    this.#line = line;
    this.address = line.address;
    this.wire = line.nominal;
  }

  /** A simulated inverter of its own behind a fresh line. */
  static async open(options: SimulationOptions, { signal }: { readonly signal: AbortSignal }): Promise<Transport> {
    const [line] = new Simulation({ ...options, units: 1 }).lines;
    if (line === undefined) throw new TransportError("transport-open", "sim: expected one line, got none");
    return line.open({ signal });
  }

  take(): Uint8Array {
    this.#mustBeThere("transport-lost");
    return this.#line.wire.take(this.#line.clock.monotonic());
  }

  async write(bytes: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    this.#mustBeThere("transport-write");
    this.#line.wire.write(bytes, this.#line.clock.monotonic());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }

  #mustBeThere(code: "transport-lost" | "transport-write"): void {
    if (this.#closed) throw new TransportError(code, `${this.address}: expected an open line, got one that was closed`);
    if (this.#line.wire.isLost(this.#line.clock.monotonic()))
      throw new TransportError("transport-lost", `${this.address}: the simulated inverter was unplugged`);
  }
}
