import { describe, expect, test } from "vitest";
import { decodeReply } from "../protocol/decode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { dataVectors } from "../../test/protocol/vectors.ts";
import { online, readingOf, realInverter, silent, simulatedInverter } from "../../test/support/readings.ts";
import { pointsOfEnergy, pointsOfReading, pointsOfStatus, type PointNames } from "./influx-points.ts";
import { pointLine } from "./line-protocol.ts";

const names: PointNames = { measurement: "sonkrag", inverterTag: "inverter", commandTag: "command", words: "fields" };
const at = Date.UTC(2026, 0, 1);

describe("a line", () => {
  test("every number is a float, also a whole one; words are quoted, yes and no are not", () => {
    expect(
      pointLine(
        "m",
        { b: "x" },
        [
          ["n", 52],
          ["f", -0.5],
          ["w", "line"],
          ["y", true],
        ],
        at,
      ),
    ).toBe(`m,b=x n=52,f=-0.5,w="line",y=true ${at}`);
  });

  test("what would end a part is escaped", () => {
    const line = pointLine("my m,x", { "a b": "c=d,e f\\" }, [['k,=" ', 'say "a\\b"\nnext']], at);
    expect(line).toBe(String.raw`my\ m\,x,a\ b=c\=d\,e\ f/ k\,\="\ ="say \"a\\b\" next" ${at}`);
  });

  test("what is no number is left out, a point without fields is none, an empty tag is none", () => {
    expect(pointLine("m", {}, [["n", Number.NaN]], at)).toBeUndefined();
    expect(
      pointLine(
        "m",
        { t: "" },
        [
          ["n", Infinity],
          ["o", 1],
        ],
        at,
      ),
    ).toBe(`m o=1 ${at}`);
  });
});

describe("points of a reading", () => {
  test("one point, told apart by inverter and command, at the time of the answer", () => {
    expect(pointsOfReading(readingOf(at), realInverter, names)).toEqual([
      `sonkrag,command=QPIGS,inverter=axpert-1 gridVoltage=233.8,batteryVoltage=52,heatSinkTemperature=48,deviceStatus="loadOn,chargingOn",batteryPower=-52 ${at}`,
    ]);
  });

  test("what is simulated or estimated says so; no values, no point", () => {
    const [point] = pointsOfReading(readingOf(at, { estimated: ["batteryPower"] }), simulatedInverter, names);
    expect(point).toContain(",simulated=true ");
    expect(point).toContain(',estimated="batteryPower" ');
    expect(pointsOfReading(readingOf(at, { values: {}, derived: {} }), realInverter, names)).toEqual([]);
  });

  test("for a database that keeps numbers only, words are points of their own, and a clock is none", () => {
    const reading = readingOf(at, {
      values: { batteryVoltage: 52, deviceStatus: ["loadOn", "chargingOn"], unitClock: "2026" },
      derived: {},
    });
    expect(pointsOfReading(reading, realInverter, { ...names, words: "tags" })).toEqual([
      `sonkrag,command=QPIGS,inverter=axpert-1 batteryVoltage=52 ${at}`,
      `sonkrag_state,command=QPIGS,inverter=axpert-1,name=deviceStatus,value=loadOn active=1 ${at}`,
      `sonkrag_state,command=QPIGS,inverter=axpert-1,name=deviceStatus,value=chargingOn active=1 ${at}`,
    ]);
  });

  test("no name has two types in all captured answers: a database would refuse its points", () => {
    const types = new Map<string, Set<string>>();
    for (const { command, payload } of dataVectors) {
      const reply = decodeReply(findRequest(command), { body: payload });
      if (reply.kind !== "data") continue;
      for (const [name, value] of Object.entries(reply.values)) {
        const type = typeof value === "number" || typeof value === "boolean" ? typeof value : "text";
        types.set(name, (types.get(name) ?? new Set()).add(type));
      }
    }
    expect(types.size).toBeGreaterThan(100);
    expect([...types].filter(([, kinds]) => kinds.size > 1)).toEqual([]);
  });

  test("the energy counters, of an inverter and of all", () => {
    expect(pointsOfEnergy(at, { pv: 1234.5, load: 0 }, "axpert-1", names)).toEqual([
      `sonkrag_energy,inverter=axpert-1 pv=1234.5,load=0 ${at}`,
    ]);
    expect(pointsOfEnergy(at, { pv: 2 }, undefined, names)).toEqual([`sonkrag_energy pv=2 ${at}`]);
  });

  test("the link", () => {
    expect(pointsOfStatus(online, realInverter, names)).toEqual([
      `sonkrag_link,inverter=axpert-1 online=true,state="online",message="" ${online.since}`,
    ]);
    expect(pointsOfStatus(silent, realInverter, { ...names, words: "tags" })).toEqual([
      `sonkrag_link,inverter=axpert-1 online=false ${silent.since}`,
      `sonkrag_state,inverter=axpert-1,name=linkState,value=silent active=1 ${silent.since}`,
    ]);
  });
});
