import type { Logger } from "../../src/model/logger.ts";
import { silentLogger } from "../../src/model/logger.ts";
import type { SettingState } from "../../src/model/control.ts";
import { SinkError } from "../../src/model/errors.ts";
import type { SettingValue } from "../../src/model/setting.ts";
import { findSetting } from "../../src/protocol/pi30/settings/catalogue.ts";
import type { Evidence } from "../../src/model/journal.ts";
import type { Setting, Write } from "../../src/protocol/setting.ts";
import type { Clock } from "../../src/session/clock.ts";
import type { ChangeOptions, UnitOutcome } from "../../src/session/control.ts";
import type { LineStore } from "../../src/app/control/journal-file.ts";
import { Journal } from "../../src/app/control/journal.ts";
import type { ControlRules } from "../../src/app/control/rules.ts";
import type { ControlUnit } from "../../src/app/control/control-unit.ts";
import type { Boot } from "../../src/app/control/proven-time.ts";
import { ControlService } from "../../src/app/control/service.ts";

/** What a killed process never comes back from. */
const never = (): Promise<never> => new Promise(() => undefined);

/** A process that dies at a step: whatever it does from then on has no effect, and it waits for ever. */
export class Life {
  #steps = 0;
  #diesAt: number;

  constructor(diesAt = Number.POSITIVE_INFINITY) {
    this.#diesAt = diesAt;
  }

  get isOver(): boolean {
    return this.#steps >= this.#diesAt;
  }

  get steps(): number {
    return this.#steps;
  }

  kill(): void {
    this.#diesAt = 0;
  }

  /** One step; does not come back when it is the last. */
  async step(): Promise<void> {
    if (this.isOver) await never();
    this.#steps++;
    if (this.isOver) await never();
  }
}

/** The disk of a machine, which outlives its processes. */
export class Disk {
  readonly lines: string[] = [];
  isFull = false;

  store(life: Life): LineStore {
    const { lines } = this;
    const isFull = (): boolean => this.isFull;
    return {
      async append(line) {
        await life.step();
        if (isFull()) throw new SinkError("the journal: the disk is full");
        lines.push(line);
        await life.step();
      },
      async *lines() {
        yield* lines;
      },
      async *backwards() {
        yield* lines.toReversed();
      },
      async [Symbol.asyncDispose]() {},
    };
  }
}

/** Time of a machine whose wall clock may be set. */
export class Wall {
  offsetMs = 0;
  /** False for a system that does not tell how long it has been running. */
  tellsBoot = true;
  readonly #clock: Clock;
  #boots = 1;
  #bootedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  reboot(): void {
    this.#boots++;
    this.#bootedAt = this.#clock.monotonic();
  }

  get boot(): Boot | undefined {
    const bootedAt = this.#bootedAt;
    return this.tellsBoot ? { id: `boot-${this.#boots}`, upMs: () => this.#clock.monotonic() - bootedAt } : undefined;
  }

  /** As one process sees it. */
  clock(life: Life): Clock {
    const clock = this.#clock;
    const started = clock.monotonic();
    return {
      now: () => clock.now() + this.offsetMs,
      monotonic: () => clock.monotonic() - started,
      async sleep(ms, options) {
        await clock.sleep(ms, options);
        if (life.isOver) await never();
      },
    };
  }
}

/** What a unit does with a command. */
export type Manner = "obeys" | "refuses" | "ignores" | "late";

/** An inverter with settings that hold any value; it outlives the processes that talk to it. */
export class Inverter {
  readonly id: string;
  readonly values = new Map<string, SettingValue>();
  readonly commands: Write[] = [];
  manner: Manner = "obeys";
  isOnline = true;
  serialNumber: string | undefined;
  evidence: Evidence | undefined;
  readonly #clock: Clock;

  constructor(id: string, clock: Clock) {
    this.id = id;
    this.#clock = clock;
  }

  #late: { readonly setting: string; readonly value: SettingValue; readonly at: number } | undefined;

  value(setting: string): SettingValue | undefined {
    if (this.#late && this.#clock.monotonic() >= this.#late.at) {
      this.values.set(this.#late.setting, this.#late.value);
      this.#late = undefined;
    }
    return this.values.get(setting);
  }

  #take(write: Write): boolean {
    this.value(write.setting);
    this.commands.push(write);
    if (this.manner === "refuses") return false;
    if (this.manner === "late") this.#late = { setting: write.setting, value: write.value, at: this.#clock.monotonic() + 20_000 };
    if (this.manner === "obeys") this.values.set(write.setting, write.value);
    return true;
  }

  /** As one process sees it: with the guarantees of UnitControl, and a step before and behind everything that counts. */
  unit(life: Life, clock: Clock): ControlUnit {
    const isOnline = (): boolean => this.isOnline;
    const evidenceOf = (): Evidence | undefined => this.evidence;
    const serialOf = (): string | undefined => this.serialNumber;
    const valueOf = (name: string): SettingValue | undefined => (this.isOnline ? this.value(name) : undefined);
    const take = (write: Write): boolean => this.#take(write);
    return {
      id: this.id,
      get serialNumber() {
        return serialOf();
      },
      get evidence() {
        return evidenceOf();
      },
      get isOnline() {
        return isOnline();
      },
      control: {
        async change(setting: Setting, value: SettingValue, { signal, beforeWrite }: ChangeOptions): Promise<UnitOutcome> {
          signal.throwIfAborted();
          const startedAt = clock.now();
          const { name } = setting.info;
          await life.step();
          const before = valueOf(name);
          const end = (kind: UnitOutcome["kind"], reason: string, written: UnitOutcome["written"] = []): UnitOutcome => {
            const after = valueOf(name);
            return {
              kind,
              reason,
              ...(kind === "refused" && { by: written.length > 0 ? ("inverter" as const) : ("us" as const) }),
              ...(before !== undefined && { before }),
              ...(after !== undefined && { after }),
              written,
              startedAt,
              endedAt: clock.now(),
            };
          };
          if (before === undefined) return end("refused", "cannot be reached");
          if (before === value) return end("unchanged", "is so already");
          const write: Write = { kind: "write", setting: name, value, command: `SET${name}${String(value)}` };
          await beforeWrite(write, before);
          await life.step();
          const isTaken = take(write);
          await life.step();
          const written = [
            { command: write.command, sent: "00", received: "00", answer: isTaken ? ("ack" as const) : ("nak" as const), at: clock.now() },
          ];
          if (!isTaken) return end("refused", "NAK", written);
          for (let looks = 0; looks < 13; looks++) {
            await clock.sleep(2000, { signal });
            await life.step();
            if (valueOf(name) === value) return end("applied", "read back", written);
          }
          return end("unconfirmed", "not read back", written);
        },
        make: { family: "unknown", unit: 0, wide: false },
        async facts() {
          return { family: "unknown", unit: 0, wide: false, values: {} };
        },
        async read(settings, { signal }) {
          signal.throwIfAborted();
          await life.step();
          return settings.map(({ info }): SettingState => {
            const value = valueOf(info.name);
            return { info, ...(value !== undefined && { value, at: clock.now() }) };
          });
        },
      },
    };
  }
}

export const everything: ControlRules = {
  enabled: true,
  level: "expert",
  wide: false,
  console: true,
  budget: { perHour: 60, perDay: 500 },
};

/** One process: opens the journal, serves, and runs until it is killed or ended. */
export async function startControl(options: {
  readonly life: Life;
  readonly disk: Disk;
  readonly wall: Wall;
  readonly inverters: readonly Inverter[];
  readonly settings: readonly Setting[];
  readonly rules?: ControlRules;
  readonly logger?: Logger;
}): Promise<{ readonly service: ControlService; readonly clock: Clock; readonly end: () => Promise<void> }> {
  const { life, disk, wall, inverters, settings, rules = everything, logger = silentLogger } = options;
  const clock = wall.clock(life);
  const journal = await Journal.open(disk.store(life), { clock, logger, boot: wall.boot });
  const units = inverters.map((inverter) => inverter.unit(life, clock));
  const service = new ControlService({
    units: () => units,
    settings,
    rules: () => rules,
    journal,
    clock,
    logger,
    newId: () => crypto.randomUUID(),
  });
  const stop = new AbortController();
  const running = service.run({ signal: stop.signal });
  return {
    service,
    clock,
    async end() {
      stop.abort(new Error("the test is over"));
      if (life.isOver) return;
      await running;
      await service[Symbol.asyncDispose]();
    },
  };
}

/** A setting whose commands are the inverter's own above. */
export function namedSetting(name: string, more: Partial<Setting["info"]> = {}): Setting {
  const like = findSetting("outputSourcePriority");
  return { ...like, info: { name, label: name, explanation: "For tests.", topic: "output", level: "everyday", ...more } };
}
