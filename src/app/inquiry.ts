import { RefusedError } from "../model/errors.ts";
import { exampleOf, type Query, type Request } from "../protocol/command.ts";
import { findRequest, pi30 } from "../protocol/pi30/dialect.ts";
import { nearest } from "./did-you-mean.ts";

/** The inquiry that somebody has typed. Throws RefusedError `command-unknown` with the one that was likely meant. */
export function inquiryOf(typed: string, dialect: readonly Query[] = pi30): Request {
  try {
    return findRequest(typed, dialect);
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    const near = nearest(
      typed,
      dialect.map((query) => exampleOf(query).command),
    );
    const meant = near === undefined ? "" : `; did you mean ${near}?`;
    throw new RefusedError("command-unknown", `expected an inquiry of the catalogue, got ${JSON.stringify(typed)}${meant}`, { cause });
  }
}
