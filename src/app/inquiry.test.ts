import { expect, it } from "vitest";
import { inquiryOf } from "./inquiry.ts";

it("takes what the catalogue has, in any letters and with its argument", () => {
  expect(inquiryOf("qpgs3").command).toBe("QPGS3");
});

it.each([
  ["QPIGZ", 'expected an inquiry of the catalogue, got "QPIGZ"; did you mean QPIGS?'],
  ["QPRII", 'expected an inquiry of the catalogue, got "QPRII"; did you mean QPIRI?'],
  ["settings", 'expected an inquiry of the catalogue, got "settings"'],
])("tells what was likely meant by %s, and never the whole catalogue", (typed, message) => {
  expect(() => inquiryOf(typed)).toThrow(expect.objectContaining({ code: "command-unknown", message }) as Error);
});
