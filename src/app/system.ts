import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { Phase, SystemAlarm, SystemMember, SystemPhase, SystemState } from "../model/system.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { alarmKey, findingsOf, wantedPhases, wiringOf, type Finding } from "./system-alarms.ts";
import { SystemMembers, type Device, type KnownUnits } from "./system-members.ts";
import { differencesOf } from "./system-settings.ts";
import { isHeard, isLinkDown, lastWord, merge, ownValues, phaseOf, summed, toldValues, totalsOf } from "./system-values.ts";
import type { Freshness, MemberValues } from "./system-values.ts";

export interface SystemOptions {
  readonly known: KnownUnits;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds after which a reading of this command no longer counts as live. */
  readonly staleAfterMs: (command: string) => number;
}

/** By it one unit tells of others; its period says how long a unit may be unheard of after the start. */
const numberedCommand = "QPGS0";
const inPhase = ["loadActivePower", "loadApparentPower"] as const;

/** All inverters of this program as one system: folds what every cable says, each unit counted once. */
export class System implements Sink {
  readonly name = "system";
  readonly #options: SystemOptions;
  readonly #members: SystemMembers;
  /** UTC epoch milliseconds of the first word of all. */
  #firstAt: number | undefined;
  /** Since when each finding holds, by what makes it the same finding. */
  #since = new Map<string, number>();

  constructor(options: SystemOptions) {
    this.#options = options;
    this.#members = new SystemMembers(options.known);
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    this.#firstAt ??= this.#options.now();
    this.#members.reading(reading, inverter);
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    this.#firstAt ??= this.#options.now();
    this.#members.status(status, inverter);
  }

  /** What answered under this id turned out to be another inverter. */
  forget(inverter: string): void {
    this.#members.forget(inverter);
  }

  /** The system as of now. */
  state(): SystemState {
    const { now, staleAfterMs } = this.#options;
    const freshness: Freshness = { now: now(), staleAfterMs };
    const devices = this.#members.all();
    const doubtful = this.#members.doubtful();
    const members = devices.map((device) => this.#member(device, { devices, freshness, doubtful })).toSorted(byPhaseThenId);
    const wanted = wantedPhases(members);
    const expected = members.length + wanted.filter((phase) => !members.some((member) => member.phase === phase)).length;
    const live = members.filter(({ state }) => state === "live").map(({ values }) => values);
    const group = groupOf(devices, members);
    const differences = differencesOf(devices.filter(({ id }) => group.has(id)).map(settingsOf));
    const downCables = devices.filter(({ own }) => own !== undefined && isLinkDown(own.status));
    return {
      members,
      expected,
      answering: live.length,
      simulated: members.some(({ simulated }) => simulated),
      totals: totalsOf(live, summed, expected),
      ...(wanted.length > 0 && { phases: wanted.map((phase) => phaseState(phase, members)) }),
      differences,
      alarms: this.#sinceWhen(
        findingsOf({
          members,
          differences,
          group,
          linkMessages: new Map(downCables.map(({ id, own }) => [id, own?.status.message ?? ""])),
          isSettled: this.#firstAt !== undefined && freshness.now - this.#firstAt > staleAfterMs(numberedCommand),
        }),
        freshness.now,
      ),
    };
  }

  #member(
    device: Device,
    {
      devices,
      freshness,
      doubtful,
    }: { readonly devices: readonly Device[]; readonly freshness: Freshness; readonly doubtful: ReadonlyMap<string, string> },
  ): SystemMember {
    const { id, own } = device;
    const told = toldBy(device, devices, freshness);
    const atOwnCable =
      own === undefined ? {} : ownValues({ from: id, readings: [...own.readings.values()], status: own.status }, freshness);
    const byOthers = told.map(({ values }) => values).reduce(merge, {});
    // Where it is doubtful which record is this unit's, all of them come from one cable, so that the sum is right.
    const sure = told.find(({ inverter }) => inverter === doubtful.get(id))?.values;
    const values = sure === undefined ? merge(atOwnCable, byOthers) : merge(sure, merge(atOwnCable, byOthers));
    const seenAt = lastWord(values);
    const phase = phaseOf(values["outputMode"]?.value ?? this.#options.known.marksOf(id).outputMode);
    const { model, firmware } = own?.info ?? {};
    return {
      id,
      simulated: device.simulated,
      ...(device.serialNumber !== undefined && { serialNumber: device.serialNumber }),
      ...(model !== undefined && { model }),
      ...(firmware !== undefined && { firmware }),
      ownCable: own !== undefined,
      through: told.filter(({ inverter }) => inverter !== id).map(({ inverter, position }) => ({ inverter, position })),
      state: isHeard(values) ? "live" : seenAt === undefined ? "unheard" : "stale",
      ...(seenAt !== undefined && { seenAt }),
      ...(phase !== undefined && { phase }),
      values,
    };
  }

  #sinceWhen(findings: readonly Finding[], now: number): SystemAlarm[] {
    const before = this.#since;
    this.#since = new Map();
    return findings.map((finding) => {
      const key = alarmKey(finding);
      const since = before.get(key) ?? now;
      this.#since.set(key, since);
      return { ...finding, since };
    });
  }
}

/** Sorts behind every phase. */
const last = "Z";

/** The same order at every start, whoever answers first. */
function byPhaseThenId(one: SystemMember, other: SystemMember): number {
  return (one.phase ?? last).localeCompare(other.phase ?? last) || one.id.localeCompare(other.id, "en", { numeric: true });
}

interface Told {
  readonly inverter: string;
  readonly position: number;
  readonly values: MemberValues;
}

/** What each cable tells of a unit by number, the latest first. */
function toldBy({ told }: Device, devices: readonly Device[], freshness: Freshness): Told[] {
  return [...told]
    .flatMap(([inverter, { position, readings }]): Told[] => {
      const status = devices.find(({ id }) => id === inverter)?.own?.status;
      if (status === undefined) return [];
      return [{ inverter, position, values: toldValues({ from: inverter, readings: [...readings.values()], status }, freshness) }];
    })
    .toSorted((one, other) => (lastWord(other.values) ?? 0) - (lastWord(one.values) ?? 0));
}

/** The units that work together: told of by one another, or set to do so. */
function groupOf(devices: readonly Device[], members: readonly SystemMember[]): Set<string> {
  const group = new Set<string>();
  for (const { id, told } of devices) for (const inverter of told.keys()) if (inverter !== id) group.add(id).add(inverter);
  for (const member of members) {
    const wiring = wiringOf(member);
    if (wiring !== undefined && wiring !== "single") group.add(member.id);
  }
  return group;
}

function settingsOf({ id, own, told }: Device): { readonly inverter: string; readonly readings: readonly Reading[] } {
  const records = [...told.values()].flatMap(({ readings }) => [...readings.values()]).toSorted((one, other) => other.at - one.at);
  const ratings = own?.readings.get(QPIRI.code);
  return { inverter: id, readings: ratings === undefined ? records : [ratings, ...records] };
}

function phaseState(phase: Phase, members: readonly SystemMember[]): SystemPhase {
  const ofPhase = members.filter((member) => member.phase === phase);
  const live = ofPhase.filter(({ state }) => state === "live").map(({ values }) => values);
  return { phase, members: ofPhase.map(({ id }) => id), totals: totalsOf(live, inPhase, Math.max(1, ofPhase.length)) };
}
