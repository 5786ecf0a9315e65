import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ConfigError } from "../../../model/errors.ts";

/** The whole of a file, unpacked where it is gzip. Throws ConfigError where there is nothing to read. */
export async function readWhole(file: string, expected: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await promisify(gunzip)(bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === "ENOENT" ? "none there" : code === "EISDIR" ? "a folder" : message;
    throw new ConfigError(`${file}: expected ${expected}, got ${got}`, { cause });
  }
  if (bytes.length === 0) throw new ConfigError(`${file}: expected ${expected}, got an empty one`);
  return bytes;
}

/** Split at line feeds alone, a character a byte; the last line may lack its own. */
export function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString("latin1").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
