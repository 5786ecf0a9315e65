import { writeFile } from "node:fs/promises";
import { ConfigError, NotRunningError, SinkError } from "../model/errors.ts";
import { formatDeviceUrl, parseDeviceUrl } from "../transport/device-url.ts";
import { onlyDevice, openerOf } from "./devices.ts";
import { Diagnosis } from "./diagnosis.ts";
import type { Config } from "./config.ts";
import { LoneUnit } from "./lone-unit.ts";
import { planOf } from "./plan.ts";
import type { RecentLog } from "./recent-log.ts";
import { openRunning } from "./running-program.ts";
import { systemClock } from "./system-clock.ts";
import { packageVersion } from "./version.ts";

export interface BundleFileOptions {
  readonly config: Config;
  readonly logger: RecentLog;
  /** Where it goes; it must not be there yet. */
  readonly file: string;
  /** How long the inverter is read for it where no sonkrag runs. */
  readonly forMs: number;
  /** Takes a line for the person who asks. */
  readonly tell: (line: string) => void;
}

/** Makes a diagnosis file: that of the running program, or one of an inverter that is read for a while. */
export async function writeBundle(options: BundleFileOptions, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const { config, file, tell } = options;
  const bytes = (await runningBundle(config, { signal })) ?? (await ownBundle(options, { signal }));
  try {
    await writeFile(file, bytes, { flag: "wx" });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new ConfigError(`${file}: expected the name of a new file, got one that is there already`, { cause });
    throw new SinkError(`${file}: expected to write there, got ${code ?? message}`, { cause });
  }
  tell(`${file}: serial numbers, addresses and passwords are taken out; docs/diagnosis.md says what is in it.`);
}

async function runningBundle({ dataDir }: Config, { signal }: { readonly signal: AbortSignal }): Promise<Uint8Array | undefined> {
  try {
    await using program = await openRunning(dataDir, { signal });
    return await program.bundle({ signal });
  } catch (error) {
    if (error instanceof NotRunningError && error.context["denied"] !== true) return undefined;
    throw error;
  }
}

async function ownBundle(
  { config, logger, forMs, tell }: BundleFileOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const [only, ...others] = config.inverters;
  if (only === undefined || others.length > 0)
    throw new ConfigError(`expected one inverter to read, got ${config.inverters.length}; choose one with --device`);
  const clock = systemClock;
  const url = await onlyDevice(parseDeviceUrl(only.device));
  const device = formatDeviceUrl(url);
  const open = openerOf(url, { simulator: config.simulator, clock, logger });
  const unit = new LoneUnit({ open, device, simulated: url.kind === "sim", clock, logger, plan: planOf(config.poll) });
  tell(`Reading ${device} for ${Math.round(forMs / 1000)} s.`);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), forMs);
  try {
    await unit.run({ signal: AbortSignal.any([signal, over.signal]) });
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
  return await new Diagnosis({ version: packageVersion(), clock, config, inverters: () => [unit], log: logger }).bundle();
}
