import { RefusedError } from "../model/errors.ts";
import type { Value, Values } from "../model/reading.ts";
import { findLayout, type Layout, type Query, type Slot, type Whole } from "./command.ts";
import { checksum, type ChecksumHabit } from "./crc.ts";
import type { Field } from "./field.ts";
import { latin1Bytes } from "./frame.ts";

function seal(content: string, habit: ChecksumHabit): Uint8Array {
  const bytes = latin1Bytes(content);
  const frame = new Uint8Array(bytes.length + 3);
  frame.set(bytes);
  frame.set(checksum(bytes, habit), bytes.length);
  frame[bytes.length + 2] = 0x0d;
  return frame;
}

/** The bytes of a command: its text, checksum, CR. `zeroBumped` is for links that lose a 00 checksum byte. */
export function encodeCommand(command: string, habit: ChecksumHabit = "plain"): Uint8Array {
  if (!/^(?! )[ -~]{1,120}(?<! )$/.test(command) || command.includes("("))
    throw new RefusedError(
      "value-invalid",
      `expected a command of 1 to 120 printable ASCII characters without "(", got ${JSON.stringify(command)}`,
    );
  return seal(command, habit);
}

/** True when the plain checksum of this command has a zero byte, which some units and some links do not take. */
export function hasZeroByte(command: string): boolean {
  return checksum(latin1Bytes(command)).includes(0);
}

/**
 * In which ways to send this command's checksum, the likeliest first (notes §2.1): one way only where no byte of it is 0;
 * else the unit's habit where it is known, 01 for 00 where zero bytes look like padding, and the plain byte elsewhere.
 */
export function checksumHabits(
  command: string,
  known: ChecksumHabit | undefined,
  hidesZeros: boolean,
): readonly [ChecksumHabit, ...ChecksumHabit[]] {
  if (!hasZeroByte(command)) return ["plain"];
  return (known ?? (hidesZeros ? "zeroBumped" : "plain")) === "zeroBumped" ? ["zeroBumped", "plain"] : ["plain", "zeroBumped"];
}

/** The bytes of a reply with this payload: `(`, payload, checksum, CR. */
export function encodePayload(payload: string, habit: ChecksumHabit = "plain"): Uint8Array {
  if (!/^[ -~]{1,500}$/.test(payload) || payload.includes("("))
    throw new RefusedError(
      "value-invalid",
      `expected a payload of 1 to 500 printable ASCII characters without "(", got ${JSON.stringify(payload)}`,
    );
  return seal(`(${payload}`, habit);
}

/** The payload a unit would send for these values; the layout is the one with the most of them. Inverse of decoding. */
export function encodeReply(query: Query, values: Values, tail: readonly string[] = []): string {
  if (query.whole) return encodeWhole(query, query.whole, values);
  const best = query.layouts
    .map((layout) => ({ layout, texts: layoutTexts(query, layout, values) }))
    // A tail stands behind the last documented field, and what is sent must be read again in the same layout.
    .filter(({ layout, texts }) => tail.length === 0 || texts.length === layout.fields.length)
    .map(({ layout, texts }) => ({ layout, texts: [...texts, ...tail] }))
    .filter(({ layout, texts }) => findLayout(query, texts) === layout)
    .sort((a, b) => b.texts.length - a.texts.length)[0];
  if (!best) throw new RefusedError("value-invalid", `${query.code}: expected the values of one documented layout, got ${namesOf(values)}`);
  return best.texts.join(" ");
}

function encodeWhole(query: Query, { codec, names }: Whole, values: Values): string {
  if (names.some((name) => values[name] === undefined))
    throw new RefusedError("value-invalid", `${query.code}: expected ${names.join(", ")}, got ${namesOf(values)}`);
  const payload = codec.encode(values);
  if (codec.decode(payload) === undefined)
    throw new RefusedError("value-invalid", `${query.code}: expected values that make ${codec.shape}, got ${JSON.stringify(payload)}`);
  return payload;
}

function namesOf(values: Values): string {
  return Object.keys(values).join(", ") || "none";
}

/** The texts of a layout's fields up to the first absent one. */
function layoutTexts(query: Query, layout: Layout, values: Values): string[] {
  const texts: string[] = [];
  for (const slot of layout.fields) {
    const text = slotText(query, slot, values, texts.length);
    if (text === undefined) break;
    texts.push(text);
  }
  return texts;
}

function slotText(query: Query, slot: Slot, values: Values, index: number): string | undefined {
  const fields: readonly Field[] = "name" in slot ? [slot] : slot;
  for (const { name, codec, absent } of fields) {
    const value: Value | undefined = values[name];
    if (value !== undefined) {
      try {
        return codec.encode(value);
      } catch (cause) {
        throw new RefusedError(
          "value-invalid",
          `${query.code} field ${index} (${name}): ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        );
      }
    }
    if (absent !== undefined) return absent;
  }
  return undefined;
}
