import { describe, expect, test } from "vitest";
import { joined, pollWired, type Behave } from "../support/wired.ts";

const minute = 60_000;
/** One exchange of QPIGS at 2400 baud takes 491.7 ms. */
const perMinute = 122;

describe("a paced line on which something follows or precedes every answer", () => {
  const oddities: readonly (readonly [string, Behave])[] = [
    ["a line feed after it", ({ reply }) => joined(reply, Uint8Array.of(0x0a))],
    ["zero bytes after it", ({ reply }) => joined(reply, new Uint8Array(8))],
    ["zero bytes before it", ({ reply }) => joined(new Uint8Array(3), reply)],
  ];
  for (const [name, behave] of oddities) {
    test.each([true, false])(`${name}: every answer is published with the next (certain wire: %s)`, async (certain) => {
      const { published, counters } = await pollWired(behave, { certain, forMs: minute });
      expect(published.length).toBeGreaterThan(perMinute * 0.95);
      expect(Math.max(...published.map(({ releasedAt, at }) => releasedAt - at))).toBeLessThan(600);
      expect(counters.rejected.noise + counters.rejected.stale).toBe(0);
    });
  }

  test("the request comes back before it", async () => {
    const { published, counters } = await pollWired(({ request, reply }) => joined(request, reply), { forMs: minute });
    expect(published.length).toBeGreaterThan(perMinute * 0.9);
    expect(Math.max(...published.map(({ releasedAt, at }) => releasedAt - at))).toBeLessThan(600);
    expect(counters.rejected.stale).toBe(0);
  });

  test("noise without end holds values back for a few exchanges, not for ever", async () => {
    const noise = Uint8Array.from("noise\r", (character) => character.charCodeAt(0));
    const { published } = await pollWired(({ reply }) => joined(reply, noise), { forMs: minute });
    expect(published.length).toBeGreaterThan(perMinute * 0.8);
    expect(Math.max(...published.map(({ releasedAt, at }) => releasedAt - at))).toBeLessThan(3000);
  });
});
