import { z } from "zod";
import { ConfigError } from "../../../model/errors.ts";
import { headSchema, type ExportHead } from "./head.ts";

/** Of `raw`, which alone has rows. */
export function headOfText(file: string, text: () => unknown): ExportHead {
  const head = readWith(file, 1, () => headSchema.parse(text()));
  if (head.level !== "raw") throw new ConfigError(`${file}: expected an export of single readings (raw), got one of ${head.level}`);
  return head;
}

/** Adds the place to what was found wrong there. */
export function readWith<Result>(file: string, line: number, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const what = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll(/\s*\n\s*/g, " ") : String(cause);
    throw new ConfigError(`${file}:${line}: expected a line of an export, got one that cannot be read: ${what}`, { cause });
  }
}
