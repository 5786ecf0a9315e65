import type { SystemMember, SystemState } from "../../src/model/system.ts";

const at = Date.UTC(2026, 0, 1, 12);

/** Two units, of which the second is gone. */
export const twoUnits: SystemState = {
  members: [member("axpert-1", true), member("axpert-2", false)],
  expected: 2,
  answering: 1,
  simulated: false,
  totals: { loadActivePower: { value: 320, origin: "measured", at, units: 1, expected: 2, complete: false } },
  differences: [],
  alarms: [{ code: "unit-missing", severity: "warning", message: "axpert-2 is missing.", inverters: ["axpert-2"], since: at }],
};

export const oneUnit: SystemState = { ...twoUnits, members: [member("axpert-1", true)], expected: 1, alarms: [] };

function member(id: string, live: boolean): SystemMember {
  return {
    id,
    simulated: false,
    ownCable: true,
    through: [],
    state: live ? "live" : "stale",
    seenAt: at,
    values: { loadActivePower: { value: 320, origin: "measured", at, command: "QPIGS", from: id, live } },
  };
}
