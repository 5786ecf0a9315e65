import { FrameError, ReplyError } from "../model/errors.ts";
import type { Value, Values } from "../model/reading.ts";
import { findLayout, type Query, type Request, type Slot } from "./command.ts";
import type { Field } from "./field.ts";
import { FrameDecoder, hex, type Frame } from "./frame.ts";

/** What an inverter answered. */
export type Reply<V = Values> =
  | { readonly kind: "data"; readonly command: string; readonly payload: string; readonly values: V; readonly tail: readonly string[] }
  | { readonly kind: "ack" }
  | { readonly kind: "nak" };

/** Takes exactly one frame out of the bytes. Throws FrameError saying what stands there instead. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const decoder = new FrameDecoder();
  const parts = [...decoder.push(bytes), ...decoder.flush()];
  const [first] = parts;
  if (parts.length === 1 && first?.kind === "frame") return first;
  const found = parts.map((part) => (part.kind === "frame" ? "a frame" : `${part.raw.length} bytes (${part.reason})`)).join(", ");
  throw new FrameError(`expected one frame "(" … checksum CR, got ${found || "nothing"}: ${hex(bytes) || "no bytes"}`, {
    context: { bytes: hex(bytes) },
  });
}

/** Whether the unit has accepted or refused, which it says in the same words to every command; absent for a reply with data. */
export function verdictOf({ body }: Pick<Frame, "body">): "ack" | "nak" | undefined {
  // Whatever begins with NAK and is shorter than any other reply is one: some firmware sends its checksum as text.
  if (/^NAK[^]{0,5}$/.test(body)) return "nak";
  return body === "ACK" ? "ack" : undefined;
}

/** Gives a frame the meaning of a reply to this request. Throws ReplyError: `reply-foreign` when its shape is another command's, `reply-malformed` naming the field. */
export function decodeReply<V>(request: Request<V>, frame: Pick<Frame, "body">): Reply<V> {
  const verdict = verdictOf(frame);
  if (verdict) return { kind: verdict };
  const { values, tail } = request.query.whole ? decodeWhole(request, frame.body) : decodeFields(request, frame.body);
  return { kind: "data", command: request.command, payload: frame.body, values: values as V, tail };
}

function decodeWhole({ query, command }: Request<unknown>, body: string): { values: Values; tail: string[] } {
  const values = query.whole!.codec.decode(body);
  if (values === undefined) throw foreign(command, query.whole!.codec.shape, body);
  return { values, tail: [] };
}

function decodeFields({ query, command }: Request<unknown>, body: string): { values: Values; tail: string[] } {
  const texts = textsOf(body);
  const layout = findLayout(query, texts);
  if (!layout) throw foreign(command, countsOf(query), body);
  const values: Record<string, Value> = {};
  for (const [index, slot] of layout.fields.slice(0, texts.length).entries()) {
    decodeSlot({ command, body, index, text: texts[index]!, isLast: index === texts.length - 1 }, slot, values);
  }
  return { values, tail: texts.slice(layout.fields.length) };
}

/** The fields of a reply; some firmware ends a payload with a space that the checksum covers. */
export function textsOf(body: string): string[] {
  return body.replace(/ +$/, "").split(" ");
}

interface Place {
  readonly command: string;
  readonly body: string;
  readonly index: number;
  readonly text: string;
  /** The last text of the reply. */
  readonly isLast: boolean;
}

/** The field of this place and its value; `absent` where the unit says that it has none; nothing where the text fits no meaning of the place. */
export function readSlot(
  slot: Slot,
  text: string,
  isLast: boolean,
): { readonly name: string; readonly value: Value } | "absent" | undefined {
  for (const { name, codec, absent } of fieldsOf(slot)) {
    if (text === absent) return "absent";
    const value = codec.decode(text);
    // A zero byte won or lost between checksum and CR moves the payload's end by one character and leaves the checksum
    // right: 045 turns into 04 or 0457. So the last number must be as wide as documented; before it, wider ones are taken.
    if (value !== undefined && !(isLast && codec.encode(value) !== text)) return { name, value };
  }
  return undefined;
}

/** The meanings of a place, the likeliest first. */
export function fieldsOf(slot: Slot): readonly Field[] {
  return "name" in slot ? [slot] : slot;
}

function decodeSlot(place: Place, slot: Slot, values: Record<string, Value>): void {
  const { command, body, index, text } = place;
  const found = readSlot(slot, text, place.isLast);
  if (found === "absent") return;
  if (found !== undefined) {
    values[found.name] = found.value;
    return;
  }
  const fields = fieldsOf(slot);
  const expected = fields.map(({ name, codec }) => `${name} as ${codec.shape}`).join(", or ");
  throw new ReplyError("reply-malformed", `${command} field ${index}: expected ${expected}, got ${JSON.stringify(text)}`, {
    context: { command, body, index, field: fields[0]?.name, got: text },
  });
}

function countsOf(query: Query<unknown>): string {
  return (
    query.layouts
      .map(({ count: [min, max] }) => (max === Infinity ? `${min} or more` : min === max ? String(min) : `${min} to ${max}`))
      .join(" or ") + " fields"
  );
}

/** The error for ACK in place of data: the unit knows the command and has nothing to tell at the moment. */
export function hasNothing(command: string): ReplyError {
  return new ReplyError("reply-nak", `${command}: expected data, got ACK`, { context: { command, body: "ACK" } });
}

function foreign(command: string, expected: string, body: string): ReplyError {
  return new ReplyError("reply-foreign", `${command}: expected ${expected}, got ${JSON.stringify(body)}`, { context: { command, body } });
}
