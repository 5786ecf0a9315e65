import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameError, ReplyError } from "../model/errors.ts";
import type { Value, Values } from "../model/reading.ts";
import { exampleOf, type Condition, type Layout, type Query, type Request, type Slot } from "./command.ts";
import { decodeFrame, decodeReply } from "./decode.ts";
import { encodeCommand, encodePayload, encodeReply } from "./encode.ts";
import type { Field } from "./field.ts";
import { pi30 } from "./pi30/dialect.ts";

/** Texts of fields that are neither number, word nor flags, by the form their codec declares. */
const textForms: Readonly<Record<string, fc.Arbitrary<string>>> = {
  PINN: fc.stringMatching(/^PI\d\d$/),
  "10 to 14 digits or letters": fc.stringMatching(/^\d[0-9A-Z]{9,13}$/),
  "serial number": fc.stringMatching(/^[0-9A-Z]{8,20}$/),
  "MMMMM-NNNN": fc.stringMatching(/^[A-Z0-9]{2,6}-\d{4,5}$/),
  NNN: fc.stringMatching(/^\d{3}$/),
  NN: fc.stringMatching(/^\d{2}$/),
  text: fc.stringMatching(/^[0-9]{1,5}$/),
  YYYYMMDDHHMMSS: fc
    .date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true })
    .map((time) => time.toISOString().slice(0, 19)),
  "text of 15 characters filled up with #": fc.stringMatching(/^[0-9A-Z][0-9A-Z-]{0,14}$/),
  "N/N": fc.stringMatching(/^\d\/\d$/),
};

/** Any value that the field may hold, from what its codec says of itself and from the metric's range. */
function valueOf({ codec, metric }: Field): fc.Arbitrary<Value> {
  const shape = codec.shape.replace(/ from .*/, "");
  const flagNames = /^\d+ × 0\/1: (.*)$/.exec(shape)?.[1];
  if (flagNames !== undefined) return fc.subarray(flagNames.split(", "));
  const [, digits, step] = /^(N+) × (\S+) \S+$/.exec(shape) ?? [];
  if (digits !== undefined) return fc.nat(10 ** digits.length - 1).map((count) => Number((count * Number(step)).toFixed(1)));
  if (/^\d+ no · \d+ yes$/.test(shape)) return fc.boolean();
  if (shape === "three digits, the highest first")
    return fc.shuffledSubarray(["utilityFirst", "solarFirst", "unknown:7"], { minLength: 3 });
  if (shape.startsWith("NN, 40 or more")) return fc.integer({ min: 8, max: 19 }).map((fives) => fives * 5);
  if (shape.startsWith("a number filled up")) return fc.nat(99_999);
  if (metric?.range && /^(exactly )?N+(\.N+)?$/.test(shape)) {
    const scale = 10 ** (shape.split(".")[1]?.length ?? 0);
    const [min, widest] = metric.range;
    const max = shape.startsWith("exactly ") ? Math.min(widest, 10 ** (shape.length - "exactly ".length) - 1) : widest;
    return fc.integer({ min: Math.ceil(min * scale), max: Math.floor(max * scale) }).map((steps) => steps / scale);
  }
  const textForm = textForms[shape];
  if (textForm) return textForm;
  const words = shape.split(" · ").map((option) => option.split(" ") as [code: string, word: string]);
  const unlisted = words[0]![0].replace(/\d/g, "9").replace(/[A-Z]/g, "Z");
  const isListed = words.some(([code]) => code === unlisted);
  return fc.constantFrom(...words.map(([, word]) => word), ...(isListed ? [] : [`unknown:${unlisted}`]));
}

type Entry = readonly [name: string, value: Value] | undefined;
function entryOf(slot: Slot): fc.Arbitrary<Entry> {
  const fields: readonly Field[] = "name" in slot ? [slot] : slot;
  return fc.oneof(
    ...fields.flatMap((field) => [
      valueOf(field).map((value): Entry => [field.name, value]),
      ...(field.absent === undefined ? [] : [fc.constant<Entry>(undefined)]),
    ]),
  );
}

const tailTexts = fc.array(fc.stringMatching(/^[0-9A-Za-z.]{1,6}$/), { maxLength: 3 });

/** What stands in a place that a layout is told by. */
function entryMatching(slot: Slot, { matches }: Condition): fc.Arbitrary<Entry> {
  const fields: readonly Field[] = "name" in slot ? [slot] : slot;
  return fc.stringMatching(matches).map((text): Entry => {
    for (const { name, codec } of fields) {
      const value = codec.decode(text);
      if (value !== undefined) return [name, value];
    }
    return undefined;
  });
}

/** Values and tail of a reply in this layout: as many fields as it may have, and more behind them where they are kept. */
function replyOf({ fields, count: [min, max], where }: Layout): fc.Arbitrary<{ values: Values; tail: readonly string[] }> {
  const longest = Math.min(max, fields.length);
  return fc.integer({ min: Math.min(min, longest), max: longest }).chain((length) => {
    const told = new Map(where?.map((condition) => [condition.index, condition]));
    const entries = fc.tuple(
      ...fields.slice(0, length).map((slot, index) => {
        const condition = told.get(index);
        return condition ? entryMatching(slot, condition) : entryOf(slot);
      }),
    );
    const room = length < fields.length ? 0 : max - length;
    const needed = Math.max(0, min - length);
    // A layout that is told by a text behind its fields has that text.
    const behind = fc.tuple(
      ...Array.from({ length: needed }, (_, index) => {
        const condition = told.get(length + index);
        return condition && !condition.matches.test("48.0") ? fc.stringMatching(condition.matches) : fc.constant("48.0");
      }),
    );
    const tail = fc.tuple(behind, tailTexts).map(([first, texts]) => [...first, ...texts].slice(0, Math.max(room, needed)));
    return fc.record({ values: entries.map((list) => Object.fromEntries(list.filter((entry) => entry !== undefined))), tail });
  });
}

const version = fc.stringMatching(/^[1-9A-F][0-9A-F]{4}\.[0-9A-F]{2}$/);
const hourTable = (name: string, words: readonly string[]): fc.Arbitrary<Values> => {
  const word = fc.constantFrom(...words);
  const byHour = fc.array(word, { minLength: 24, maxLength: 24 });
  const order = fc.array(word, { minLength: 3, maxLength: 3 });
  return fc.oneof(
    byHour.map((hours) => ({ [`${name}ByHour`]: hours })),
    fc
      .tuple(byHour, word, order)
      .map(([hours, now, three]) => ({ [`${name}ByHour`]: hours, [`${name}Now`]: now, [`${name}Order`]: three })),
  );
};

const wholeReplies: Readonly<Record<string, fc.Arbitrary<Values>>> = {
  QSID: fc.record({ serialNumber: fc.stringMatching(/^[0-9A-Za-z]{1,20}$/) }),
  QVFW: fc.record({ firmwareVersion: fc.stringMatching(/^[0-9A-F]{5}\.[0-9A-F]{2}$/) }),
  QFLAG: fc
    .shuffledSubarray(["buzzer", "overloadBypass", "solarFeedToGrid", "lcdBacklight", "faultCodeRecord", "unknown:g", "unknown:n"])
    .chain((names) => fc.nat(names.length).map((cut) => ({ enabledFlags: names.slice(0, cut), disabledFlags: names.slice(cut) }))),
  QMCHGCR: fc.record({ selectableChargeCurrents: fc.array(fc.nat(999), { minLength: 1, maxLength: 20 }) }),
  QMSCHGCR: fc.record({ selectableSolarChargeCurrents: fc.array(fc.nat(999), { minLength: 1, maxLength: 20 }) }),
  QVFW2: fc.record({ secondFirmwareVersion: version }, { requiredKeys: [] }),
  QVFW3: fc.oneof(fc.constant({}), fc.record({ panelFirmwareVersion: version }), fc.record({ scc2FirmwareVersion: version })),
  QVFW4: fc.record({ scc3FirmwareVersion: version }, { requiredKeys: [] }),
  "VERFW:": fc.record({ bluetoothFirmwareVersion: version }, { requiredKeys: [] }),
  QOPPT: hourTable("outputSourcePriority", ["utilityFirst", "solarFirst", "sbu", "unknown:7"]),
  QCHPT: hourTable("chargerSourcePriority", ["utilityFirst", "solarFirst", "solarAndUtility", "onlySolar"]),
  QLED: fc.record({
    ledEnabled: fc.boolean(),
    ledSpeed: fc.constantFrom("low", "medium", "fast"),
    ledEffect: fc.stringMatching(/^\d$/),
    ledBrightness: fc.nat(9),
    ledPresentation: fc.stringMatching(/^\d$/),
    ledColours: fc.array(fc.stringMatching(/^\d{9}$/), { minLength: 1, maxLength: 3 }),
  }),
  QMUCHGCR: fc.record({ selectableAcChargeCurrents: fc.array(fc.nat(999), { minLength: 1, maxLength: 20 }) }),
};

const warningBits = fc.stringMatching(/^([01]{32}|[01]{31}\d{3}[01]{2}|[01]{38})$/);

const asked = (query: Query): Request => exampleOf(query);

function readBack(query: Query, payload: string): unknown {
  const bytes = encodePayload(payload);
  // One good reply in 65,536 has the checksum 00 00, which is taken for padding and asked for again.
  fc.pre(bytes.at(-3) !== 0 || bytes.at(-2) !== 0);
  return decodeReply(asked(query), decodeFrame(bytes));
}

describe("what was written is read again", () => {
  const layouts = pi30.flatMap((query) => query.layouts.map((layout, index) => ({ query, layout, name: `${query.code} layout ${index}` })));
  test.each(layouts)("$name", ({ query, layout }) => {
    fc.assert(
      fc.property(replyOf(layout), ({ values, tail }) => {
        const payload = encodeReply(query, values, tail);
        expect(readBack(query, payload)).toEqual({ kind: "data", command: asked(query).command, payload, values, tail });
      }),
      { numRuns: 150 },
    );
  });

  test.each(pi30.filter((query) => query.whole && query.code !== "QPIWS"))("$code", (query) => {
    fc.assert(
      fc.property(wholeReplies[query.code]!, (values) => {
        expect(readBack(query, encodeReply(query, values))).toMatchObject({ values, tail: [] });
      }),
    );
  });

  test("QPIWS gives back its characters", () => {
    const query = pi30.find(({ code }) => code === "QPIWS")!;
    fc.assert(
      fc.property(warningBits, (bits) => {
        const values = { warnings: [], warningBits: bits };
        expect(readBack(query, encodeReply(query, values))).toMatchObject({ values: { warningBits: bits } });
      }),
    );
  });
});

/** Replies to a query, in each of its forms. */
function payloadsOf(query: Query): fc.Arbitrary<string> {
  if (query.code === "QPIWS") return warningBits;
  if (query.whole) return wholeReplies[query.code]!.map((values) => encodeReply(query, values));
  return fc.oneof(...query.layouts.map((layout) => replyOf(layout).map(({ values, tail }) => encodeReply(query, values, tail))));
}

describe("a reply is taken for none of a command that is declared to look different", () => {
  const told = pi30.filter(({ shape }) => shape !== "anything");
  const accepts = (query: Query, body: string): boolean => {
    try {
      return decodeReply(asked(query), { body }).kind === "data";
    } catch (error) {
      if (error instanceof ReplyError) return false;
      throw error;
    }
  };
  test.each(told)("$code", (query) => {
    const others = told.filter(({ shape }) => shape !== query.shape);
    fc.assert(
      fc.property(payloadsOf(query), (payload) => {
        expect(others.filter((other) => accepts(other, payload)).map(({ code }) => code)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("zero bytes won or lost between checksum and CR", () => {
  /** The values in a stream that should hold one reply; absent when it is refused at any step. */
  function valuesIn(query: Query, bytes: readonly number[]): Values | undefined {
    try {
      const reply = decodeReply(asked(query), decodeFrame(Uint8Array.from(bytes)));
      return reply.kind === "data" ? reply.values : undefined;
    } catch (error) {
      if (error instanceof FrameError || error instanceof ReplyError) return undefined;
      throw error;
    }
  }

  // Where a QPIGS ends with the feed-in power, 1,234 W and 12,345 W have the same right to be there.
  // So have at the end of a QPIRI the C.V. times 60 min and 600 min.
  const isTold = (payload: string): boolean =>
    !(payload.split(" ").length === 24 && / [1-9]\d{3,}$/.test(payload)) &&
    !(payload.split(" ").length === 26 && / [4-9][05]\d?$/.test(payload));
  // A model name, a serial number and a list of letters may be longer or shorter by one by right.
  const fixed = pi30.filter((query) => query.layouts.length > 0 && !["QMN", "QID", "Q2"].includes(query.code));
  test.each(fixed)("give no wrong value: $code", (query) => {
    fc.assert(
      fc.property(payloadsOf(query).filter(isTold), fc.constantFrom(1, 2, 3, 8), (payload, zeros) => {
        const right = decodeReply(asked(query), { body: payload }) as { values: Values };
        const frame = [...encodePayload(payload)];
        const won = [...frame.slice(0, -1), ...Array<number>(zeros).fill(0), 0x0d];
        expect(right.values).toMatchObject(valuesIn(query, won) ?? {});
        if (frame.at(-2) === 0) expect(right.values).toMatchObject(valuesIn(query, [...frame.slice(0, -2), 0x0d]) ?? {});
      }),
      { numRuns: 1000 },
    );
  });

  test("the documented width of the last number tells", () => {
    const body = "230.0 49.9 230.0 49.9 0805 0751 020 448 29.00 000 100 0037 02.3 271.1 00.00 00007 00010000 00 00 00647 011 0 00 ";
    const read = (last: string): unknown => valuesIn(pi30[0]!, [...encodePayload(`${body}${last}`)]);
    expect(read("0450")).toMatchObject({ solarFeedPower: 450 });
    expect(read("04507")).toBeUndefined();
    expect(read("045")).toBeUndefined();
  });
});

describe("what cannot be written is refused", () => {
  const refused = expect.objectContaining({ code: "value-invalid" });
  const find = (code: string): Query => pi30.find((query) => query.code === code)!;

  test.each([
    ["QPIWS", { warnings: [] }],
    ["QSID", { serialNumber: "" }],
    ["QSID", { serialNumber: "123456789012345678901" }],
    ["QVFW", { firmwareVersion: "72.70" }],
    ["QVFW", {}],
    ["QFLAG", { enabledFlags: ["noSuchOption"], disabledFlags: [] }],
    ["QMCHGCR", { selectableChargeCurrents: [1000] }],
    ["QMCHGCR", { selectableChargeCurrents: [] }],
    ["QMOD", { operatingMode: "toString" }],
    ["QMOD", { operatingMode: "unknown:7" }],
    ["QMOD", {}],
    ["QPIGS2", { pv2Current: Number.NaN, pv2Voltage: 1, pv2Power: 1 }],
    ["QPIGS2", { pv2Current: -1, pv2Voltage: 1, pv2Power: 1 }],
    ["QPIGS2", { pv2Current: 1, pv2Voltage: 1000, pv2Power: 1 }],
    ["QPIGS2", { pv2Current: 1, pv2Voltage: 1 }],
  ])("%s %j", (code, values: Values) => {
    expect(() => encodeReply(find(code), values)).toThrow(refused);
  });

  test("a tail behind an incomplete reply would be read as a field", () => {
    const { values } = decodeReply(asked(find("QPIGS")), {
      body: "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00010110",
    }) as { values: Values };
    expect(encodeReply(find("QPIGS"), values)).toContain("00010110");
    expect(() => encodeReply(find("QPIGS"), values, ["07"])).toThrow(refused);
  });

  test.each(["", " QPI", "QPI ", "QPI\r", "Q(PI", "QPÏ", "Q".repeat(121)])("command %j", (command) => {
    expect(() => encodeCommand(command)).toThrow(refused);
  });
  test.each(["", "a(b", "a\rb", "ä", "0".repeat(501)])("payload %j", (payload) => {
    expect(() => encodePayload(payload)).toThrow(refused);
  });
  test("a command of several words keeps its spaces", () => {
    expect(encodeCommand("PBMS1 100 0 1 1 560 560 480 500 500")).toHaveLength(38);
  });
});

/** The class of what is thrown, if anything is. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.constructor : error;
  }
}

test("random bodies throw nothing but ReplyError", () => {
  const body = fc.oneof(
    fc.string({ unit: "binary", maxLength: 150 }),
    fc.array(fc.stringMatching(/^[0-9.\-A-Za-z]{0,8}$/), { maxLength: 30 }).map((texts) => texts.join(" ")),
  );
  fc.assert(
    fc.property(fc.constantFrom(...pi30), body, (query, text) => {
      expect([undefined, ReplyError]).toContain(thrownBy(() => decodeReply(asked(query), { body: text })));
    }),
    { numRuns: 2000 },
  );
});
