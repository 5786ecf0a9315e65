import fc from "fast-check";
import { expect, it } from "vitest";
import { SonkragError } from "../model/errors.ts";
import { encodePayload } from "../protocol/encode.ts";
import { pi30 } from "../protocol/pi30/dialect.ts";
import { decodeHex } from "./decode.ts";

const command = fc.oneof(fc.constantFrom(...pi30.map(({ code }) => code.replace(/n$/, "1"))), fc.string());
const hex = fc.oneof(
  fc.string(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("hex")),
  fc.stringMatching(/^[0-9 .]{1,150}$/).map((payload) => Buffer.from(encodePayload(payload)).toString("hex")),
);

it("gives a reply or an error with a code, whatever comes in", () => {
  fc.assert(
    fc.property(fc.constantFrom("PI30", "pi30", "PI18", ""), command, hex, (protocol, asked, bytes) => {
      try {
        expect(["data", "ack", "nak"]).toContain(decodeHex(protocol, asked, bytes).kind);
      } catch (error) {
        if (!(error instanceof SonkragError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
