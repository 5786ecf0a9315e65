import { RefusedError, TransportError } from "../model/errors.ts";
import type { Outcome, SettingState, WrittenCommand } from "../model/control.ts";
import type { Values } from "../model/reading.ts";
import type { SettingValue } from "../model/setting.ts";
import type { Request } from "../protocol/command.ts";
import { hasZeroByte } from "../protocol/encode.ts";
import { hex } from "../protocol/frame.ts";
import { holds, settingText, writes, type Setting, type UnitFacts, type Write } from "../protocol/setting.ts";
import type { Clock } from "./clock.ts";
import type { Answer } from "./job.ts";
import type { Line } from "./line.ts";
import { UnitReader } from "./unit-reader.ts";

/** How long is watched whether a change shows, from its write on: some units apply it 20 s late. */
const READ_BACK_MS = 25_000;
/** First look behind the write; each further one twice as long behind the one before, up to the longest. */
const FIRST_LOOK_MS = 600;
const LONGEST_LOOK_MS = 3000;
/** How long is watched for what a change does to the unit's behaviour, and until when at the latest after the start. */
const EFFECT_MS = 8000;
const WHOLE_MS = 28_000;

/** How a change on this unit ended. */
export type UnitOutcome = Omit<Outcome, "change">;

export interface UnitControlOptions {
  readonly line: Pick<Line, "ask" | "tell" | "requestChecksum">;
  readonly clock: Clock;
  /** What is known of the unit besides what it answers right now. */
  readonly facts: () => Omit<UnitFacts, "values">;
  /** The latest answer to an inquiry, however old; absent where none is known. */
  readonly latest?: (what: Request) => Answer | undefined;
  /**
   * Looks whether it is still the unit that is meant; rejects with TransportError when it is not, or cannot be told. `number` is
   * what it is called in the commands, where they hold the unit's number in a parallel system.
   */
  readonly mustBeThere?: (options: { readonly number: number | undefined; readonly signal: AbortSignal }) => Promise<void>;
}

export interface ChangeOptions {
  /** Ends the change; `change` then rejects with its reason. What was already on its way to the unit is not called back. */
  readonly signal: AbortSignal;
  /**
   * Awaited before each command leaves: the place to put down what is about to happen, so that a crash at any later
   * moment is found out. If it rejects, nothing is sent and `change` rejects with the same.
   */
  readonly beforeWrite: (write: Write, before: SettingValue | undefined) => Promise<void>;
  /** Told as soon as the value reads back as wanted; the outcome follows when its effect was watched. */
  readonly onReadBack?: (() => void) | undefined;
}

export interface ReadHow {
  readonly signal: AbortSignal;
  /** True where the latest answers will do, each with its time. */
  readonly latest?: boolean;
}

/**
 * Changes settings of one live inverter, each like a transfer of money: read what is, refuse what the unit does not offer
 * or what would be dangerous, send nothing when it is so already, send once, read back until it shows, watch what it does.
 */
export class UnitControl {
  readonly #options: UnitControlOptions;

  constructor(options: UnitControlOptions) {
    this.#options = options;
  }

  /** Resolves with the outcome, whatever the unit does, within half a minute. */
  async change(setting: Setting, value: SettingValue, options: ChangeOptions): Promise<UnitOutcome> {
    options.signal.throwIfAborted();
    return await new Run(this.#options, setting, value, options).run();
  }

  /** The settings as they stand, those that the unit does not have say so. Read anew; `latest`: only what is not known yet. */
  async read(settings: readonly Setting[], { signal, latest: isLatest = false }: ReadHow): Promise<SettingState[]> {
    signal.throwIfAborted();
    const { line, facts, latest } = this.#options;
    const known = isLatest && latest !== undefined ? { known: latest } : {};
    const reader = new UnitReader({ ask: (what, how) => line.ask(what, how), facts, ...known }, signal);
    const states: SettingState[] = [];
    for (const setting of settings) states.push(await reader.state(setting));
    return states;
  }

  /** Everything that decisions about these settings rest on, read anew; what the unit does not answer is absent. */
  async facts(settings: readonly Setting[], { signal }: { readonly signal: AbortSignal }): Promise<UnitFacts> {
    signal.throwIfAborted();
    const { line, facts } = this.#options;
    const reader = new UnitReader({ ask: (what, how) => line.ask(what, how), facts }, signal);
    let all: UnitFacts = { ...facts(), values: {} };
    for (const setting of settings) all = { ...all, values: { ...all.values, ...(await reader.facts(setting)).values } };
    return all;
  }

  /** What is known of the unit besides what it answers right now. */
  get make(): Omit<UnitFacts, "values"> {
    return this.#options.facts();
  }
}

/** One change. */
class Run {
  readonly #unit: UnitControlOptions;
  readonly #setting: Setting;
  readonly #value: SettingValue;
  readonly #options: ChangeOptions;
  readonly #reader: UnitReader;
  readonly #startedAt: number;
  readonly #started: number;
  readonly #written: WrittenCommand[] = [];
  #before: SettingValue | undefined;
  #after: SettingValue | undefined;
  /** Why the latest command was not sent. */
  #hindrance = "";
  /** The unit's number in a parallel system, if the commands hold it. */
  #number: number | undefined;

  constructor(unit: UnitControlOptions, setting: Setting, value: SettingValue, options: ChangeOptions) {
    this.#unit = unit;
    this.#setting = setting;
    this.#value = value;
    this.#options = options;
    this.#reader = new UnitReader({ ask: (what, how) => unit.line.ask(what, how), facts: unit.facts }, options.signal);
    this.#startedAt = unit.clock.now();
    this.#started = unit.clock.monotonic();
  }

  async run(): Promise<UnitOutcome> {
    const prepared = await this.#prepare();
    // Whoever was asked may be another unit by now, or may have been all along.
    const isDecided = "kind" in prepared && prepared.kind !== "unchanged";
    if (!isDecided && !(await this.#isThere())) return this.#end("refused", `${this.#hindrance}; nothing was sent`, { by: "us" });
    if ("kind" in prepared) return prepared;
    for (const [index, write] of prepared.writes.entries()) {
      const answer = await this.#send(write);
      if (this.#written.length === 0) return this.#end("refused", `${this.#hindrance}; nothing was sent`, { by: "us" });
      const isLast = index === prepared.writes.length - 1;
      // Some firmware meets a form that it does not know with silence; all forms mean the same value. What cannot be read back
      // may have been obeyed.
      const isOpen = answer === "silence" && this.#setting.readBack !== undefined;
      const mayBeUnknown = answer === "nak" || (isOpen && !isLast && !(await this.#showsSoon()));
      if (!mayBeUnknown) return await this.#readBack();
    }
    const isRefused = this.#written.every(({ answer }) => answer === "nak");
    return await (isRefused ? this.#refusedByUnit() : this.#readBack());
  }

  /** What may be sent, or the outcome where nothing may. */
  async #prepare(): Promise<{ readonly writes: readonly Write[] } | UnitOutcome> {
    const { info } = this.#setting;
    const present = await this.#reader.present(this.#setting);
    if (present?.value === undefined && present !== undefined)
      return present.lacking
        ? this.#end("notSupported", present.reason)
        : this.#end("refused", `${present.reason}; nothing was sent`, { by: "us" });
    this.#before = present?.value;
    this.#after = present?.value;
    const facts = await this.#reader.facts(this.#setting);
    const allowed = this.#setting.allowed(facts);
    if (allowed.kind === "none")
      return allowed.because === "lacking" ? this.#end("notSupported", allowed.reason) : this.#end("refused", allowed.reason, { by: "us" });
    if (this.#before !== undefined && holds(this.#setting, this.#value, this.#before)) return this.#end("unchanged", "It is so already.");
    try {
      const prepared = writes(this.#setting, this.#value, facts);
      const otherwise = this.#setting.commands(this.#value, { ...facts, unit: facts.unit + 1 });
      if (prepared.some(({ command }) => !otherwise.includes(command))) this.#number = facts.unit;
      return { writes: prepared };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return this.#end("refused", error.message.replace(`${info.name}: `, ""), { by: "us" });
    }
  }

  /** Sends one form of the command, and once more with its checksum in another form where that may be why nothing came of it. */
  async #send(write: Write): Promise<WrittenCommand["answer"] | "unsent"> {
    const { line } = this.#unit;
    const mayBeMisread = hasZeroByte(write.command) && line.requestChecksum === undefined;
    const answer = await this.#tell(write, false);
    if (!mayBeMisread || answer === "ack" || answer === "unsent") return answer;
    if (answer !== "nak" && this.#setting.readBack === undefined) return answer;
    // Never twice blindly: it may have been obeyed although its verdict was lost.
    return (await this.#showsSoon()) ? answer : await this.#tell(write, true);
  }

  async #tell(write: Write, otherChecksum: boolean): Promise<WrittenCommand["answer"] | "unsent"> {
    const { line, clock } = this.#unit;
    const { signal, beforeWrite } = this.#options;
    if (this.#written.length > 0 && !(await this.#isThere())) return "unsent";
    await beforeWrite(write, this.#before);
    signal.throwIfAborted();
    const { command } = write;
    try {
      const { answer: said, doubtful, sent, received, at } = await line.tell(write, { signal, otherChecksum });
      // It may be an earlier command's, and nothing else would tell.
      const answer = doubtful === true && said === "nak" && this.#setting.readBack === undefined ? "spoilt" : said;
      this.#written.push({ command, sent: hex(sent), ...(received && { received: hex(received) }), answer, at });
      return answer;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      if (error.context["sent"] !== true) {
        this.#hindrance = `The inverter cannot be reached: ${error.message}`;
        return "unsent";
      }
      this.#written.push({ command, sent: "", answer: "silence", at: clock.now() });
      return "silence";
    }
  }

  async #isThere(): Promise<boolean> {
    const { signal } = this.#options;
    try {
      await this.#unit.mustBeThere?.({ number: this.#number, signal });
      return true;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.#hindrance = error.message;
      return false;
    }
  }

  /** Watches until the value shows; a unit that was silent may have obeyed, and one that said ACK may not. */
  async #readBack(): Promise<UnitOutcome> {
    const { clock } = this.#unit;
    const said = this.#written.at(-1)?.answer;
    if (this.#setting.readBack === undefined)
      return this.#end(
        "unconfirmed",
        said === "ack"
          ? "The inverter accepted it; no inquiry tells whether it is so."
          : "The inverter gave no clear verdict, and no inquiry tells.",
      );
    const deadline = clock.monotonic() + READ_BACK_MS;
    for (let pause = FIRST_LOOK_MS; ; pause = Math.min(LONGEST_LOOK_MS, pause * 2)) {
      await this.#pause(pause);
      if (await this.#shows()) return await this.#applied();
      if (clock.monotonic() + pause > deadline) break;
    }
    const verdict = said === "ack" ? "The inverter accepted it" : "The inverter gave no clear verdict";
    const now = this.#after === undefined ? "its value cannot be read" : `still reads ${settingText(this.#after)}`;
    return this.#end("unconfirmed", `${verdict}, but after ${READ_BACK_MS / 1000} s it ${now}, not ${settingText(this.#value)}.`);
  }

  async #refusedByUnit(): Promise<UnitOutcome> {
    // A refusal that was none: what is counts, not what was said.
    if (await this.#showsSoon()) return await this.#applied();
    const tried = this.#written.map(({ command }) => command).join(", ");
    return this.#end("refused", `The inverter refused ${tried}.`, { by: "inverter" });
  }

  async #applied(): Promise<UnitOutcome> {
    this.#options.onReadBack?.();
    const effect = await this.#watchEffect();
    return this.#end("applied", "Read back as wanted.", effect === undefined ? {} : { effect });
  }

  /** What was seen of the change in how the unit behaves, in words. */
  async #watchEffect(): Promise<string | undefined> {
    const { effect } = this.#setting;
    const { clock } = this.#unit;
    if (effect === undefined) return undefined;
    const end = Math.min(clock.monotonic() + EFFECT_MS, this.#started + WHOLE_MS);
    let seen: boolean | undefined;
    for (;;) {
      this.#reader.forget();
      const values: Record<string, Values[string]> = {};
      for (const query of effect.queries) Object.assign(values, await this.#reader.values(query));
      seen = effect.seen(values, this.#value);
      if (seen !== false || clock.monotonic() + FIRST_LOOK_MS > end) break;
      await this.#pause(FIRST_LOOK_MS);
    }
    if (seen === undefined) return undefined;
    const what = effect.describe(this.#value);
    return seen ? `Seen: ${what}.` : `Not seen within ${Math.round(EFFECT_MS / 1000)} s: ${what}.`;
  }

  async #showsSoon(): Promise<boolean> {
    if (this.#setting.readBack === undefined) return false;
    await this.#pause(FIRST_LOOK_MS);
    return await this.#shows();
  }

  /** True when the value reads back as wanted; remembers what was read. */
  async #shows(): Promise<boolean> {
    this.#reader.forget();
    const present = await this.#reader.present(this.#setting);
    this.#after = present?.value;
    return this.#after !== undefined && holds(this.#setting, this.#value, this.#after);
  }

  async #pause(ms: number): Promise<void> {
    await this.#unit.clock.sleep(ms, { signal: this.#options.signal });
  }

  #end(kind: Outcome["kind"], reason: string, more: Pick<Partial<Outcome>, "by" | "effect"> = {}): UnitOutcome {
    return {
      kind,
      reason,
      ...more,
      ...(this.#before !== undefined && { before: this.#before }),
      ...(this.#after !== undefined && { after: this.#after }),
      written: this.#written,
      startedAt: this.#startedAt,
      endedAt: this.#unit.clock.now(),
    };
  }
}
