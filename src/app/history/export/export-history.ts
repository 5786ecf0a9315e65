import { StoreReader } from "../../../store/reader.ts";
import type { Config } from "../../config.ts";
import { startExport, type ExportOptions, type ExportQuery, type StartedExport } from "./start-export.ts";

/** Exports from the history folder, beside a running program or without one; `take` consumes it. */
export async function exportHistoryOf<Result>(
  config: Config,
  query: ExportQuery,
  options: ExportOptions,
  take: (started: StartedExport) => Promise<Result>,
): Promise<Result> {
  await using reader = await StoreReader.open({ folder: config.history.folder, timeZone: options.local.timeZone });
  return await take(await startExport(reader, query, options));
}
