import { StoreError } from "../model/errors.ts";
import { keyOf } from "./keys.ts";
import type { BlobTable, Tables } from "./tables.ts";

/** What a block says; absent where it is not as it was written. */
export function readable<Read>(body: Uint8Array, read: (body: Uint8Array) => Read): Read | undefined {
  try {
    return read(body);
  } catch (error) {
    if (error instanceof StoreError && error.code === "store-damaged") return undefined;
    throw error;
  }
}

interface Place {
  readonly table: BlobTable;
  readonly stream: number;
  readonly period: number;
}

/** What a block says; a damaged one is moved out of the way, so that it keeps nothing else from being kept. Within a transaction. */
export function readOrSetAside<Read>(
  tables: Tables,
  { table, stream, period }: Place,
  body: Uint8Array | undefined,
  read: (body: Uint8Array) => Read,
): Read | undefined {
  const found = body && readable(body, read);
  if (body !== undefined && found === undefined) tables.setAsideKey(table, keyOf(stream, period));
  return found;
}
