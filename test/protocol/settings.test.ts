import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SettingValue } from "../../src/model/setting.ts";
import { holds, isAllowed, writes, type Setting, type UnitFacts } from "../../src/protocol/setting.ts";
import { pi30 } from "../../src/protocol/pi30/dialect.ts";
import { classify, findSetting, settings } from "../../src/protocol/pi30/settings/catalogue.ts";
import { forbidden } from "../../src/protocol/pi30/settings/forbidden.ts";
import { factsOf, familyKeys, valuesOf } from "./settings-support.ts";
import { commandVectors } from "./vectors.ts";

/** Many makes and situations, each of which offers something that the others do not. */
const situations: readonly UnitFacts[] = familyKeys.flatMap((family) => [
  factsOf(family),
  factsOf(family, { unit: 2 }),
  factsOf(family, { battery: 24 }),
  factsOf(family, { battery: 12, wide: true }),
  factsOf(family, { wide: true, lowVoltage: true }),
]);

const wholly = situations.filter(({ family, unit, wide }) => family === "king" && unit === 0 && !wide);

function* everyValue(): Generator<{ setting: Setting; value: SettingValue; facts: UnitFacts }> {
  for (const facts of situations) {
    for (const setting of settings) {
      for (const [index, value] of valuesOf(setting.allowed(facts), setting).entries()) {
        // Long ranges are the same on most makes: whole on one of them, some values of them on the others.
        if (index < 10 || index % 23 === 0 || wholly.includes(facts)) yield { setting, value, facts };
      }
    }
  }
}

const same = (one: SettingValue | undefined, other: SettingValue): boolean =>
  typeof one === "number" && typeof other === "number" ? Math.abs(one - other) < 1e-6 : one === other;

describe("every setting, every make, every value that is offered", () => {
  const faults: string[] = [];
  const offered = new Set<string>();
  let checked = 0;
  for (const { setting, value, facts } of everyValue()) {
    const what = `${setting.info.name} = ${String(value)} on ${facts.family} (unit ${facts.unit})`;
    const fault = (text: string): number => faults.push(`${what}: ${text}`);
    const commands = setting.commands(value, facts);
    offered.add(setting.info.name);
    checked++;
    if (commands.length === 0) fault("has no command");
    if (!isAllowed(setting.allowed(facts) as Extract<ReturnType<Setting["allowed"]>, { kind: "list" }>, value)) fault("is not allowed");
    for (const command of commands) {
      const read = settings.flatMap((each) => {
        const parsed = each.parse(command, facts);
        return parsed === undefined ? [] : [{ name: each.info.name, parsed }];
      });
      if (read.length !== 1 || read[0]!.name !== setting.info.name || !same(read[0]!.parsed, value))
        fault(`${command} is read as ${JSON.stringify(read)}`);
      if (forbidden.some(({ pattern }) => pattern.test(command))) fault(`${command} is forbidden`);
      if (/^Q|^VERFW/.test(command)) fault(`${command} could be an inquiry`);
    }
    if (setting.readBack) {
      const changed = setting.readBack.changed(facts.values, value, facts);
      const read = setting.readBack.read(changed, facts);
      if (read === undefined || !holds(setting, value, read)) fault(`reads back as ${String(read)}`);
    }
  }

  test("has commands that mean it and nothing else, and is read back as it was set", () => {
    expect(faults).toEqual([]);
    expect(checked).toBeGreaterThan(8000);
  });

  test("and each setting is offered on some make", () => {
    expect(settings.map(({ info }) => info.name).filter((name) => !offered.has(name))).toEqual([]);
  });
});

describe("the catalogue", () => {
  test("has no name twice, and names that its values can be found under", () => {
    const names = settings.map(({ info }) => info.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.map((name) => findSetting(name).info.name)).toEqual(names);
    expect(() => findSetting("outputSourcePrioritie")).toThrow(expect.objectContaining({ code: "setting-unknown" }));
  });

  test("stands in the order of the unit's display, whose numbers are used once", () => {
    const programs = settings.flatMap(({ info }) => info.lcdProgram ?? []);
    expect(programs).toEqual([...programs].sort((one, other) => one - other));
    expect(new Set(programs).size).toBe(programs.length);
  });

  test("asks for a word before whatever cuts the supply, harms a battery or loses data", () => {
    const needing = settings.filter(({ info }) => info.confirm !== undefined);
    expect(needing.map(({ code }) => code).sort((one, other) => (one.toUpperCase() < other.toUpperCase() ? -1 : 1))).toEqual(
      "F PBATCD PBATMAXDISC PBEQA PBEQE PBEQV PBFT PBT PCVV PEd PF POPM PSDC PSDV PTOPE PTOPE RTDL RTEY SRS V".split(" "),
    );
    expect(needing.every(({ info }) => info.level === "expert")).toBe(true);
  });

  test("has every command of the notes §9.1 to §9.6, and no other", () => {
    const codes = new Set(settings.map(({ code }) => code.replace(/^PE[a-z]$/, "PE").replace(/^PLEDC\d$/, "PLEDC")));
    const documented = [
      "POP PCP PPCP PGR POPLG POPM F V PPVOKC PSPB SRS",
      // MCHGC and POPV are other forms of what is set by MNCHGC and V.
      "MNCHGC MUCHGC MSCHGC PBATMAXDISC",
      "PBCV PBDV PSDV PCVV PBFT PBEQV PBT PCVT PCST PBCC PBDC PSDC",
      "PBEQE PBEQT PBEQP PBEQOT PBEQA PBATCD",
      "PE",
      "PF DAT RTEY RTDL PDL LOGO WEL PLEDE PLEDS PLEDM PLEDB PLEDT PLEDD PLEDC",
      "PTOPE PTOPV PTOPVC PTOPC PTOPD PTOPW PTOPS",
    ].flatMap((row) => row.split(" "));
    expect([...codes].sort()).toEqual(documented.sort());
  });

  test("reads no more than what it names: every answer it looks at is one of the dialect", () => {
    for (const { needs, readBack } of settings) {
      for (const query of [...needs, ...(readBack ? [readBack.query] : [])]) expect(pi30).toContain(query);
    }
  });
});

/** Commands of the notes that change something. */
const setters = commandVectors.filter(({ command }) => !/^Q|^VERFW:/.test(command)).map(({ command }) => command);

/** Vectors that are there for their checksums; no unit of any make is sent them, and why. */
const neverSent: Readonly<Record<string, string>> = {
  POP03: "seen on clones, of unknown meaning",
  MUCHGC056: "a current that no unit lists",
  MUCHGC0021: "a current that no unit lists",
  MUCHGC0131: "a current that no unit lists",
  MNCHGC027: "a current that no unit lists",
  MNCHGC0064: "a current that no unit lists",
  MNCHGC0000: "a current that no unit lists",
  MCHGC056: "a current that no unit lists",
  PDL28: "not one of the periods",
  "PBFT40.3": "below every documented range",
  "PBFT44.3": "below every documented range",
  "PBFT46.1": "below every documented range",
  "PCVV45.3": "below every documented range",
  "PBCV40.3": "below every documented range",
  "PBCV41.0": "below every documented range",
  "PBCV62.9": "above every documented range",
  "PBDV42.0": "below the range of 48 V, above that of 24 V",
  "PBDV48.6": "between two steps",
  "PBEQV43.50": "below every documented range",
  PBATMAXDISC052: "between two steps",
};

describe("vectors of the notes", () => {
  const sent = new Set<string>();
  const members = ["older", "max"].flatMap((family) => [1, 4, 5].map((unit) => factsOf(family, { unit })));
  for (const facts of [...situations, ...members])
    for (const setting of settings)
      for (const value of valuesOf(setting.allowed(facts), setting))
        for (const command of setting.commands(value, facts)) sent.add(command);

  test("each is what some setting of some unit comes to, or is known never to be sent", () => {
    expect(setters.length).toBeGreaterThan(100);
    expect(setters.filter((command) => !sent.has(command)).sort()).toEqual(Object.keys(neverSent).sort());
  });
});

describe("what is never sent", () => {
  const classX = [
    "PSDF",
    "PBATH5400",
    "PBATL4200",
    "PMID",
    "PSAVE",
    "BTA1048.00",
    "BTA2058.00",
    "BTA0",
    "BTA+02",
    "BTA-01",
    "PVA0",
    "PVA1230.00",
    "CF00",
    "CF11",
    "PBF5400",
    "SID1492932105105335005535",
    "~S123",
    "PSET1",
    "ATE1",
    "ATE0",
    "PBMS0 050 0 0 0 560 540 480 0100 0100",
  ];

  test.each(classX)("%s is refused with the reason", (command) => {
    for (const facts of situations) {
      expect(classify(command, facts)).toMatchObject({
        kind: "forbidden",
        reason: expect.stringContaining(`${command} is never sent: it `),
      });
    }
  });

  test("no inquiry is barred", () => {
    for (const { stem } of pi30) expect(forbidden.filter(({ pattern }) => pattern.test(stem))).toEqual([]);
  });

  test("letters that nobody knows, read-only ones and several at once are no setting", () => {
    for (const command of [
      "PEm",
      "PDm",
      "PEn",
      "PDg",
      "PEab",
      "PEA",
      "PEaPDb",
      "POP",
      "POP2",
      "POP002",
      "POP02 ",
      "",
      "PBCV48",
      "PBCV048.0",
      "F55",
    ]) {
      const found = classify(command, factsOf("max"));
      // F55 has the form of a frequency; that it is not offered is found out afterwards.
      expect([command, found.kind]).toEqual([command, command === "F55" ? "setting" : "unknown"]);
    }
  });

  test("whatever another program sends, it is told or left alone, never guessed", () => {
    const near = fc
      .constantFrom(...setters)
      .chain((command) =>
        fc
          .tuple(fc.nat(command.length), fc.string({ maxLength: 3 }), fc.nat(2))
          .map(([at, text, cut]) => command.slice(0, at) + text + command.slice(at + cut)),
      );
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), fc.constantFrom(...situations), (command, facts) => {
        const found = classify(command, facts);
        if (found.kind !== "setting") return;
        const { setting, value } = found;
        // What it means is what this unit would be sent for it, or what it is not offered.
        const allowed = setting.allowed(facts);
        const mine = setting.commands(value, facts);
        if (allowed.kind !== "none" && isAllowed(allowed, value)) expect(mine).toContain(command);
      }),
      { numRuns: 3000 },
    );
  });

  test("a value in the right form that is not offered makes no command that may be sent", () => {
    const facts = factsOf("max");
    for (const [name, value] of [
      ["outputFrequencySetting", 55],
      ["outputSourcePriority", "unknown:3"],
      ["maxAcChargeCurrent", 15],
      ["maxChargeCurrent", 12.5],
      ["batteryBulkVoltage", 65],
      ["batteryBulkVoltage", "56"],
      ["buzzer", 1],
      ["unitClock", "2026-02-30T10:00:00"],
    ] as const)
      expect(() => writes(findSetting(name), value, facts)).toThrow(expect.objectContaining({ code: "value-invalid" }));
  });
});
