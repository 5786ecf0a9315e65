import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { MessageFormat } from "./message-format.ts";
import type { PayloadMemory } from "./payload-memory.ts";

/** How much of the newest lines is read at a start. */
const recalledBytes = 16_000_000;

/**
 * Fills the memory with what was written last, so that a new start does not take what a broker sends again for news.
 * `files`: oldest first. Returns the time of the last line, UTC epoch milliseconds.
 */
export async function recall(files: readonly string[], format: MessageFormat, memory: PayloadMemory): Promise<number | undefined> {
  const parts: { readonly path: string; readonly start: number }[] = [];
  let left = recalledBytes;
  for (const path of files.toReversed()) {
    if (left <= 0) break;
    const { size } = await stat(path);
    parts.unshift({ path, start: Math.max(0, size - left) });
    left -= size;
  }
  let last: number | undefined;
  for (const { path, start } of parts) {
    const lines = createInterface({ input: createReadStream(path, { start, encoding: "latin1" }), crlfDelay: Number.POSITIVE_INFINITY });
    // Where it begins in the middle of a line, the rest of that is none of ours.
    for await (const line of lines) {
      const parsed = format.parse(line);
      if (parsed === undefined) continue;
      last = parsed.at;
      if ("topic" in parsed) memory.isNew(parsed.topic, parsed.payload);
    }
  }
  return last;
}
