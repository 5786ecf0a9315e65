import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksum, matchChecksum, rawCrc } from "./crc.ts";
import { latin1Bytes } from "./frame.ts";

test("the check value of CRC-16/XMODEM", () => {
  expect(rawCrc(latin1Bytes("123456789"))).toBe(0x31c3);
});

test("a part of the bytes counts alone", () => {
  expect(rawCrc(latin1Bytes("xx123456789y"), 2, 11)).toBe(0x31c3);
});

describe("the reserved-byte rule", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const raised = (byte: number): number => (byte === 0x28 || byte === 0x0d || byte === 0x0a ? byte + 1 : byte);

  test("raises 28, 0D and 0A, each byte on its own and without a carry", () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const crc = rawCrc(content);
        expect(checksum(content)).toEqual([raised(crc >> 8), raised(crc & 0xff)]);
      }),
    );
  });

  test("what either habit sends is matched, and told apart where they differ", () => {
    fc.assert(
      fc.property(bytes, (content) => {
        const plain = checksum(content);
        const bumped = checksum(content, "zeroBumped");
        expect(matchChecksum(content, 0, content.length, ...plain)).toBe("plain");
        expect(matchChecksum(content, 0, content.length, ...bumped)).toBe(bumped.join() === plain.join() ? "plain" : "zeroBumped");
      }),
    );
  });

  test("nothing else is matched", () => {
    fc.assert(
      fc.property(bytes, fc.nat(0xff), fc.nat(0xff), (content, high, low) => {
        const good = [checksum(content), checksum(content, "zeroBumped")].some(([h, l]) => h === high && l === low);
        expect(matchChecksum(content, 0, content.length, high, low) !== undefined).toBe(good);
      }),
    );
  });

  // (230.0 49.9 … of a VM IV Twin, captured: CRC 00E7, sent as 00 E7.
  const twin = latin1Bytes(
    "(230.0 49.9 230.0 49.9 0805 0751 020 448 29.00 000 100 0037 02.3 271.1 00.00 00007 00010000 00 00 00647 011 0 00 0000",
  );
  test.each([
    [0x00, 0xe7, "plain"],
    [0x01, 0xe7, "zeroBumped"],
    [0x02, 0xe7, undefined],
  ] as const)("a checksum of 00 E7 received as %i %i is %s", (high, low, habit) => {
    expect(matchChecksum(twin, 0, twin.length, high, low)).toBe(habit);
  });
});
