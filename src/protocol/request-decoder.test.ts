import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeCommand } from "./encode.ts";
import { RequestDecoder } from "./request-decoder.ts";

const commands = fc.stringMatching(/^[!-'*-~]{1,40}$/);

describe("RequestDecoder", () => {
  it("finds every command, however the bytes are cut, under both checksum habits, with padding around", () => {
    const sent = fc.tuple(commands, fc.constantFrom("plain", "zeroBumped"), fc.constantFrom([], [0], [0, 0, 0], [0x0a], [0x0d]));
    fc.assert(
      fc.property(fc.array(sent, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (list, sizes) => {
        const bytes = Uint8Array.from(list.flatMap(([command, habit, padding]) => [...padding, ...encodeCommand(command, habit)]));
        const decoder = new RequestDecoder();
        const found: unknown[] = [];
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value;
          found.push(...decoder.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found).toEqual(list.map(([command]) => ({ kind: "command", command })));
        expect(decoder.open).toBe(false);
      }),
    );
  });

  it("tells a command whose bit was flipped from a good one, and takes the next", () => {
    const flipped = fc.tuple(commands, fc.nat(), fc.integer({ min: 0, max: 7 }));
    fc.assert(
      fc.property(flipped, ([command, place, bit]) => {
        const bytes = encodeCommand(command);
        bytes[place % (bytes.length - 1)]! ^= 1 << bit;
        // What becomes an end or padding changes where the requests are, not only what is in them.
        fc.pre(!bytes.subarray(0, -1).some((byte) => byte === 0x0d || byte === 0x0a || byte === 0));
        const [first, ...rest] = new RequestDecoder().push(Uint8Array.of(...bytes, ...encodeCommand("QMOD")));
        expect(first?.kind).toBe("garbage");
        expect(rest).toEqual([{ kind: "command", command: "QMOD" }]);
      }),
    );
  });

  it("keeps nothing of a line without end", () => {
    const decoder = new RequestDecoder();
    for (let index = 0; index < 1000; index++) expect(decoder.push(new Uint8Array(1000).fill(0x51))).toEqual([]);
    const [garbage] = decoder.push(Uint8Array.of(0x0d));
    expect(garbage).toMatchObject({ kind: "garbage" });
    expect(garbage?.kind === "garbage" && garbage.raw.length).toBeLessThan(200);
    expect(decoder.push(encodeCommand("QPI"))).toEqual([{ kind: "command", command: "QPI" }]);
  });

  it.each([
    ["a CR alone", [0x0d], []],
    ["a command without a checksum", [...Buffer.from("QPI\r")], ["garbage"]],
    ["less than a checksum", [0x51, 0x0d], ["garbage"]],
    ["what a modem is asked", [...Buffer.from("AT+GCAP\r")], ["garbage"]],
  ])("takes %s for what it is", (_, bytes, kinds) => {
    expect(new RequestDecoder().push(Uint8Array.from(bytes)).map(({ kind }) => kind)).toEqual(kinds);
  });

  it("forgets half a request when told to", () => {
    const decoder = new RequestDecoder();
    decoder.push(encodeCommand("QPIGS").subarray(0, 4));
    expect(decoder.open).toBe(true);
    decoder.reset();
    expect(decoder.push(encodeCommand("QMOD"))).toEqual([{ kind: "command", command: "QMOD" }]);
  });
});
