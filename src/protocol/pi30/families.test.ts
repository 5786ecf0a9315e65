import { describe, expect, test } from "vitest";
import { families, unknownFamily } from "./family-list.ts";
import { familyOf, findFamily, type FamilyEvidence } from "./families.ts";

interface Shown extends Partial<Pick<FamilyEvidence, "modelNumber" | "modelName">> {
  readonly fields?: Readonly<Record<string, number>>;
  readonly answers?: readonly string[];
  readonly payloads?: Readonly<Record<string, string>>;
}

function keyOf({ fields = {}, answers = [], payloads = {}, ...names }: Shown): string {
  const known = new Set([...answers, ...Object.keys(fields), ...Object.keys(payloads)]);
  return familyOf({ ...names, fields, answers: (command) => known.has(command), payload: (command) => payloads[command] }).key;
}

describe("familyOf", () => {
  // What real units answered, and the model numbers of the papers.
  test.each<[string, Shown]>([
    ["max", { modelNumber: "044", modelName: "MKS2-8000", fields: { QPIRI: 28, QPIGS: 21, QPIGS2: 3 } }],
    ["max", { modelNumber: "043" }],
    ["max2", { modelNumber: "044", modelName: "MKS2-8000", fields: { QPIRI: 28 }, answers: ["QWFS"] }],
    ["max-twin", { modelNumber: "044", fields: { QPIRI: 28, QPIGS: 24, QDOP: 14 }, answers: ["QWFS"] }],
    ["lv6548", { modelNumber: "045", fields: { QPIRI: 27 } }],
    ["king", { modelNumber: "023", fields: { QPIRI: 26 } }],
    ["king", { modelName: "KING-5000" }],
    ["phocos", { modelName: "MKS2-5000", fields: { QPIRI: 29, QPIGS: 24 } }],
    ["phocos", { modelNumber: "038", modelName: "MKS2-5000" }],
    ["mks2", { modelName: "MKS2-5000", fields: { QPIRI: 26 } }],
    ["mks2", { modelNumber: "022" }],
    ["mks3", { modelNumber: "042" }],
    ["mks3", { modelName: "MKSIII-5000" }],
    ["mks4", { modelName: "MKSIV-5600" }],
    // An 8 kW MAX calls itself so, and may not answer QGMN.
    ["max", { modelName: "MKS2-8000", fields: { QPIRI: 28, QPIGS: 21, QPIGS2: 3 } }],
    ["max2", { modelName: "MKS2-8000", fields: { QPIRI: 28 }, answers: ["QWFS"] }],
    ["vm2-4000", { modelName: "VMII-4000", modelNumber: "029", fields: { QPIRI: 25, QBEQI: 10 } }],
    ["vm2", { modelName: "VMII-3000", fields: { QPIRI: 25, QBEQI: 10 } }],
    ["vm3", { modelName: "VMIII-3200", modelNumber: "037" }],
    ["vm4", { modelName: "VMIV-4000", modelNumber: "027" }],
    ["vm4-twin", { modelName: "VMIV-4000", modelNumber: "027", fields: { QPIGS: 24, QDOP: 14 } }],
    ["split-phase", { fields: { QPIRI: 26, QPIGS: 21, QPIGS2: 11 } }],
    ["split-phase", { modelNumber: "026", fields: { QPIRI: 26 } }],
    ["split-phase", { modelNumber: "044", fields: { QPIRI: 26, QPIGS: 21, QPIGS2: 11 } }],
    ["plus", { fields: { QPIRI: 25, QPIGS2: 12 } }],
    ["hs", { fields: { QPIRI: 25, QPIGS: 17 } }],
    ["mks", { modelNumber: "010", fields: { QPIRI: 25, QPIGS: 21 } }],
    ["older", { fields: { QPIRI: 25, QPIGS: 21 } }],
    [
      "clone",
      {
        modelName: "VMII-4200",
        fields: { QPIRI: 28 },
        payloads: { QPIRI: "230.0 18.2 230.0 50.0 18.2 4200 4200 24.0 23.0 21.0 28.2 27.0 2 30 060 0 2 2 1 01 0 0 26.0 0 1 25.5 02 22.0" },
      },
    ],
    [
      "max",
      {
        modelNumber: "044",
        fields: { QPIRI: 28 },
        payloads: { QPIRI: "230.0 34.7 230.0 50.0 34.7 8000 8000 48.0 51.0 48.0 55.2 55.0 2 010 040 0 2 3 9 01 0 0 52.0 1 1 480 0 140" },
      },
    ],
    ["revo", { fields: { QPIRI: 25, QLITH0: 12 } }],
    [
      "revo",
      {
        fields: { QPIRI: 25, QPIGS: 21 },
        payloads: {
          QPIGS: "221.0 49.9 221.0 49.9 0000 0707 012 401 00.10 012 000 0026 0000 000.0 00.10 00000 00010000 00 00 00000 010",
        },
      },
    ],
    ...[
      "221.0 49.9 221.0 49.9 0000 0000 000 401 50.10 000 000 0026 0300",
      "221.0 49.9 221.0 49.9 0000 0000 000 401 50.10 000 000 0026 0000",
    ].map((start, index): [string, Shown] => [
      "revo",
      {
        fields: { QPIRI: 25, QPIGS: 21 },
        payloads: { QPIGS: `${start} 200.0 00.10 ${index === 0 ? "00000" : "01500"} 00010000 00 00 00000 010` },
      },
    ]),
    ["unknown", { fields: { QPIRI: 31, QPIGS: 23 } }],
    ["unknown", { modelNumber: "099", modelName: "XYZ-1000", fields: { QPIRI: 28 } }],
    ["unknown", {}],
  ])("%s: %j", (key, shown) => {
    expect(keyOf(shown)).toBe(key);
  });

  test("what was not asked yet is not taken for missing", () => {
    const evidence: FamilyEvidence = { fields: { QPIRI: 25, QPIGS: 21 }, answers: () => false, lacks: () => false };
    expect(familyOf(evidence).key).toBe("unknown");
    expect(familyOf({ ...evidence, lacks: () => true }).key).toBe("older");
  });
});

describe("the list", () => {
  test("has every key once, and each family can be found by it", () => {
    const keys = [...families, unknownFamily].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(findFamily(key).key).toBe(key);
    expect(findFamily("of a later version").key).toBe("unknown");
  });

  test("each family says by what a unit is known to be one of it", () => {
    for (const { rules } of families) {
      expect(rules.length).toBeGreaterThan(0);
      for (const rule of rules) expect(Object.keys(rule).length).toBeGreaterThan(0);
    }
  });

  test("each model number of the papers that PI30 covers belongs to one family", () => {
    const numbers = families.flatMap(({ rules }) => rules.flatMap(({ modelNumbers, answers }) => (answers ? [] : (modelNumbers ?? []))));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test("takes only codes that its tables explain", () => {
    for (const { chargerPriorities, chargerPrioritiesTaken } of [...families, unknownFamily])
      for (const code of chargerPrioritiesTaken ?? []) expect(Object.keys(chargerPriorities)).toContain(code);
  });

  test("the common denominator is within what every family may be set to", () => {
    const { voltages } = unknownFamily;
    for (const { key, voltages: own } of families) {
      for (const name of Object.keys(voltages) as (keyof typeof voltages)[]) {
        for (const battery of [24, 48] as const) {
          const [narrow, range] = [voltages[name][battery], own[name][battery]];
          if (narrow?.kind !== "range" || range?.kind !== "range") throw new Error(`expected ranges of ${name}`);
          expect([range.min <= narrow.min, range.max >= narrow.max], `${key} ${name} ${battery} V`).toEqual([true, true]);
        }
      }
    }
  });
});
