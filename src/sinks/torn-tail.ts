import { appendFile, open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** What was found at a file's end: whole lines only; a whole line to which the line feed was added; a fragment that was moved away. */
export type TailRepair = "whole" | "completed" | { readonly movedBytes: number; readonly to: string };

interface Tail {
  /** Bytes as Latin-1, from `offset` to the file's end. */
  readonly text: string;
  readonly offset: number;
}

/**
 * Leaves nothing but whole lines in a file of lines. After a power cut the end can be a cut line, or zero bytes where
 * the file had grown but its data had not been written. What is not provably a whole line goes to `<path>.torn`.
 */
export async function repairTail(path: string, isWhole: (line: string, previous: string) => boolean): Promise<TailRepair> {
  await using file = await open(path, "r+");
  const { size } = await file.stat();
  if (size === 0) return "whole";
  const { text, offset } = await readTail(file, size);
  const end = endOfWholeLines(text);
  if (end === text.length) return "whole";

  const fragment = text.slice(end);
  const previous = lineBefore(text, end);
  if (!/[\n\0]/.test(fragment) && isWhole(fragment, previous)) {
    await file.write("\n", size, "latin1");
    await file.datasync();
    return "completed";
  }
  const to = `${path}.torn`;
  // Saved before it is cut off: a second power cut may double the fragment there, but never lose it.
  await appendFile(to, Buffer.from(fragment.endsWith("\n") ? fragment : `${fragment}\n`, "latin1"), { flush: true });
  await file.truncate(offset + end);
  await file.sync();
  return { movedBytes: fragment.length, to };
}

/** The last whole line of a file, without its line feed; empty when there is none. */
export async function lastLine(path: string): Promise<string> {
  await using file = await open(path, "r");
  const { text } = await readTail(file, (await file.stat()).size);
  const end = endOfWholeLines(text);
  return lineBefore(text, end);
}

/** Reads backwards until the tail holds the last whole line without zero bytes and the start of the line before it. */
async function readTail(file: FileHandle, size: number): Promise<Tail> {
  for (let length = 65_536; ; length *= 4) {
    const offset = Math.max(0, size - length);
    const buffer = Buffer.alloc(size - offset);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    const text = buffer.toString("latin1", 0, bytesRead);
    const end = endOfWholeLines(text);
    if (offset === 0 || (end > 1 && text.lastIndexOf("\n", end - 2) > 0)) return { text, offset };
  }
}

/** The position after the last line that ends in a line feed and holds no zero bytes. */
function endOfWholeLines(text: string): number {
  let end = text.lastIndexOf("\n") + 1;
  while (end > 0 && lineBefore(text, end).includes("\0")) end = startOfLine(text, end);
  return end;
}

/** `end`: the position after a line feed. */
const startOfLine = (text: string, end: number): number => (end < 2 ? 0 : text.lastIndexOf("\n", end - 2) + 1);
const lineBefore = (text: string, end: number): string => text.slice(startOfLine(text, end), Math.max(0, end - 1));
