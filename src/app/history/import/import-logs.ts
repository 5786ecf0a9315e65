import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { z } from "zod";
import { RefusedError } from "../../../model/errors.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { SegmentWriter } from "../../../store/segment-writer.ts";
import { EnergyKeeper } from "../energy-keeper.ts";
import { energyPaceOf } from "../energy-recount.ts";
import { readMapping } from "./mapping.ts";
import { importFile, type ImportOptions, type ImportSummary } from "./import-file.ts";

export interface ImportLogsOptions {
  readonly folder: string;
  readonly rejectsFolder: string;
  /** Where it is kept which inverters are known. */
  readonly registryFile: string;
  readonly timeZone: string;
  /** As given; else what a file says itself, the one whose id its folder has as its name, or the only one that is known. */
  readonly inverter: string | undefined;
  /** YAML file that says how tables of another program are read; absent for logs of known form. */
  readonly mapping: string | undefined;
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
  const inverter = inverterFinder(options.inverter, await knownInverters(options.registryFile));
  const mapping = options.mapping === undefined ? undefined : readMapping(options.mapping);
  const common = { inverter, mapping, local: LocalTime.of(timeZone), recover, signal };
  const looked: ImportSummary[] = [];
  for (const file of files) looked.push(await importFile(file, common));
  if (options.dryRun) return looked;
  await using writer = await SegmentWriter.open({
    folder,
    now: Date.now,
    beside: (tables) => new EnergyKeeper(tables, energyPaceOf(pollMs)),
  });
  const summaries: ImportSummary[] = [];
  for (const file of files) {
    const onProgress = (done: number, total: number): void => options.onProgress?.(file, done / total);
    summaries.push(await importFile(file, { ...common, rejectsFolder, onProgress, ingest: (rows) => writer.ingest(rows) }));
  }
  return summaries;
}

const registrySchema = z.object({ inverters: z.array(z.object({ id: z.string() })) });

async function knownInverters(file: string): Promise<string[]> {
  const known = await readFile(file, "utf8").then(
    (text) => registrySchema.safeParse(JSON.parse(text)).data?.inverters.map(({ id }) => id) ?? [],
    () => [],
  );
  return known.filter((id) => !id.startsWith("simulated"));
}

/** Whose file it is. */
function inverterFinder(given: string | undefined, known: readonly string[]): ImportOptions["inverter"] {
  if (given !== undefined && !idPattern.test(given))
    throw new RefusedError(
      "value-invalid",
      `--inverter: expected an id of lower-case letters, digits and hyphens, got ${JSON.stringify(given)}`,
    );
  return (file, own) => {
    const folder = basename(dirname(file));
    const found = given ?? own ?? (known.includes(folder) ? folder : known.length === 1 ? known[0] : undefined);
    if (found !== undefined) return found;
    const there = known.length === 0 ? "none is known yet" : `known are ${known.join(", ")}`;
    throw new RefusedError("inverter-unknown", `${file}: expected --inverter ID, the inverter that the log is of; ${there}`);
  };
}
