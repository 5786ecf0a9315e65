import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { SystemAlarm, SystemState } from "../model/system.ts";
import type { Clock } from "../session/clock.ts";
import { alarmKey } from "./system-alarms.ts";
import type { KnownUnits } from "./system-members.ts";
import { System } from "./system.ts";

/** Values grow old without anybody saying anything, so the system is looked at once a second. */
const lookMs = 1000;

export interface SystemWatchOptions {
  readonly known: KnownUnits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds after which a reading of this command no longer counts as live. */
  readonly staleAfterMs: (command: string) => number;
  /** Told of every change, at most once a second. */
  readonly onState: (state: SystemState) => void;
}

type PageSink = Sink & { forget(inverter: string): void };

/** Keeps the system's state up to date and says what has changed; alarms of several units go to the log. */
export class SystemWatch implements Sink {
  readonly name = "system";
  readonly #options: SystemWatchOptions;
  readonly #system: System;
  readonly #alarms = new Map<string, SystemAlarm>();
  #last = "";

  constructor(options: SystemWatchOptions) {
    this.#options = options;
    const { known, clock, staleAfterMs } = options;
    this.#system = new System({ known, now: () => clock.now(), staleAfterMs });
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    this.#system.reading(reading, inverter);
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    this.#system.status(status, inverter);
  }

  /** The page together with this: an inverter that nobody has met yet is expected all the same. */
  beside(page: PageSink): PageSink {
    return {
      name: page.name,
      reading: (reading, inverter) => page.reading(reading, inverter),
      status: (status, inverter) => {
        this.#system.status(status, inverter);
        page.status(status, inverter);
      },
      forget: (inverter) => {
        this.#system.forget(inverter);
        page.forget(inverter);
      },
    };
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      this.#look();
      try {
        await clock.sleep(lookMs, { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #look(): void {
    const state = this.#system.state();
    const text = JSON.stringify(state);
    if (text === this.#last) return;
    this.#last = text;
    this.#log(state);
    this.#options.onState(state);
  }

  #log({ alarms, expected }: SystemState): void {
    const { logger } = this.#options;
    const now = new Map(expected > 1 ? alarms.map((alarm) => [alarmKey(alarm), alarm]) : []);
    for (const [key, { message, severity }] of now) {
      if (this.#alarms.get(key)?.message === message) continue;
      if (severity === "note") logger.info(`System: ${message}`);
      else logger.warn(`System: ${message}`);
    }
    for (const [key, { message, severity }] of this.#alarms)
      if (!now.has(key) && severity !== "note") logger.info(`System: over: ${message}`);
    this.#alarms.clear();
    for (const [key, alarm] of now) this.#alarms.set(key, alarm);
  }
}
