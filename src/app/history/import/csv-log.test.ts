import { expect, test } from "vitest";
import { LocalTime } from "../../../model/local-time.ts";
import type { Reading } from "../../../model/reading.ts";
import { decodeReply } from "../../../protocol/decode.ts";
import { findRequest } from "../../../protocol/pi30/dialect.ts";
import { derive } from "../../../protocol/reading.ts";
import { CsvFormat } from "../../../sinks/log-format.ts";
import { historyRowOf } from "../history-row.ts";
import { takeCsvLog } from "./csv-log.ts";
import type { TakeOptions } from "./taken.ts";

const local = LocalTime.of("Europe/Berlin");
const options: TakeOptions = { file: "Axpert2026-10-25.csv", inverter: (own) => own ?? "none", local, recover: false };
const format = new CsvFormat();

function readingOf(payload: string, at: number, inverter = "garage"): Reading {
  const reply = decodeReply(findRequest("QPIGS"), { body: payload });
  if (reply.kind !== "data") throw new Error("expected data");
  return { inverter, at, command: "QPIGS", payload, values: reply.values, derived: derive(reply.values), tail: reply.tail };
}

function logOf(readings: readonly Reading[], simulated = false): string[] {
  const entries = readings.map((reading) => ({ reading, simulated, stamp: local.stamp(reading.at) }));
  const header = entries.reduce((before, entry) => format.header(entry, before || undefined), "");
  return [header, ...entries.map((entry) => format.line(header, entry))];
}

const payloads = [
  // A word of two digits, an empty list, a list, no float.
  "233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 12 01 00000 110",
  "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00000000",
  "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0000 000.0 00.00 00000 00010110",
  "230.0 49.9 230.0 49.9 0805 0751 020 448 29.00 000 100 0037 02.3 271.1 00.00 00007 00010000 00 00 00647 000 1 00 0000",
  "247.1 49.9 229.6 49.9 01012 00969 009 420 53.40 011 052 0052 03.2 268.1 00.00 00000 00010110 00 00 00879 010 0 00 0000 04.8",
];

test.each(payloads)("a line of our CSV log becomes the row that history would have kept live: %s", (payload) => {
  const reading = readingOf(payload, Date.UTC(2026, 9, 25, 0, 30, 0, 243));
  const { payload: _payload, ...row } = historyRowOf(reading);
  expect(takeCsvLog(logOf([reading]), options)).toEqual({ lines: 2, headers: 1, accepted: 1, rows: [row], rejected: [], notes: [] });
});

test("readings of different fields under one header, and the hour that comes twice", () => {
  const readings = payloads.map((payload, index) => readingOf(payload, Date.UTC(2026, 9, 25, 0, 30 * index)));
  const rows = readings.map((reading) => {
    const { payload: _payload, ...row } = historyRowOf(reading);
    return row;
  });
  expect(takeCsvLog(logOf(readings), options)?.rows).toEqual(rows);
});

test("a torn line and values that cannot be are kept apart; the next line is read", () => {
  const reading = readingOf(payloads[0] ?? "", Date.UTC(2026, 9, 1));
  const [header = "", line = ""] = logOf([reading]);
  const broken = [
    line.slice(0, 40),
    line.replace("233.8", "twelve"),
    line.replace("233.8", "23300.8"),
    line.replace("2026-10", "2026-13"),
    `"${line}`,
  ];
  const taken = takeCsvLog([header, ...broken, line], options);
  expect(taken?.rows).toHaveLength(1);
  expect(taken?.rejected).toEqual(
    ["X", "V", "V", "V", "X"].map((letter, index) => ({ line: index + 2, class: letter, text: broken[index] })),
  );
});

test("what is simulated stays so", () => {
  const lines = logOf([readingOf(payloads[0] ?? "", Date.UTC(2026, 9, 1), "simulated-99999999000001")], true);
  expect(takeCsvLog(lines, options)?.rows[0]?.inverter).toBe("simulated-99999999000001");
  expect(() => takeCsvLog(lines, { ...options, inverter: () => "garage" })).toThrow(
    /expected a log of garage, got one of the simulated inverter/,
  );
});

test("another file is none of ours", () => {
  expect(takeCsvLog(["time,power", "1,2"], options)).toBeUndefined();
});
