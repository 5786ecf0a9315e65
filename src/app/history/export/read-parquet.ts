import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { ConfigError } from "../../../model/errors.ts";
import type { HistoryRow } from "../../../model/history.ts";
import type { Value } from "../../../model/reading.ts";
import type { ExportHead } from "./head.ts";
import { headKey } from "./parquet-encoder.ts";
import { headOfText, readWith } from "./place.ts";
import { rowOf, usualOrigins } from "./row-parts.ts";

type Cells = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The rows of a Parquet export, a group at a time. Throws ConfigError. */
export async function* readParquet(
  file: string,
  { onShare, signal }: { readonly onShare?: ((share: number) => void) | undefined; readonly signal: AbortSignal },
): AsyncGenerator<readonly HistoryRow[]> {
  // A mark of byte order at the start of a text belongs to it.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const parsers = {
    timestampFromMilliseconds: (ms: bigint) => Number(ms),
    stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
  };
  const buffer = await asyncBufferFromFile(file);
  const metadata = await whole(file, parquetMetadataAsync(buffer));
  const own = metadata.key_value_metadata?.find(({ key }) => key === headKey)?.value;
  if (own === undefined) throw new ConfigError(`${file}: expected an export, got a Parquet file of another program`);
  const head = headOfText(file, () => JSON.parse(own));
  const usual = usualOrigins(head);
  let start = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    signal.throwIfAborted();
    const end = start + Number(count);
    const group = (await whole(file, parquetReadObjects({ file: buffer, metadata, parsers, rowStart: start, rowEnd: end }))) as Cells[];
    yield group.map((cells, index) => readWith(file, start + index + 1, () => rowOfCells(cells, head, usual)));
    start = end;
    onShare?.(start / Number(metadata.num_rows));
  }
}

async function whole<Result>(file: string, reading: Promise<Result>): Promise<Result> {
  try {
    return await reading;
  } catch (cause) {
    throw new ConfigError(
      `${file}: expected a whole Parquet file, got a damaged one: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

function rowOfCells(cells: Cells, { columns }: ExportHead, usual: ReturnType<typeof usualOrigins>): HistoryRow {
  const values: [string, Value][] = [];
  const found = new Map<string, string>();
  let at = Number.NaN;
  for (const { column, holds, name, type } of columns) {
    const cell = cells[column];
    if (cell === null || cell === undefined) continue;
    if (holds === "time") at = Number(cell);
    else if (holds !== "value") found.set(holds, String(cell));
    else values.push([name ?? "", type === "list" ? (JSON.parse(String(cell)) as Value) : cell]);
  }
  const others = found.get("others");
  if (others !== undefined) values.push(...Object.entries(JSON.parse(others) as Record<string, Value>));
  const unusual = found.get("origins");
  return rowOf(
    {
      inverter: found.get("inverter") ?? "",
      at,
      command: found.get("command") ?? "",
      values,
      payload: found.get("payload"),
      unusual: unusual === undefined ? undefined : JSON.parse(unusual),
      flags: found.get("flags")?.split("|"),
    },
    usual,
  );
}
