import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplyError } from "../../model/errors.ts";
import { decodeReply } from "../decode.ts";
import { asTold, derived, emptyCard, isLearning, observe } from "./card.ts";
import { findRequest } from "./dialect.ts";
import { oddFormIn, tolerating } from "./oddity.ts";

const QPIGS = findRequest("QPIGS");
const good = "230.5 50.0 230.0 50.0 0460 0414 014 380 26.40 005 085 0041 03.1 182.5 00.00 00000 00010110 00 00 00565 010";
const texts = good.split(" ");
const withAt = (index: number, text: string, of = texts): string => of.map((each, at) => (at === index ? text : each)).join(" ");
/** The heat sink as this unit has it. */
const odd = withAt(11, "41C");
const values = (request: typeof QPIGS, body: string): object | undefined => {
  try {
    const reply = decodeReply(request, { body });
    return reply.kind === "data" ? reply.values : undefined;
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
};

describe("an odd field", () => {
  it("is one alone, in a reply of a documented length", () => {
    expect(oddFormIn(QPIGS, odd)).toEqual({ index: 11, form: "NNC" });
    expect(oddFormIn(QPIGS, good)).toBeUndefined();
    expect(oddFormIn(QPIGS, withAt(6, "-", odd.split(" ")))).toBeUndefined();
    expect(oddFormIn(QPIGS, `${odd} 0`)).toBeUndefined();
  });

  it("is never the last, nor the flags, nor two glued together, nor an empty one", () => {
    expect(oddFormIn(QPIGS, withAt(20, "01"))).toBeUndefined();
    expect(oddFormIn(QPIGS, withAt(16, "0001011"))).toBeUndefined();
    expect(oddFormIn(QPIGS, withAt(0, "230.550.0x"))).toBeUndefined();
    expect(oddFormIn(QPIGS, withAt(11, ""))).toBeUndefined();
  });

  it("brings its text and no value, and the others their values", () => {
    const told = values(tolerating(QPIGS, { index: 11, form: "NNC" }), odd);
    expect(told).toMatchObject({ field11: "41C", loadActivePower: 414, batteryVoltage: 26.4, pv1Power: 565 });
    expect(told).not.toHaveProperty("heatSinkTemperature");
    expect(values(tolerating(QPIGS, { index: 11, form: "NNC" }), good)).toEqual(values(QPIGS, good));
    expect(values(tolerating(QPIGS, { index: 11, form: "NNC" }), withAt(11, "41F"))).toBeUndefined();
    expect(values(tolerating(QPIGS, { index: 11, form: "NNC" }), withAt(12, "41C"))).toBeUndefined();
    expect(values(tolerating(QPIGS, { index: 11, form: "NNC" }), `${odd} 0`)).toBeUndefined();
  });
});

describe("a shifted or glued reply", () => {
  const places = fc.integer({ min: 0, max: texts.length - 2 });
  const forms = fc.constantFrom("41C", "-", "NaN", "--.-", "1.2.3", "E4", "*");

  it("gives no value although one field may be odd", () => {
    fc.assert(
      fc.property(places, forms, places, fc.constantFrom("lost", "doubled", "glued", "split"), (index, text, at, damage) => {
        const form = oddFormIn(QPIGS, withAt(index, text));
        if (form === undefined) return;
        const parts = withAt(index, text).split(" ");
        const [one = "", next = ""] = [parts[at], parts[at + 1]];
        if (damage === "lost") parts.splice(at, 1);
        else if (damage === "doubled") parts.splice(at, 0, one);
        else if (damage === "glued") parts.splice(at, 2, one + next);
        else parts.splice(at, 1, one.slice(0, 1), one.slice(1));
        const body = parts.join(" ");
        expect(oddFormIn(QPIGS, body)).toBeUndefined();
        // Of another length, a reply is read as strictly as ever.
        expect(values(tolerating(QPIGS, form), body)).toEqual(values(QPIGS, body));
      }),
      { numRuns: 5000, seed: 7 },
    );
  });

  it("gives none where two documented lengths could be taken for each other", () => {
    // 24 fields that have lost three.
    const long = `${odd} 0 01 0000`.split(" ");
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 3, maxLength: 3 }), (lost) => {
        const body = long.filter((_, at) => !lost.includes(at)).join(" ");
        const isWhole = lost.every((at) => at > 20);
        const told = values(tolerating(QPIGS, { index: 11, form: "NNC" }), body);
        expect(told === undefined || isWhole || values(QPIGS, body) !== undefined).toBe(true);
      }),
      { numRuns: 5000, seed: 8 },
    );
  });
});

describe("the card", () => {
  const start = emptyCard({ protocol: "PI30" }, 0);
  const seen = (card: typeof start, payload: string) => observe(card, { command: "QPIGS", support: "unreadable", payload }, 1);

  it("learns a habit from three replies in a row, and then trusts the rest", () => {
    const second = seen(seen(start, odd), withAt(11, "42C"));
    expect(asTold(QPIGS, second, "unknown")).toBe(QPIGS);
    expect(isLearning(second, "QPIGS", "king")).toBe(true);
    const third = seen(second, odd);
    expect(["king", "unknown"].map((family) => isLearning(third, "QPIGS", family))).toEqual([false, true]);
    expect(values(asTold(QPIGS, third, "unknown"), odd)).toMatchObject({ loadActivePower: 414 });
    expect(asTold(QPIGS, third, "king")).toBe(QPIGS);
    const answering = observe(third, { command: "QPIGS", support: "answers", payload: odd }, 2);
    expect(derived(answering)).toMatchObject({
      pvInputs: 1,
      malformedFields: { QPIGS: { index: 11, name: "heatSinkTemperature", text: "41C", isHabit: true } },
    });
  });

  it("begins anew where the form or the place changes, or a right reply comes between", () => {
    const twice = seen(seen(start, odd), odd);
    expect(seen(twice, withAt(11, "4.C")).commands["QPIGS"]?.oddity?.seen).toBe(1);
    expect(seen(twice, withAt(10, "41C")).commands["QPIGS"]?.oddity?.seen).toBe(1);
    expect(seen(twice, "?").commands["QPIGS"]).not.toHaveProperty("oddity");
    expect(observe(twice, { command: "QPIGS", support: "answers", payload: good }, 2).commands["QPIGS"]).not.toHaveProperty("oddity");
  });
});
