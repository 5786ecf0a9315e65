import type { InverterInfo, LinkStatus, Reading } from "../model/reading.ts";
import { isSharedSerialNumber } from "../protocol/identify.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { isSimulated } from "../sim/answers.ts";
import type { InverterRegistry, Marks } from "./registry.ts";
import { phaseOf } from "./system-values.ts";

export type KnownUnits = Pick<InverterRegistry, "member" | "membersOf" | "knows" | "marksOf">;

/** One unit, however many cables tell of it. */
export interface Device {
  readonly id: string;
  serialNumber: string | undefined;
  simulated: boolean;
  /** At its own cable. */
  own: { info: InverterInfo; status: LinkStatus; readonly readings: Map<string, Reading> } | undefined;
  /** What the cables of others, or its own, say of it in answers about numbered units; by inverter. */
  readonly told: Map<string, { position: number; readonly readings: Map<string, Reading> }>;
  /** Inverters whose cables have told of it in an earlier run. */
  readonly missedBy: Set<string>;
}

/** A number under which one inverter tells of a unit. */
interface Slot {
  readonly inverter: string;
  readonly position: number;
  /** What the unit says that tells it from others. */
  readonly key: string;
  readonly id: string;
  /** UTC epoch milliseconds of the last record. */
  at: number;
}

/** Tells the output mode at a cable of one's own. */
const ratings = QPIRI.code;
const numbered = /^(?:QPGS|QP2GS|Q2PGS)(\d)$/;

/**
 * Which units there are. A unit with a cable of its own and the record of it at another one's cable are brought together
 * by serial number; clones that share one, by the phase that each feeds, and where they have none by the number under
 * which they are told of.
 */
export class SystemMembers {
  readonly #known: KnownUnits;
  readonly #devices = new Map<string, Device>();
  readonly #slots = new Map<string, Slot>();
  /** Records of a unit that stands under another number too: since when (UTC epoch ms). */
  readonly #unclear = new Map<string, { readonly key: string; readonly since: number }>();

  constructor(known: KnownUnits) {
    this.#known = known;
  }

  /** Every unit, in the order in which they were met. */
  all(): Device[] {
    for (const { id, own } of this.#devices.values()) if (own === undefined && !this.#known.knows(id)) this.#drop(id);
    return [...this.#devices.values()].filter((device) => !this.#isFormer(device));
  }

  reading(reading: Reading, info: InverterInfo): void {
    const host = this.#own(info, undefined);
    const position = numbered.exec(reading.command)?.[1];
    if (position === undefined) host.readings.set(reading.command, reading);
    else this.#record(reading, info, Number(position));
  }

  status(status: LinkStatus, info: InverterInfo): void {
    this.#own(info, status).status = status;
  }

  /** What was at this cable under this id turned out to be another unit. */
  forget(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    device.own = undefined;
    if (device.told.size === 0) this.#drop(id);
  }

  /**
   * Units at cables of their own of which it cannot be said which record is theirs: clones without a phase, of which others
   * have no cable. By the inverter whose records have to be taken for all of them, so that none is counted twice.
   */
  doubtful(): Map<string, string> {
    const doubtful = new Map<string, string>();
    for (const { inverter, key } of this.#slots.values()) {
      const alike = [...this.#slots.values()].filter((slot) => slot.inverter === inverter && slot.key === key);
      const cabled = alike.filter(({ id }) => this.#devices.get(id)?.own !== undefined);
      if (cabled.length < alike.length) for (const { id } of cabled) doubtful.set(id, inverter);
    }
    return doubtful;
  }

  #own(info: InverterInfo, status: LinkStatus | undefined): NonNullable<Device["own"]> {
    const device = this.#device(info.id);
    device.own ??= { info, status: status ?? { state: "online", since: 0, message: "" }, readings: new Map() };
    if (device.own.info !== info) device.own.info = info;
    device.serialNumber = info.serialNumber ?? device.serialNumber ?? this.#known.marksOf(info.id).serialNumber;
    device.simulated = info.simulated;
    // Units that it told of in an earlier run are missed when they do not answer now.
    for (const { id, serialNumber } of this.#known.membersOf(info.id)) {
      const missed = this.#device(id);
      missed.serialNumber ??= serialNumber;
      missed.missedBy.add(info.id);
    }
    return device.own;
  }

  #record(reading: Reading, info: InverterInfo, position: number): void {
    const id = reading.command.startsWith("QPGS") ? this.#whose(reading, info, position) : this.#companion(reading, info, position);
    if (id === undefined) return;
    const device = this.#device(id);
    device.serialNumber ??= textOf(reading, "serialNumber");
    if (device.own === undefined) device.simulated = info.simulated || isSimulated(device.serialNumber);
    const told = device.told.get(info.id);
    if (told?.position === position) told.readings.set(reading.command, reading);
    else device.told.set(info.id, { position, readings: new Map([[reading.command, reading]]) });
  }

  /** Further answers about a number name no unit: they are about the one that QPGSn names. */
  #companion({ values }: Reading, { id }: InverterInfo, position: number): string | undefined {
    return values["unitExists"] === false ? undefined : this.#slots.get(`${id} ${position}`)?.id;
  }

  /** Absent while that is not clear, and for a number without a unit. */
  #whose(reading: Reading, info: InverterInfo, position: number): string | undefined {
    const serialNumber = textOf(reading, "serialNumber");
    if (serialNumber === undefined || /^0*$/.test(serialNumber)) return undefined;
    // A single unit says that there is no parallel unit, and gives its own data.
    if (reading.values["unitExists"] === false) return info.id;
    const outputMode = textOf(reading, "outputMode");
    const phase = isSharedSerialNumber(serialNumber) ? (phaseOf(outputMode) ?? "") : "";
    const key = `${serialNumber} ${phase}`;
    const name = `${info.id} ${position}`;
    const before = this.#slots.get(name);
    if (before?.key === key && this.#devices.has(before.id)) {
      before.at = reading.at;
      return before.id;
    }
    const others = [...this.#slots.values()].filter((slot) => slot.inverter === info.id && slot.position !== position);
    if (!this.#isClear(name, key, others, reading.at)) return undefined;
    const taken = new Set(others.filter((slot) => this.#slots.has(`${slot.inverter} ${slot.position}`)).map(({ id }) => id));
    const id =
      this.#cabled({ serialNumber, outputMode }, info.id, taken) ??
      this.#known.member(
        { serialNumber, outputMode },
        { inverter: info.id, position, taken, prefix: info.simulated || isSimulated(serialNumber) ? "simulated" : "axpert" },
      );
    this.#slots.set(name, { inverter: info.id, position, key, id, at: reading.at });
    this.#unclear.delete(name);
    return id;
  }

  /**
   * The same marks under two numbers: either a unit has moved up because another one is off, or two units are alike. The
   * next round tells: what has moved is no longer told of under its former number.
   */
  #isClear(name: string, key: string, others: readonly Slot[], at: number): boolean {
    const alike = others.filter((slot) => slot.key === key);
    if (alike.length === 0) return true;
    const unclear = this.#unclear.get(name);
    if (unclear?.key !== key) {
      this.#unclear.set(name, { key, since: at });
      return false;
    }
    for (const slot of alike) if (slot.at <= unclear.since) this.#slots.delete(`${slot.inverter} ${slot.position}`);
    return true;
  }

  /** The unit with a cable of its own that the record is about; the one that was asked comes first. */
  #cabled({ serialNumber, outputMode }: Marks, asked: string, taken: ReadonlySet<string>): string | undefined {
    const isShared = isSharedSerialNumber(serialNumber);
    const phase = phaseOf(outputMode);
    const fits = (device: Device): boolean => {
      if (device.own === undefined || device.serialNumber !== serialNumber || taken.has(device.id)) return false;
      const own = this.#phaseOf(device);
      return !isShared || phase === undefined || own === undefined || own === phase;
    };
    const fitting = [...this.#devices.values()].filter(fits);
    return (fitting.find(({ id }) => id === asked) ?? fitting.toSorted((one, other) => one.id.localeCompare(other.id))[0])?.id;
  }

  /** True when the inverters that have told of it in an earlier run say that they work alone now. */
  #isFormer({ own, told, missedBy }: Device): boolean {
    if (own !== undefined || told.size > 0) return false;
    return [...missedBy].every((id) => {
      const read = this.#devices.get(id)?.own?.readings.get(ratings);
      return read !== undefined && textOf(read, "outputMode") === "single";
    });
  }

  #phaseOf({ id, own }: Device): string | undefined {
    const read = own?.readings.get(ratings);
    return phaseOf((read && textOf(read, "outputMode")) ?? this.#known.marksOf(id).outputMode);
  }

  #device(id: string): Device {
    let device = this.#devices.get(id);
    if (device === undefined) {
      device = { id, serialNumber: undefined, simulated: false, own: undefined, told: new Map(), missedBy: new Set() };
      this.#devices.set(id, device);
    }
    return device;
  }

  #drop(id: string): void {
    this.#devices.delete(id);
    for (const [name, slot] of this.#slots) if (slot.id === id) this.#slots.delete(name);
  }
}

function textOf({ values }: Reading, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}
