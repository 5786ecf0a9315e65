import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InverterRegistry } from "../../src/app/registry.ts";
import { System } from "../../src/app/system.ts";
import type { InverterInfo, LinkStatus, Reading, Values } from "../../src/model/reading.ts";
import type { SystemMember, SystemState } from "../../src/model/system.ts";
import { derive } from "../../src/protocol/reading.ts";
import { recordingLogger } from "./readings.ts";

export const serials = { a: "92931905106458", b: "92931905106463", c: "92931905106471" } as const;
export const clone = "55355535553555";
export const benchStart = Date.UTC(2026, 0, 1);
/** Between two rounds of QPGSn. */
export const pollMs = 30_000;

/** A system with units that say what a test puts into their mouths, on a clock of its own. */
export class SystemBench implements AsyncDisposable {
  now = benchStart;
  readonly #folder: string;
  #registry: InverterRegistry;
  #system: System;

  private constructor(folder: string, registry: InverterRegistry) {
    this.#folder = folder;
    this.#registry = registry;
    this.#system = this.#begin();
  }

  static async open(): Promise<SystemBench> {
    const folder = await mkdtemp(join(tmpdir(), "sonkrag-system-"));
    return new SystemBench(folder, await openRegistry(folder));
  }

  get registry(): InverterRegistry {
    return this.#registry;
  }

  get system(): System {
    return this.#system;
  }

  /** The program is started anew. */
  async restart(): Promise<void> {
    await this.#registry.saved();
    this.#registry = await openRegistry(this.#folder);
    this.#system = this.#begin();
  }

  /** A unit at a cable. */
  plug(place: string, serialNumber: string, outputMode?: string): InverterInfo {
    this.#registry.expect(place);
    const id = this.#registry.identify(place, serialNumber, { prefix: "axpert", outputMode });
    const info: InverterInfo = { id, device: `serial:${place}`, simulated: false, serialNumber };
    this.link(info, "online");
    return info;
  }

  link(info: InverterInfo, state: LinkStatus["state"], message = ""): void {
    this.#system.status({ state, since: this.now, message }, info);
  }

  say(info: InverterInfo, command: string, values: Values): void {
    const reading: Reading = { inverter: info.id, at: this.now, command, payload: "", values, derived: derive(values), tail: [] };
    this.#system.reading(reading, info);
  }

  /** One round of what this cable tells of, by number. */
  tell(info: InverterInfo, records: readonly (Values | undefined)[]): void {
    for (const [n, values] of records.entries()) {
      this.now += 500;
      if (values !== undefined) this.say(info, `QPGS${n}`, values);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry.saved();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #begin(): System {
    const staleAfterMs = (command: string): number => (command.startsWith("QPIGS") ? 15_000 : 3 * pollMs);
    return new System({ known: this.#registry, now: () => this.now, staleAfterMs });
  }
}

async function openRegistry(folder: string): Promise<InverterRegistry> {
  return await InverterRegistry.open(join(folder, "inverters.json"), { logger: recordingLogger() });
}

/** What a unit says of itself. */
export const status = (watts: number): Values => ({
  loadActivePower: watts,
  loadApparentPower: watts + 50,
  batteryVoltage: 52,
  batteryChargeCurrent: 0,
  batteryDischargeCurrent: 10,
  pv1Power: 500,
});

/** What one unit says of another. */
export const record = (serialNumber: string, watts: number, more: Values = {}): Values => ({
  unitExists: true,
  serialNumber,
  operatingMode: "battery",
  faultCode: "00",
  outputMode: "parallel",
  loadActivePower: watts,
  loadApparentPower: watts + 50,
  batteryVoltage: 52,
  batteryChargeCurrent: 0,
  batteryDischargeCurrent: 10,
  ...more,
});

export const byId = (state: SystemState): Map<string, SystemMember> => new Map(state.members.map((member) => [member.id, member]));
export const codes = (state: SystemState): string[] => state.alarms.map(({ code }) => code);
