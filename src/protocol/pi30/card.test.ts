import { describe, expect, test } from "vitest";
import type { ModelCard } from "../../model/card.ts";
import { derived, emptyCard, isCardOf, observe, withFact } from "./card.ts";

const identity = { protocol: "PI30", serialNumber: "92931905106458", firmware: "00079.70" };
const status21 = "222.6 49.9 230.1 50.0 0551 0499 006 398 54.30 000 061 0039 01.0 214.4 00.00 00000 00010110 00 00 00226 010";
const status17 = "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00010110";
const ratings = "230.0 34.7 230.0 50.0 34.7 8000 8000 48.0 51.0 48.0 55.2 55.0 2 010 040 0 2 3 9 01 0 0 52.0 1 1 480 0 140";
const clone = "230.0 18.2 230.0 50.0 18.2 4200 4200 24.0 23.0 21.0 28.2 27.0 2 30 060 0 2 2 1 01 0 0 26.0 0 1 25.5 02 22.0";
const plus = "0012 102.5 53.20 00638 11000000 0010 0532 0011 101.8 53.20 0585 01861";
const unit = (serial: string, { mode = "0", exists = "1" } = {}): string =>
  `${exists} ${serial} B 00 237.0 50.01 000.0 00.00 0483 0387 009 51.1 000 069 020.4 000 00942 00792 007 00000010 ${mode} 1 060 080 10 00 006`;

/** A card of a unit that has answered so. */
function cardOf(answers: Readonly<Record<string, string>>): ModelCard {
  let card = emptyCard(identity, 0);
  for (const [command, payload] of Object.entries(answers)) card = observe(card, { command, support: "answers", payload }, 1);
  return card;
}

describe("an observation", () => {
  test("of a live value adds nothing after the first; a new form does", () => {
    const card = cardOf({ QPIGS: status21 });
    const later = status21.replace("222.6", "223.1").replace("0499", "0731");
    expect(observe(card, { command: "QPIGS", support: "answers", payload: later }, 2)).toBe(card);
    const longer = observe(card, { command: "QPIGS", support: "answers", payload: `${status21} 0 00 0000` }, 3);
    expect(longer.commands["QPIGS"]).toMatchObject({ fields: 24, at: 3 });
    expect(longer.updatedAt).toBe(3);
  });

  test("of what is set or fixed is news when it changes", () => {
    const card = cardOf({ QPIRI: ratings, QMCHGCR: "010 020 030", QFLAG: "EbkuzDajvxy" });
    expect(observe(card, { command: "QPIRI", support: "answers", payload: ratings }, 2)).toBe(card);
    for (const [command, payload] of [
      ["QPIRI", ratings.replace("51.0 48.0", "50.0 48.0")],
      ["QMCHGCR", "010 020 040"],
      ["QFLAG", "EbkuzaDjvxy"],
    ] as const)
      expect(observe(card, { command, support: "answers", payload }, 2).commands[command]).toMatchObject({ payload, at: 2 });
  });

  test("of failures counts them up to where they tell nothing more, and one answer wipes them out", () => {
    let card = emptyCard(identity, 0);
    for (let count = 1; count <= 3; count++) {
      card = observe(card, { command: "QPIGS2", support: "silent" }, count);
      expect(card.commands["QPIGS2"]).toMatchObject({ support: "silent", failures: count });
    }
    expect(observe(card, { command: "QPIGS2", support: "silent" }, 9)).toBe(card);
    expect(observe(card, { command: "QPIGS2", support: "answers", payload: "01.0 202.0 00205 " }, 10).commands["QPIGS2"]).toMatchObject({
      support: "answers",
      failures: 0,
      fields: 3,
      length: 17,
    });
  });

  test("tells how the unit sends a zero checksum byte", () => {
    const card = observe(cardOf({}), { command: "QMOD", support: "answers", payload: "B", zeroChecksum: "zeroBumped" }, 1);
    expect(card.replyChecksum).toBe("zeroBumped");
    expect(observe(card, { command: "QMOD", support: "answers", payload: "L" }, 2)).toBe(card);
  });
});

test("a card belongs to a serial number and a firmware; the versions that were met stay", () => {
  const card = withFact(cardOf({ QPIGS: status21 }), "complete", true, 5);
  expect(isCardOf(card, identity)).toBe(true);
  expect(isCardOf(card, { ...identity, firmware: "00079.71" })).toBe(false);
  expect(isCardOf(card, { ...identity, serialNumber: "96332011223344" })).toBe(false);
  const updated = emptyCard({ ...identity, firmware: "00079.71" }, 100, card);
  expect(updated).toMatchObject({ complete: false, commands: {}, requestChecksum: "unknown" });
  expect(updated.firmwares).toEqual([
    { version: "00079.70", since: 0 },
    { version: "00079.71", since: 100 },
  ]);
  expect(withFact(card, "complete", true, 9)).toBe(card);
});

describe("what follows from a card", () => {
  test.each([
    ["one input", { QPIGS: status21 }, 1, "reported"],
    ["a second one by QPIGS2", { QPIGS: status21, QPIGS2: "01.0 202.0 00205 " }, 2, "reported"],
    ["three chargers", { QPIGS: status21, QPIGS2: plus }, 3, "reported"],
    ["of three chargers two", { QPIGS: status21, QPIGS2: plus, QPIRI: ratings.replace(" 9 01 ", " 9 11 ") }, 2, "reported"],
    ["an old unit that sends no power", { QPIGS: status17 }, 1, "computed"],
    ["nothing yet", {}, 0, "unknown"],
  ] as const)("PV inputs: %s", (_, answers, inputs, power) => {
    expect(derived(cardOf(answers))).toMatchObject({ pvInputs: inputs, pvPower: power });
  });

  test("a single unit that says it is none is one; the record of one that is not there is no unit", () => {
    const alone = cardOf({ QPGS0: unit(identity.serialNumber, { exists: "0" }) });
    expect(derived(alone).parallel).toEqual({ units: 1, number: 0, serialNumbers: [identity.serialNumber], phases: 1 });
    const three = cardOf({
      QPGS0: unit("96332011223344", { mode: "2" }),
      QPGS1: unit(identity.serialNumber, { mode: "3" }),
      QPGS2: unit("96332011223355", { mode: "4" }),
      QPGS3: unit("00000000000000", { exists: "0" }),
    });
    expect(derived(three).parallel).toMatchObject({ units: 3, number: 1, phases: 3 });
  });

  test("of clones with one serial number, the one that feeds this unit's phase", () => {
    const clones = { QPGS0: unit(identity.serialNumber, { mode: "2" }), QPGS1: unit(identity.serialNumber, { mode: "3" }) };
    const numberOf = (mode: string) =>
      derived(cardOf({ ...clones, QPIRI: ratings.replace(" 01 0 0 52.0", ` 01 0 ${mode} 52.0`) })).parallel.number;
    expect(["2", "3"].map(numberOf)).toEqual([0, 1]);
  });

  test("settings, with the unit's own lists; what the battery type sets is locked", () => {
    const card = cardOf({ QPIRI: ratings, QGMN: "044", QMN: "MKS2-8000", QPIGS: status21, QMCHGCR: "010 020 030 040" });
    const facts = derived(card);
    expect([facts.family, facts.modelName, facts.modelNumber]).toEqual(["max", "MKS2-8000", "044"]);
    expect(facts.settings["maxChargeCurrent"]).toEqual({ kind: "list", values: [10, 20, 30, 40] });
    expect(facts.settings["maxAcChargeCurrent"]).toMatchObject({ kind: "locked", reason: expect.stringMatching(/QMUCHGCR/) as string });
    const agm = derived(observe(card, { command: "QPIRI", support: "answers", payload: ratings.replace("55.0 2 010", "55.0 0 010") }, 2));
    expect(agm.settings["batteryBulkVoltage"]).toMatchObject({ kind: "locked" });
  });

  test("fields that no paper has, by their place, and replies that cannot be read", () => {
    let card = cardOf({ QPIRI: clone, QPIGS: `${status21} 0 00 0000 02.2 0137` });
    card = observe(card, { command: "QPIGS2", support: "unreadable", payload: "1 2 3 4" }, 2);
    const { unknownFields } = derived(card);
    expect(unknownFields["QPIRI"]).toEqual([
      { index: 25, text: "25.5" },
      { index: 26, text: "02" },
      { index: 27, text: "22.0" },
    ]);
    expect(unknownFields["QPIGS"]).toEqual([{ index: 25, text: "0137" }]);
    expect(unknownFields["QPIGS2"]).toHaveLength(4);
    expect(derived(card).pvInputs).toBe(1);
  });
});
