import { describe, expect, test } from "vitest";
import { findMetric } from "../../model/metric.ts";
import { exampleOf, request } from "../command.ts";
import { encodeCommand } from "../encode.ts";
import { identify } from "../identify.ts";
import { findRequest, pi30 } from "./dialect.ts";

describe("findRequest", () => {
  test.each(pi30)("$code, in any case", (query) => {
    const { command } = exampleOf(query);
    for (const text of [command, command.toLowerCase()]) {
      expect(findRequest(text)).toEqual({ query, command });
      expect(encodeCommand(findRequest(text).command).at(-1)).toBe(0x0d);
    }
  });

  test("a parallel unit by its number", () => {
    const query = pi30.find(({ code }) => code === "QPGSn")!;
    for (let unit = 0; unit <= 9; unit++) {
      expect(findRequest(`qpgs${unit}`)).toEqual({ query, command: `QPGS${unit}` });
      expect(request(query, unit)).toEqual({ query, command: `QPGS${unit}` });
    }
  });

  test.each(["", "Q", "QPGS", "QPGSn", "QPGS10", "QPIGS3", "QPIGS0", "POP02", "constructor", " QPI"])("%j is unknown", (command) => {
    expect(() => findRequest(command)).toThrow(expect.objectContaining({ code: "command-unknown", retry: "never" }));
  });
});

describe("request", () => {
  const find = (code: string) => pi30.find((query) => query.code === code)!;
  test.each([undefined, -1, 10, 0.5])("QPGSn with unit %s is refused", (unit) => {
    expect(() => request(find("QPGSn"), unit)).toThrow(TypeError);
  });
  test("QPIGS takes no unit", () => {
    expect(() => request(find("QPIGS"), 0)).toThrow("QPIGS: expected no argument, got 0");
  });
});

test("every code occurs once", () => {
  expect(new Set(pi30.map(({ code }) => code)).size).toBe(pi30.length);
});

test("every value with a meaning but the raw warning characters is in the registry of metrics", () => {
  const names = pi30.flatMap((query) => [
    ...(query.whole?.names ?? []),
    ...(query.whole?.optional ?? []),
    ...query.layouts.flatMap((layout) => layout.fields.flat().map((field) => ("name" in field ? field.name : ""))),
  ]);
  const unknown = names.filter((name) => findMetric(name) === undefined);
  expect(unknown.filter((name) => !/^field\d+$/.test(name))).toEqual(["warningBits"]);
});

test("identify knows PI30 and says what else it met", () => {
  expect(identify({ protocolId: "PI30" })).toEqual({ known: true, protocol: "PI30" });
  expect(identify({ protocolId: "PI41" })).toMatchObject({ known: false, reason: expect.stringContaining('"PI41"') as string });
  expect(identify({})).toMatchObject({ known: false });
});
