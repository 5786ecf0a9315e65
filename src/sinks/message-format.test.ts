import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LocalTime } from "../model/local-time.ts";
import { messageFormats } from "./message-format.ts";
import type { MessageEntry, MessageFormatName, MessageLogEntry } from "./message-format.ts";

const at = Date.UTC(2026, 5, 1, 10, 0, 0, 123);
const stamp = LocalTime.of("Africa/Johannesburg").stamp(at);
const message = (payload: string | Uint8Array, more: Partial<MessageEntry> = {}): MessageEntry => ({
  at,
  stamp,
  topic: "power/axpert",
  payload: Buffer.from(payload),
  qos: 0,
  retain: false,
  ...more,
});
const gap: MessageLogEntry = { at, stamp, event: "gap", from: at - 5_000, to: at, reason: "The broker\tclosed" };
const lineOf = (name: MessageFormatName, entry: MessageLogEntry): string =>
  Buffer.from(messageFormats[name]("mqtt").line("", entry), "latin1").toString("utf8");

test("text: time of the place, topic and payload, whatever is in them", () => {
  const time = "2026-06-01T12:00:00.123+02:00";
  expect(lineOf("text", message("21.5 °C"))).toBe(`${time}\tpower/axpert\t21.5 °C`);
  expect(lineOf("text", message(""))).toBe(`${time}\tpower/axpert\t`);
  expect(lineOf("text", message("a\tb\r\nc\\n\0\u0085\u2028", { topic: "a b/\t" }))).toBe(
    `${time}\ta b/\\t\ta\\tb\\r\\nc\\\\n\\u0000\\u0085\\u2028`,
  );
  expect(lineOf("text", message(Uint8Array.of(0xff, 0x00, 0x80)))).toBe(`${time}\tpower/axpert\tbase64:/wCA`);
  expect(lineOf("text", message("base64:/wCA"))).toBe(`${time}\tpower/axpert\t\\u0062ase64:/wCA`);
  expect(lineOf("text", gap)).toBe(
    `${time}\t#gap\t{"from":"2026-06-01T09:59:55.123Z","to":"2026-06-01T10:00:00.123Z","reason":"The broker\\\\tclosed"}`,
  );
});

test("JSON lines: one object each, bytes that are no text in base64", () => {
  const start = '{"at":"2026-06-01T10:00:00.123Z",';
  expect(lineOf("json", message('{"a":1}\n', { qos: 1, retain: true }))).toBe(
    `${start}"topic":"power/axpert","payload":"{\\"a\\":1}\\n","qos":1,"retain":true}`,
  );
  expect(lineOf("json", message(Uint8Array.of(0xff)))).toBe(
    `${start}"topic":"power/axpert","payload":"/w==","encoding":"base64","qos":0,"retain":false}`,
  );
  expect(lineOf("json", { at, stamp, event: "lost", lines: 3 })).toBe(`${start}"event":"lost","lines":3}`);
});

describe.each(["text", "json"] as const)("%s", (name) => {
  const format = messageFormats[name]("mqtt");
  const line = (entry: MessageLogEntry): string => format.line("", entry);

  test("any topic and payload is one line, and read back as it was", () => {
    const topics = fc.string({ unit: "binary", minLength: 1 }).filter((topic) => !/[\0+#]/.test(topic));
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: "binary" }).map((text) => new Uint8Array(Buffer.from(text))),
      fc.constantFrom("base64:", "\\", "\\u0000", "\uFEFFx").map((text) => new Uint8Array(Buffer.from(text))),
    );
    fc.assert(
      fc.property(topics, payloads, (topic, payload) => {
        const written = line(message(payload, { topic }));
        expect(written).not.toMatch(/[\n\r\0]/);
        expect(format.isFirstLine(written)).toBe(true);
        const read = format.parse(written);
        expect(read).toMatchObject({ at, topic });
        expect(Buffer.compare(Buffer.from((read as MessageEntry).payload), payload)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("events are told from messages", () => {
    expect(format.parse(line(gap))).toEqual({ at, event: "gap" });
    expect(format.isFirstLine(line(gap))).toBe(true);
  });

  test("a cut line is not taken for a whole one", () => {
    const whole = line(message("some payload"));
    for (let length = 0; length < whole.length; length++) expect(format.isWhole(whole.slice(0, length), whole)).toBe(false);
  });

  test.each(["", "date time,c0 c1", "{}", '{"at":"x","topic":"y"}', "\t\t", "2026-06-01 10:00:00.123000,1 2 3"])(
    "%j is no line of ours",
    (foreign) => {
      expect(format.parse(foreign)).toBeUndefined();
      expect(foreign === "" || !format.fits(foreign, gap)).toBe(true);
    },
  );

  test("a first line that is too long to be read to its end is known for ours", () => {
    expect(format.isFirstLine(line(message("x".repeat(100_000))).slice(0, 16_384))).toBe(true);
  });
});
