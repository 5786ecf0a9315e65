import { readFile } from "node:fs/promises";
import { z } from "zod";
import { RefusedError } from "../../../model/errors.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { SegmentWriter } from "../../../store/segment-writer.ts";
import { EnergyKeeper } from "../energy-keeper.ts";
import { energyPaceOf } from "../energy-recount.ts";
import { importLog, type ImportSummary } from "./import-log.ts";

export interface ImportLogsOptions {
  readonly folder: string;
  readonly rejectsFolder: string;
  /** Where it is kept which inverters are known. */
  readonly registryFile: string;
  readonly timeZone: string;
  /** As given; the only inverter that is known if absent. */
  readonly inverter: string | undefined;
  readonly recover: boolean;
  readonly dryRun: boolean;
  readonly pollMs: number;
  readonly onProgress?: ((file: string, share: number) => void) | undefined;
}

const idPattern = /^[a-z0-9-]+$/;

/** Brings logs into history, beside a running program or without one. Throws before anything is kept where a file is none. */
export async function importLogs(
  files: readonly string[],
  options: ImportLogsOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<ImportSummary[]> {
  const { folder, rejectsFolder, timeZone, recover, pollMs } = options;
  const inverter = options.inverter ?? (await onlyInverter(options.registryFile));
  if (!idPattern.test(inverter))
    throw new RefusedError(
      "value-invalid",
      `--inverter: expected an id of lower-case letters, digits and hyphens, got ${JSON.stringify(inverter)}`,
    );
  const common = { inverter, local: LocalTime.of(timeZone), recover, signal };
  const looked: ImportSummary[] = [];
  for (const file of files) looked.push(await importLog(file, common));
  if (options.dryRun) return looked;
  await using writer = await SegmentWriter.open({
    folder,
    now: Date.now,
    beside: (tables) => new EnergyKeeper(tables, energyPaceOf(pollMs)),
  });
  const summaries: ImportSummary[] = [];
  for (const file of files) {
    const onProgress = (done: number, total: number): void => options.onProgress?.(file, done / total);
    summaries.push(await importLog(file, { ...common, rejectsFolder, onProgress, ingest: (rows) => writer.ingest(rows) }));
  }
  return summaries;
}

const registrySchema = z.object({ inverters: z.array(z.object({ id: z.string() })) });

async function onlyInverter(file: string): Promise<string> {
  const known = await readFile(file, "utf8").then(
    (text) => registrySchema.safeParse(JSON.parse(text)).data?.inverters.map(({ id }) => id) ?? [],
    () => [],
  );
  const real = known.filter((id) => !id.startsWith("simulated"));
  const [only] = real;
  if (only !== undefined && real.length === 1) return only;
  const there = real.length === 0 ? "none is known yet" : `known are ${real.join(", ")}`;
  throw new RefusedError("inverter-unknown", `expected --inverter ID, the inverter that the logs are of; ${there}`);
}
