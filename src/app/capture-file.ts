import { readFile } from "node:fs/promises";
import { constants, gunzipSync } from "node:zlib";
import { ConfigError } from "../model/errors.ts";
import { parseCapture, toCapture, type Capture } from "../session/capture.ts";

/**
 * Reads a capture, compressed or not, also out of a diagnosis file: there the inverter with the most traffic. Throws
 * ConfigError with the place of what is wrong.
 */
export async function readCapture(path: string): Promise<Capture> {
  const text = await textOf(path);
  const bundle = bundleIn(text);
  if (bundle === undefined) return parseCapture(text, path);
  const captures = bundle.map((each, index) => toCapture(each.traffic, `${path}, inverter ${index + 1}`));
  const [longest] = captures.toSorted((one, other) => other.lines.length - one.lines.length);
  if (longest === undefined) throw new ConfigError(`${path}: expected the traffic of an inverter, got a diagnosis file without one`);
  return longest;
}

async function textOf(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
    // What was cut short by a sudden end is read as far as it goes.
    return (isCompressed ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes).toString("utf8");
  } catch (cause) {
    throw new ConfigError(`${path}: expected a readable capture, got ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function bundleIn(text: string): readonly { readonly traffic: unknown }[] | undefined {
  if (!text.startsWith('{"format":"sonkrag-bundle"')) return undefined;
  try {
    const { inverters } = JSON.parse(text) as { readonly inverters?: unknown };
    return Array.isArray(inverters) ? (inverters as { readonly traffic: unknown }[]) : undefined;
  } catch {
    return undefined; // told as what it is not: a capture
  }
}
