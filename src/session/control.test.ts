import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { scriptedLine } from "../../test/support/scripted-line.ts";
import { knows, type Script } from "../../test/support/scripted-port.ts";
import type { Values } from "../model/reading.ts";
import type { SettingValue } from "../model/setting.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { QMOD } from "../protocol/pi30/status.ts";
import { QMUCHGCR } from "../protocol/pi30/currents.ts";
import { hasZeroByte } from "../protocol/encode.ts";
import { numberOf, type Setting, type Write } from "../protocol/setting.ts";
import type { VirtualClock } from "../sim/virtual-clock.ts";
import { UnitControl } from "./control.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
const signal = (): AbortSignal => new AbortController().signal;
const noted = async (): Promise<void> => undefined;

/** A setting in two forms, as charge currents have them. */
const current: Setting = {
  kind: "setting",
  code: "MUCHGC",
  info: {
    name: "maxAcChargeCurrent",
    label: "Max. AC charge current",
    explanation: "For the tests of the session.",
    topic: "charging",
    unit: "A",
    level: "everyday",
  },
  source: "notes §9.2",
  shape: "NNN, or mNNN",
  needs: [QMUCHGCR],
  readBack: {
    query: QPIRI,
    read: (values) => numberOf(values, "maxAcChargeCurrent"),
    changed: (values, value) => ({ ...values, maxAcChargeCurrent: value }),
  },
  allowed: ({ values }) => {
    const list = values["selectableAcChargeCurrents"];
    return Array.isArray(list)
      ? { kind: "list", values: list as readonly number[] }
      : { kind: "none", because: "lacking", reason: "this unit does not tell which currents it takes" };
  },
  check: (value) => (value === 80 ? "80 A would melt the cable of this test" : undefined),
  commands: (value) => [`MUCHGC${String(value).padStart(3, "0")}`, `MUCHGC0${String(value).padStart(3, "0")}`],
  parse: () => undefined,
  effect: undefined,
};

const ratings = (amps: number): string =>
  `230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 49.0 54.4 54.4 2 ${String(amps).padStart(2, "0")} 060 1 1 2 9 01 0 1 53.0 0 1 000`;

/** A unit at 60 A that does with a setter what `verdict` says, and takes its value `afterMs` later (never: Infinity). */
function unitThat(clock: () => number, verdict: (command: string) => "ACK" | "NAK" | undefined, afterMs = 0): Script {
  let amps = 60;
  let next: { readonly amps: number; readonly at: number } | undefined;
  return (command) => {
    if (next && clock() >= next.at) amps = next.amps;
    const known = knows({ QPIRI: ratings(amps), QMUCHGCR: "002 010 020 030 040 050 060 070 080" });
    if (!command.startsWith("MUCHGC")) return known(command);
    const says = verdict(command);
    if (says !== "NAK") next = { amps: Number(command.slice(-3)), at: clock() + afterMs };
    return says;
  };
}

async function controlOf(make: (clock: VirtualClock) => Script) {
  const { clock, port, line } = await scriptedLine(make, stops);
  const control = new UnitControl({ line, clock, facts: () => ({ family: "unknown", unit: 0, wide: false }) });
  const setters = (): string[] => port.commands().filter((command) => !command.startsWith("Q"));
  const change = (value: SettingValue, setting = current) => control.change(setting, value, { signal: signal(), beforeWrite: noted });
  return { clock, port, line, control, change, setters };
}

describe("the four ways of units", () => {
  test("one that obeys: applied, read back", async () => {
    const { change, setters, clock } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    const started = clock.monotonic();
    expect(await change(30)).toMatchObject({ kind: "applied", before: 60, after: 30, written: [{ command: "MUCHGC030", answer: "ack" }] });
    expect(clock.monotonic() - started).toBeLessThan(3000);
    expect(setters()).toEqual(["MUCHGC030"]);
  });

  test("one that refuses: each form once, then refused by the inverter, and the old value stands", async () => {
    const { change, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "NAK",
      ),
    );
    expect(await change(30)).toMatchObject({ kind: "refused", by: "inverter", before: 60, after: 60 });
    expect(setters()).toEqual(["MUCHGC030", "MUCHGC0030"]);
  });

  test("one that acknowledges and does nothing: unconfirmed within 30 s, sent once", async () => {
    const { change, setters, clock } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
        Number.POSITIVE_INFINITY,
      ),
    );
    const started = clock.monotonic();
    const outcome = await change(30);
    expect(outcome).toMatchObject({ kind: "unconfirmed", before: 60, after: 60 });
    expect(outcome.reason).toContain("still reads 60, not 30");
    expect(clock.monotonic() - started).toBeLessThan(30_000);
    expect(setters()).toEqual(["MUCHGC030"]);
  });

  test("one that applies it 20 s late: applied within 30 s", async () => {
    const { change, clock } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
        20_000,
      ),
    );
    const started = clock.monotonic();
    expect(await change(30)).toMatchObject({ kind: "applied", before: 60, after: 30 });
    expect(clock.monotonic() - started).toBeLessThan(30_000);
  });
});

describe("verdicts that are none", () => {
  test("a lost ACK: what is read back counts", async () => {
    const { change, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => undefined,
      ),
    );
    expect(await change(30)).toMatchObject({ kind: "applied", after: 30, written: [{ answer: "silence" }] });
    expect(setters()).toEqual(["MUCHGC030"]);
  });

  test("silence to the first form, which the unit does not know: the second is tried", async () => {
    const { change, setters } = await controlOf((on) => {
      const script = unitThat(
        () => on.monotonic(),
        () => "ACK",
      );
      return (command) => (command === "MUCHGC030" ? undefined : script(command));
    });
    expect(await change(30)).toMatchObject({ kind: "applied", after: 30, written: [{ answer: "silence" }, { answer: "ack" }] });
    expect(setters()).toEqual(["MUCHGC030", "MUCHGC0030"]);
  });

  test("the link breaks under it: not sent again, and the value that the unit comes back with counts", async () => {
    const { change, port, clock, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => undefined,
      ),
    );
    const outcome = change(30);
    while (!port.commands().includes("MUCHGC030")) await clock.sleep(50, { signal: signal() });
    port.pull();
    await clock.sleep(3000, { signal: signal() });
    port.plugIn();
    expect(await outcome).toMatchObject({ kind: "applied", after: 30 });
    expect(setters()).toEqual(["MUCHGC030"]);
  });
});

test.each(["silence", "spoilt"])(
  "what cannot be read back is not sent again in another form after %s: it may have been obeyed",
  async (how) => {
    const blind: Setting = { ...current, readBack: undefined };
    const { change, setters, port } = await controlOf(() => (command) => {
      if (!command.startsWith("MUCHGC")) return knows({ QMUCHGCR: "002 010 020 030" })(command);
      return how === "silence" ? undefined : Uint8Array.of(0x28, 0x41, 0x43, 0x4b, 1, 2, 13);
    });
    expect(await change(30, blind)).toMatchObject({ kind: "unconfirmed" });
    expect(setters()).toEqual(["MUCHGC030"]);
    expect(port.commands().filter((command) => command.startsWith("M"))).toHaveLength(1);
  },
);

test.each(["silence", "spoilt"])("nor with its checksum in another form after %s", async (how) => {
  // The checksum of this one has a zero byte.
  const code = Array.from({ length: 100_000 }, (_, index) => `MZ${index}`).find((command) => hasZeroByte(command)) ?? "";
  const blind: Setting = { ...current, readBack: undefined, commands: () => [code] };
  const { change, setters } = await controlOf(() => (command) => {
    if (!command.startsWith("MZ")) return knows({ QMUCHGCR: "002 010 020 030" })(command);
    return how === "silence" ? undefined : Uint8Array.of(0x28, 0x41, 0x43, 0x4b, 1, 2, 13);
  });
  expect(await change(30, blind)).toMatchObject({ kind: "unconfirmed" });
  expect(setters()).toEqual([code]);
});

describe("nothing is sent", () => {
  test("for a value that is set already", async () => {
    const { change, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    expect(await change(60)).toMatchObject({ kind: "unchanged", before: 60, after: 60, written: [] });
    expect(setters()).toEqual([]);
  });

  test("for a value that this unit does not offer, which is named with those it does", async () => {
    const { change, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    const outcome = await change(35);
    expect(outcome).toMatchObject({ kind: "refused", by: "us", before: 60, written: [] });
    expect(outcome.reason).toBe("expected 2, 10, 20, 30, 40, 50, 60, 70, 80 A, got 35");
    expect(setters()).toEqual([]);
  });

  test("for what would be dangerous beside the other settings", async () => {
    const { change, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    expect(await change(80)).toMatchObject({ kind: "refused", by: "us", reason: "80 A would melt the cable of this test" });
    expect(setters()).toEqual([]);
  });

  test("to a unit that cannot tell the present value", async () => {
    const { change, setters } = await controlOf(() => knows());
    expect(await change(30)).toMatchObject({ kind: "notSupported", reason: "this unit does not know QPIRI, which would tell it" });
    expect(setters()).toEqual([]);
  });

  test("to a unit that lists no values", async () => {
    const { change, setters } = await controlOf(() => knows({ QPIRI: ratings(60) }));
    expect(await change(30)).toMatchObject({ kind: "notSupported", before: 60 });
    expect(setters()).toEqual([]);
  });

  test("while the inverter cannot be reached", async () => {
    const { change, port, clock, line } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    port.pull();
    while (line.status.state === "online") await clock.sleep(100, { signal: signal() });
    expect(await change(30)).toMatchObject({ kind: "refused", by: "us", written: [] });
  });

  test("when what is about to be sent cannot be put down", async () => {
    const { control, setters } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    const full = new Error("the disk is full");
    const seen: Write[] = [];
    const outcome = control.change(current, 30, {
      signal: signal(),
      beforeWrite: async (write, before) => {
        seen.push(write);
        expect(before).toBe(60);
        throw full;
      },
    });
    expect(await failureOf(outcome)).toBe(full);
    expect(seen).toEqual([{ kind: "write", setting: "maxAcChargeCurrent", value: 30, command: "MUCHGC030" }]);
    expect(setters()).toEqual([]);
  });
});

describe("what it does", () => {
  const watched = (seen: (values: Values) => boolean | undefined): Setting => ({
    ...current,
    effect: { queries: [QMOD], seen, describe: () => "the mode changes to line" },
  });

  test("is told when it is seen", async () => {
    const { change } = await controlOf((on) => {
      const script = unitThat(
        () => on.monotonic(),
        () => "ACK",
      );
      return (command) => (command === "QMOD" && on.monotonic() > 5000 ? "L" : script(command));
    });
    const outcome = await change(
      30,
      watched((values) => values["operatingMode"] === "line"),
    );
    expect(outcome).toMatchObject({ kind: "applied", effect: "Seen: the mode changes to line." });
  });

  test("is waited for after it is told that the value reads back", async () => {
    const { control, clock } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    const started = clock.monotonic();
    let readBackMs = Number.NaN;
    await control.change(
      watched(() => false),
      30,
      { signal: signal(), beforeWrite: noted, onReadBack: () => (readBackMs = clock.monotonic() - started) },
    );
    expect(readBackMs).toBeLessThan(2000);
    expect(clock.monotonic() - started).toBeGreaterThan(readBackMs + 5000);
  });

  test("is told when it is not", async () => {
    const { change, clock } = await controlOf((on) =>
      unitThat(
        () => on.monotonic(),
        () => "ACK",
      ),
    );
    const started = clock.monotonic();
    expect(
      await change(
        30,
        watched((values) => values["operatingMode"] === "line"),
      ),
    ).toMatchObject({
      kind: "applied",
      effect: "Not seen within 8 s: the mode changes to line.",
    });
    expect(clock.monotonic() - started).toBeLessThan(30_000);
  });
});

test("settings are read anew, and one that the unit does not have says so", async () => {
  const { control } = await controlOf((on) =>
    unitThat(
      () => on.monotonic(),
      () => "ACK",
    ),
  );
  const [state] = await control.read([current], { signal: signal() });
  expect(state).toMatchObject({ value: 60, allowed: { kind: "list" } });
  expect(state?.at).toBeGreaterThan(0);
  const other = await controlOf(() => knows());
  expect(await other.control.read([current], { signal: signal() })).toEqual([
    { info: current.info, reason: "this unit does not know QPIRI, which would tell it" },
  ]);
});
