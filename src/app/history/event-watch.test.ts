import { expect, test } from "vitest";
import { online, readingOf, realInverter, silent } from "../../../test/support/readings.ts";
import type { Notice } from "../../model/reading.ts";
import { EventWatch } from "./event-watch.ts";

const notice = (key: string, severity: Notice["severity"] = "warning"): Notice => ({
  key,
  title: key,
  severity,
  explanation: "It is so.",
  advice: "Have a look.",
});
const warned = (at: number, notices: readonly Notice[]) => readingOf(at, { command: "QPIWS", values: {}, derived: {}, notices });
const mode = (at: number, operatingMode: string) => readingOf(at, { command: "QMOD", values: { operatingMode }, derived: {} });

test("a mode is an event when it changes, not when it is first seen or stays", () => {
  const watch = new EventWatch();
  expect(["line", "line", "battery", "battery", "line"].flatMap((word, at) => watch.reading(mode(at, word), realInverter))).toMatchObject([
    { at: 2, kind: "mode", key: "battery", details: { from: "line", to: "battery" } },
    { at: 4, kind: "mode", key: "line", details: { from: "battery", to: "line" } },
  ]);
});

test("warnings and faults begin and end; what stands when the program starts is told apart from what begins", () => {
  const watch = new EventWatch();
  const events = [
    warned(1, [notice("fanLocked")]),
    warned(2, [notice("fanLocked"), notice("overload", "fault")]),
    readingOf(3),
    warned(4, []),
  ].flatMap((reading) => watch.reading(reading, realInverter));
  expect(events.map(({ at, kind, key, details }) => [at, kind, key, details?.["what"]])).toEqual([
    [1, "warning", "fanLocked", "standing"],
    [2, "fault", "overload", "began"],
    [4, "warning", "fanLocked", "ended"],
    [4, "fault", "overload", "ended"],
  ]);
});

test("the link is an event when it changes; inverters are told apart", () => {
  const watch = new EventWatch();
  const other = { ...realInverter, id: "axpert-2" };
  expect(watch.status({ ...online, state: "starting" }, realInverter)).toEqual([]);
  expect(watch.status(online, realInverter)).toMatchObject([{ at: online.since, kind: "link", key: "online", inverter: "axpert-1" }]);
  expect(watch.status({ ...online, since: 5 }, realInverter)).toEqual([]);
  expect(watch.status(silent, other)).toMatchObject([{ key: "silent", text: silent.message, inverter: "axpert-2" }]);
  expect(watch.status(silent, realInverter)).toMatchObject([{ key: "silent", details: { from: "online" } }]);
});
