import { crc32 } from "node:zlib";

/** Eight hex digits that tell whether a line of the write-ahead file is whole. */
export function checksumOf(line: string | Uint8Array): string {
  return crc32(line).toString(16).padStart(8, "0");
}
