import { TransportError } from "../model/errors.ts";
import type { Clock } from "../session/clock.ts";
import { nominalBaud, type OpenTransport, type Transport, type Wire } from "../session/transport.ts";
import type { Values } from "../model/reading.ts";
import { serialNumberOf, type Unit } from "./answers.ts";
import { FaultInjector, faultKinds, type Disturbed, type FaultKind, type FaultRates } from "./faults.ts";
import { Firmware, type FirmwareAnswer, type FirmwareOptions } from "./firmware.ts";
import { SimulatedInverter, type InverterOptions } from "./inverter.ts";
import { isInquiry, Journal } from "./journal.ts";
import { Member } from "./member.ts";
import type { Profile, SettingDialect } from "./profile.ts";
import { findProfile } from "./profiles.ts";
import type { Recorded } from "./recorded.ts";
import { goodPayloads, Replay } from "./replay.ts";
import { reportsOf, SimWire, type SecondReader } from "./wire.ts";

export interface SimulationOptions {
  readonly clock: Clock;
  /** 1 by default; the same seed gives the same inverter and the same faults. */
  readonly seed?: number;
  /** Name of the profile that is imitated; `max` by default. */
  readonly model?: string;
  /** Inverters in parallel, 1 to 9, each on its own line; 1 by default. */
  readonly units?: number;
  /** Phases over which they are spread in turn; as the profile has it by default, mostly 1. */
  readonly phases?: 1 | 2 | 3;
  /** All answer with the serial number that some units have after a fault: 55355535553555. */
  readonly sameSerial?: boolean;
  /** Numbers of the units that do not know the parallel query, 0 for the first. */
  readonly withoutParallelQuery?: readonly number[];
  /** What they do with settings that they could take; they obey by default. */
  readonly settings?: SettingDialect;
  /** Values of QPIRI with which they begin, where they are not to be the profile's. */
  readonly setTo?: Values;
  /** Bits a second, 2400 by default; 0 is unpaced. */
  readonly baud?: number;
  /** Between request and reply, ms; as the profile has it by default. */
  readonly latencyMs?: number;
  readonly faults?: FaultRates;
  /** The same for replies to commands that are no inquiry; `faults` by default. The unit has obeyed all the same. */
  readonly verdictFaults?: FaultRates;
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
  /** With `hid`: the pause between the reports of a request, as our own transport makes it; 50 ms by default. */
  readonly reportPauseMs?: number;
  /** With `hid`: a report that comes sooner than this behind the one before it is lost; 0 by default. */
  readonly reportGapMs?: number;
  readonly secondReader?: SecondReader;
  /** Whether the wire's pace may be relied upon, as on a real serial line; true by default on a paced line. */
  readonly certain?: boolean;
  readonly firmware?: Pick<FirmwareOptions, "refusal" | "refuses" | "requestChecksum">;
  readonly inverter?: Omit<Partial<InverterOptions>, "seed" | "start" | "ratings">;
}

/** Seen on units after a fault (powerforum 18222). */
const faultySerial = "55355535553555";

/** One or more simulated inverters, each at the end of its own line. */
export class Simulation {
  readonly inverter: SimulatedInverter;
  /** By unit. */
  readonly lines: readonly SimLine[];
  /** Whatever came to the units and was no inquiry. */
  readonly journal = new Journal();

  /** Throws ConfigError when `replayLines` has no good line, RangeError for fault rates that are no shares and for an unknown model. */
  constructor(options: SimulationOptions) {
    const { clock, seed = 1, units = 1, speed = 1 } = options;
    if (!(Number.isInteger(units) && units >= 1 && units <= 9)) throw new RangeError(`units: expected 1 to 9, got ${units}`);
    const start = options.start ?? clock.now();
    const began = clock.monotonic();
    // Fast time in steps that the machine can follow: at most two thousand a second.
    const stepSeconds = Math.min(60, Math.max(1, Math.round(speed / 2000)));
    const profile = findProfile(options.model ?? "max");
    const members = Array.from({ length: units }, (_, index) => memberOf(options, profile, index));
    const { strings, household } = profile;
    const ratings = members[0]?.ratings ?? {};
    this.inverter = new SimulatedInverter({ stepSeconds, strings, household, ...options.inverter, ratings, seed, start });
    const payloads = options.replayLines && goodPayloads(options.replayLines);
    const live = (at: number): void => {
      this.inverter.advanceTo(start + (at - began) * speed);
      for (const line of this.lines) line.firmware.catchUp(at);
    };
    const note: Note = (request, reply, at, unit, outcome) => {
      this.journal.note(request, reply, { at: Math.round(start + at - began), unit, outcome });
    };
    this.lines = members.map((member) => {
      const unit = { inverter: this.inverter, member, members };
      return new SimLine(options, unit, { live, note, replay: payloads && new Replay(payloads) });
    });
  }

  /** Faults injected so far, over all lines. */
  get injected(): Readonly<Record<FaultKind, number>> {
    const sum = (kind: FaultKind): number => this.lines.reduce((total, line) => total + line.injected[kind], 0);
    return Object.fromEntries(faultKinds.map((kind) => [kind, sum(kind)])) as Record<FaultKind, number>;
  }
}

function memberOf(options: SimulationOptions, profile: Profile, index: number): Member {
  const { units = 1, phases = profile.phases ?? 1 } = options;
  const parallel = units > 1;
  return new Member({
    profile,
    index,
    parallel,
    phase: parallel && phases > 1 ? { number: (index % phases) + 1, of: phases === 2 ? 2 : 3 } : undefined,
    serialNumber: options.sameSerial === true ? faultySerial : serialNumberOf(index, profile.replies["QID"]?.length),
    withoutParallelQuery: options.withoutParallelQuery?.includes(index),
    setTo: options.setTo,
  });
}

type Note = (request: Uint8Array, reply: Uint8Array | undefined, at: number, unit: number, outcome: string | undefined) => void;

/** What a line needs of its simulation. */
interface Surroundings {
  /** Lets the inverter live until this monotonic time, ms. */
  readonly live: (at: number) => void;
  readonly note: Note;
  readonly replay: Replay | undefined;
}

/** A line with a simulated unit at its end; outlives the transports that are opened on it. */
export class SimLine {
  readonly wire: SimWire;
  readonly clock: Clock;
  readonly address: string;
  /** What a session may know of the wire. */
  readonly nominal: Wire;
  /** Between the reports of a request, ms; absent on a line without reports. */
  readonly reportPauseMs: number | undefined;
  readonly serialNumber: string;
  readonly firmware: Firmware;
  readonly #member: Member;
  readonly #faults: FaultInjector;
  readonly #verdictFaults: FaultInjector | undefined;
  readonly #unpluggedMs: number;
  #backAt = Number.NEGATIVE_INFINITY;
  /** Requests that reached the unit, whoever sent them. */
  requests = 0;

  constructor(options: SimulationOptions, unit: Unit, { live, note, replay }: Surroundings) {
    const { clock, seed = 1, baud = nominalBaud, hid = false, secondReader } = options;
    const { index, profile } = unit.member;
    this.clock = clock;
    this.#member = unit.member;
    this.serialNumber = unit.member.serialNumber;
    this.address = index === 0 ? "sim:" : `sim:${index}`;
    this.nominal = { byteMs: 10_000 / (baud || nominalBaud), certain: options.certain ?? baud > 0, chunkBytes: hid ? 8 : 1 };
    this.reportPauseMs = hid && options.reportGapMs !== undefined ? (options.reportPauseMs ?? 50) : undefined;
    this.#unpluggedMs = options.unpluggedMs ?? 0;
    const timing = { lateMs: options.lateMs ?? 2500, hangMs: options.hangMs ?? 60_000 };
    this.#faults = new FaultInjector(options.faults ?? {}, timing, seed + index);
    this.#verdictFaults = options.verdictFaults && new FaultInjector(options.verdictFaults, timing, seed + index);
    this.firmware = new Firmware({ unit, replay, settings: options.settings, ...options.firmware });
    const silence: Disturbed = { parts: [], disconnect: false };
    const answer = (request: Uint8Array, at: number): FirmwareAnswer | undefined => {
      live(at);
      if (!this.#member.powered) return undefined;
      this.requests += 1;
      const answered = this.firmware.answer(request, at);
      note(request, answered.reply, at, index, answered.outcome);
      return answered;
    };
    const undisturbed = (request: Uint8Array, at: number): Disturbed => {
      const reply = answer(request, at)?.reply;
      return reply === undefined ? silence : { parts: [{ bytes: reply, delayMs: 0 }], disconnect: false };
    };
    const disturbed = (request: Uint8Array, at: number): Disturbed => {
      if (options.recorded !== undefined) return this.#repeat(options.recorded, request, at, note);
      const { command = "", reply } = answer(request, at) ?? {};
      if (reply === undefined) return silence;
      const faults = command === "" || isInquiry(command) ? this.#faults : (this.#verdictFaults ?? this.#faults);
      const result = faults.disturb(command, request, reply, at);
      if (result.disconnect) this.#backAt = at + this.#unpluggedMs;
      return result;
    };
    const { latencyMs = profile.latencyMs } = options;
    this.wire = new SimWire({
      baud,
      latencyMs,
      hid,
      reportGapMs: options.reportGapMs,
      secondReader,
      answer: disturbed,
      answerOther: undisturbed,
    });
  }

  get injected(): Readonly<Record<FaultKind, number>> {
    const { injected } = this.#faults;
    return Object.fromEntries(faultKinds.map((kind) => [kind, injected[kind] + (this.#verdictFaults?.injected[kind] ?? 0)])) as Record<
      FaultKind,
      number
    >;
  }

  get powered(): boolean {
    return this.#member.powered;
  }

  /** Switches the unit off or on: off, it says nothing, and the others tell that it is not there. */
  setPowered(on: boolean): void {
    this.#member.powered = on;
  }

  #repeat(recorded: Recorded, request: Uint8Array, at: number, note: Note): Disturbed {
    this.requests += 1;
    const parts = recorded.answer(request);
    note(request, parts[0]?.bytes, at, this.#member.index, "recorded");
    return { parts, disconnect: false };
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
    const { wire, clock, reportPauseMs } = this.#line;
    if (reportPauseMs === undefined) wire.write(bytes, clock.monotonic());
    else
      for (const [index, report] of reportsOf(bytes).entries()) {
        if (index > 0) await clock.sleep(reportPauseMs, { signal });
        this.#mustBeThere("transport-write");
        wire.write(report, clock.monotonic());
      }
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
