import { describe, expect, it } from "vitest";
import type { OutcomeKind, SettingChange } from "../model/control.ts";
import { sharedChange } from "./shared-change.ts";

const { signal } = new AbortController();

/** What was asked of control, and what came of a command. */
async function tried(command: string, kind: OutcomeKind = "applied", family = "unknown") {
  const changes: SettingChange[] = [];
  const change = sharedChange({
    control: {
      change: async (wanted) => {
        changes.push(wanted);
        return { change: wanted, kind, reason: "", written: [], startedAt: 0, endedAt: 0 };
      },
    },
    makeOf: () => ({ family, unit: 0 }),
    newId: () => "id-1",
  });
  return { changes, changed: await change("axpert-1", command, "tcp 127.0.0.1:4711", { signal }) };
}

describe("a command of another program", () => {
  it("becomes a change of the setting that it means, under the program's name", async () => {
    const { changes, changed } = await tried("POP02");
    expect(changes).toEqual([
      {
        id: "id-1",
        inverter: "axpert-1",
        setting: "outputSourcePriority",
        value: "sbu",
        actor: { via: "sharedPort", name: "tcp 127.0.0.1:4711" },
      },
    ]);
    expect(changed).toEqual({ isSo: true });
  });

  it.each([
    ["applied", true],
    ["unchanged", true],
    ["refused", false],
    ["notSupported", false],
    ["unconfirmed", false],
  ] as const)("that ends as %s counts as done: %s", async (kind, isSo) => {
    expect((await tried("PEa", kind)).changed).toEqual({ isSo });
  });

  it.each(["PSAVE", "PSDF", "SID1492931905106458000000", "BTA151.20", "CF11"])(
    "that may never be sent, %s, goes no further",
    async (command) => {
      const { changes, changed } = await tried(command);
      expect(changes).toEqual([]);
      expect(changed).toMatchObject({ isSo: false, untold: expect.stringContaining("never sent") as string });
    },
  );

  it.each(["HELLO", "POP", "POP2020", "^S005ED1", "POP02 "])("that is no setting, %j, goes no further", async (command) => {
    const { changes, changed } = await tried(command);
    expect(changes).toEqual([]);
    expect(changed).toMatchObject({ isSo: false, untold: expect.any(String) as string });
  });
});
