import { describe, expect, it, test } from "vitest";
import { decodeReply } from "../decode.ts";
import { identifyByStatus } from "../identify.ts";
import { findRequest } from "./dialect.ts";

const nameIn = (body: string): unknown => {
  const reply = decodeReply(findRequest("QMN"), { body });
  return reply.kind === "data" ? reply.values : reply.kind;
};

describe("the name of a model", () => {
  it.each(["VMIII-3200", "MKS2-8000", "Axpert", "VM_III", "KING-48V", "VMIV/Twin"])("%s is read", (body) => {
    expect(nameIn(body)).toEqual({ modelName: body });
  });

  it.each([
    "PI30",
    "VERFW:00079.70",
    "EakxyDbjuvz",
    "B",
    "92931905106458",
    "1492931905106458000000",
    "9293190510645A",
    "044",
    "00 01",
    "20210726122606",
  ])("%s is the answer to another question", (body) => {
    expect(() => nameIn(body)).toThrow();
  });

  it("is not what refuses or has nothing to tell", () => {
    expect([nameIn("NAK"), nameIn("ACK")]).toEqual(["nak", "ack"]);
  });
});

test("a unit that refuses QPI is known by its status and by its second one", () => {
  const status = { deviceStatus: ["loadOn"], gridVoltage: 230 };
  expect(identifyByStatus(status, undefined)).toEqual({ known: true, protocol: "PI30" });
  expect(identifyByStatus(status, { pv2Power: 1 })).toEqual({ known: true, protocol: "PI30" });
  expect(identifyByStatus(status, { l2OutputVoltage: 120 })).toMatchObject({
    known: false,
    reason: expect.stringMatching("PI41") as string,
  });
  // 16 fields are one too few.
  expect(identifyByStatus({ gridVoltage: 230 }, undefined)).toMatchObject({
    known: false,
    reason: expect.stringMatching("a refusal") as string,
  });
  expect(identifyByStatus(undefined, undefined)).toMatchObject({ known: false });
});
