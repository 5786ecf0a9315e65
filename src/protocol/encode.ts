import { RefusedError } from "../model/errors.ts";
import type { Value, Values } from "../model/reading.ts";
import type { Layout, Query, Slot } from "./command.ts";
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
  if (!/^[!-~]{1,120}$/.test(command))
    throw new RefusedError("value-invalid", `expected a command of printable ASCII without spaces, got ${JSON.stringify(command)}`);
  return seal(command, habit);
}

/** The bytes of a reply with this payload: `(`, payload, checksum, CR. */
export function encodePayload(payload: string, habit: ChecksumHabit = "plain"): Uint8Array {
  return seal(`(${payload}`, habit);
}

/** The payload a unit would send for these values; the layout is the one with the most of them. Inverse of decoding. */
export function encodeReply(query: Query, values: Values, tail: readonly string[] = []): string {
  if (query.whole) return query.whole.codec.encode(values);
  const best = query.layouts
    .map((layout) => ({ layout, texts: layoutTexts(query, layout, values) }))
    .filter(({ layout, texts }) => texts.length >= layout.count[0] && texts.length + tail.length <= layout.count[1])
    .sort((a, b) => b.texts.length - a.texts.length)[0];
  if (!best) throw new RefusedError("value-invalid", `${query.code}: expected the values of one documented layout, got ${Object.keys(values).join(", ") || "none"}`);
  return [...best.texts, ...tail].join(" ");
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
        throw new RefusedError("value-invalid", `${query.code} field ${index} (${name}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    }
    if (absent !== undefined) return absent;
  }
  return undefined;
}
