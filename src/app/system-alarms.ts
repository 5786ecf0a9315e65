import { findMetric, metric } from "../model/metric.ts";
import type { Value } from "../model/reading.ts";
import { explainFault } from "../protocol/pi30/explain.ts";
import { unknownFamily } from "../protocol/pi30/family-list.ts";
import type { Phase, SystemAlarm, SystemDifference, SystemMember } from "../model/system.ts";

/** What is the matter, before it is known since when. */
export type Finding = Omit<SystemAlarm, "since">;

export interface Judged {
  readonly members: readonly SystemMember[];
  readonly differences: readonly SystemDifference[];
  /** Ids of the members that work together: parallel, or a phase each. */
  readonly group: ReadonlySet<string>;
  /** What the link of a member's own cable says while it is down, by id. */
  readonly linkMessages: ReadonlyMap<string, string>;
  /** False for a while after the start, when many a unit has not had its turn yet. */
  readonly isSettled: boolean;
}

type Wiring = "single" | "parallel" | "three-phase" | "split-phase";
const wiringWords: Readonly<Record<Wiring, string>> = {
  single: "as a single unit",
  parallel: "parallel on one phase",
  "three-phase": "as one of three phases",
  "split-phase": "as one of two phases",
};
const phasesOf: Readonly<Record<Wiring, readonly Phase[]>> = {
  single: [],
  parallel: [],
  "three-phase": ["L1", "L2", "L3"],
  "split-phase": ["L1", "L2"],
};

/** Everything that is wrong with the system as a whole, the worst first. */
export function findingsOf(judged: Judged): Finding[] {
  const findings = [
    ...faults(judged.members),
    ...emptyPhases(judged),
    ...missingUnits(judged),
    ...mixedModes(judged),
    ...driftedSettings(judged.differences),
    ...equalSerialNumbers(judged.members),
  ];
  const rank = { error: 0, warning: 1, note: 2 } as const;
  return findings.toSorted((one, other) => rank[one.severity] - rank[other.severity]);
}

/** Equal for the same trouble about the same thing, whatever its words are now. */
export function alarmKey({ code, about, inverters }: Finding): string {
  return [code, ...(about === undefined ? inverters : [about])].join(" ");
}

/** The phases that there must be, as the members that work together say. */
export function wantedPhases(members: readonly SystemMember[]): readonly Phase[] {
  const wirings = members.map(wiringOf);
  if (wirings.includes("three-phase")) return phasesOf["three-phase"];
  return wirings.includes("split-phase") ? phasesOf["split-phase"] : [];
}

/** How a member is set to work with others; absent while it has not said. */
export function wiringOf({ values }: SystemMember): Wiring | undefined {
  const mode = values["outputMode"]?.value;
  if (mode === "single" || mode === "parallel") return mode;
  if (typeof mode !== "string") return undefined;
  if (/^phase\dOf3$/.test(mode)) return "three-phase";
  return /^phase\dOf2/.test(mode) ? "split-phase" : undefined;
}

function nameOf({ id, phase }: SystemMember): string {
  return phase === undefined ? id : `${id} (${phase})`;
}

function faults(members: readonly SystemMember[]): Finding[] {
  return members.flatMap((member) => {
    const { operatingMode, faultCode } = member.values;
    const isFault = operatingMode?.live === true && operatingMode.value === "fault";
    const code =
      faultCode?.live === true && typeof faultCode.value === "string" && !/^0*$/.test(faultCode.value) ? faultCode.value : undefined;
    if (!isFault && code === undefined) return [];
    const meaning = code === undefined ? undefined : explainFault(code, unknownFamily.key)?.title;
    const message = `${nameOf(member)} reports ${code === undefined ? "a fault" : `fault ${code}: ${meaning}`}.`;
    return [{ code: "unit-fault", severity: "error", message, inverters: [member.id] }];
  });
}

function emptyPhases({ members, isSettled }: Judged): Finding[] {
  if (!isSettled) return [];
  return wantedPhases(members).flatMap((phase): Finding[] => {
    if (members.some((member) => member.phase === phase)) return [];
    const message = `No unit is known on phase ${phase}. Give its inverter a cable of its own, or read the system through a unit that answers QPGS.`;
    return [{ code: "phase-without-unit", severity: "error", message, inverters: [], about: phase }];
  });
}

function missingUnits({ members, linkMessages, isSettled }: Judged): Finding[] {
  return members.flatMap((member): Finding[] => {
    if (member.state === "live" || (member.state === "unheard" && !isSettled)) return [];
    const link = linkMessages.get(member.id);
    const tellers = member.through.map(({ inverter }) => inverter);
    const dead = tellers.filter((id) => linkMessages.has(id));
    const why =
      link !== undefined && link !== ""
        ? link
        : dead.length > 0 && dead.length === tellers.length
          ? `It is seen only at the cable of ${dead.join(" and ")}, which is dead.`
          : tellers.length > 0
            ? `${tellers.join(" and ")} no longer tells of it: it is switched off, or its parallel cable is loose.`
            : member.ownCable
              ? "Nothing comes from its cable."
              : "It was part of the system before, and no unit tells of it now.";
    const { phase } = member;
    const leavesPhase = phase !== undefined && !members.some((other) => other.phase === phase && other.state === "live");
    const message = `${nameOf(member)} is missing. ${why} Totals are without it${leavesPhase ? `, and no unit answers on phase ${phase}` : ""}.`;
    return [{ code: "unit-missing", severity: leavesPhase ? "error" : "warning", message, inverters: [member.id] }];
  });
}

function mixedModes({ members, group }: Judged): Finding[] {
  const wired = members.flatMap((member) => {
    const wiring = group.has(member.id) ? wiringOf(member) : undefined;
    return wiring === undefined ? [] : [{ member, wiring }];
  });
  if (new Set(wired.map(({ wiring }) => wiring)).size <= 1) return [];
  const list = wired.map(({ member, wiring }) => `${member.id} ${wiringWords[wiring]}`).join(", ");
  return [
    {
      code: "output-modes-differ",
      severity: "error",
      message: `The units do not agree how they work together: ${list}. Set the same kind of output mode on all.`,
      inverters: wired.map(({ member }) => member.id),
      about: metric.outputMode.key,
    },
  ];
}

function driftedSettings(differences: readonly SystemDifference[]): Finding[] {
  return differences
    .filter(({ mustAgree }) => mustAgree)
    .map(({ setting, values }) => {
      const label = findMetric(setting)?.label ?? setting;
      const list = values.map(({ inverter, value }) => `${textOf(setting, value)} on ${inverter}`).join(", ");
      return {
        code: "settings-differ",
        severity: "warning",
        message: `${label} differs: ${list}. Units of one system need the same.`,
        inverters: values.map(({ inverter }) => inverter),
        about: setting,
      };
    });
}

function equalSerialNumbers(members: readonly SystemMember[]): Finding[] {
  const bySerial = new Map<string, SystemMember[]>();
  for (const member of members) {
    if (member.serialNumber === undefined) continue;
    bySerial.set(member.serialNumber, [...(bySerial.get(member.serialNumber) ?? []), member]);
  }
  return [...bySerial]
    .filter(([, alike]) => alike.length > 1)
    .map(([serialNumber, alike]) => {
      const areToldByPhase =
        new Set(alike.map(({ phase }) => phase ?? "")).size === alike.length && alike.every(({ phase }) => phase !== undefined);
      const how = areToldByPhase
        ? "They are told apart by their phases."
        : "They are told apart by their cables and numbers only. If it is one inverter with two cables, take one of them out of the configuration.";
      return {
        code: "equal-serial-numbers",
        severity: "note",
        message: `${alike.map(({ id }) => id).join(", ")} have the same serial number ${serialNumber}. ${how}`,
        inverters: alike.map(({ id }) => id),
      };
    });
}

function textOf(setting: string, value: Value): string {
  const unit = findMetric(setting)?.unit;
  return `${String(value)}${unit === undefined ? "" : ` ${unit}`}`;
}
