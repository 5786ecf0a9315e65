import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import type { LiveSnapshot } from "../api/live.ts";
import { ConfigError, NotRunningError, SinkError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { formatDeviceUrl, parseDeviceUrl } from "../transport/device-url.ts";
import type { Config } from "./config.ts";
import { onlyDevice, openerOf } from "./devices.ts";
import { sendTraffic } from "./diagnosis.ts";
import { LoneUnit } from "./lone-unit.ts";
import { planOf } from "./plan.ts";
import { fetchSnapshot, runningUrl } from "./running.ts";
import { systemClock } from "./system-clock.ts";
import { together } from "./together.ts";
import { packageVersion } from "./version.ts";

export interface CaptureOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Where it goes; compressed when its name ends in `.gz`. It must not be there yet. */
  readonly file: string;
  /** How long; until it is stopped if absent. */
  readonly forMs?: number | undefined;
  /** Whether the device was named by the person who asks; otherwise the running program decides. */
  readonly named: boolean;
  /** Takes a line for the person who asks. */
  readonly tell: (line: string) => void;
}

/**
 * Records what crosses the line to one inverter: out of the running program, which has the port to itself, or on a line
 * of its own. Resolves when the time is over or the signal fires.
 */
export async function capture(options: CaptureOptions, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  const { config, file, forMs, tell } = options;
  const running = await runningInverter(options, { signal });
  const over = new AbortController();
  const timer = forMs === undefined ? undefined : setTimeout(() => over.abort(), forMs);
  const stop = AbortSignal.any([signal, over.signal]);
  const until = forMs === undefined ? "until Ctrl-C" : `for ${Math.round(forMs / 1000)} s`;
  try {
    if (running !== undefined) {
      tell(`Recording ${running.device} out of the running sonkrag into ${file} ${until}.`);
      await recordRunning(running.url, file, { signal: stop });
    } else {
      const [only, ...others] = config.inverters;
      if (only === undefined || others.length > 0)
        throw new ConfigError(`expected one inverter to record, got ${config.inverters.length}; choose one with --device`);
      await recordAlone(only.device, until, options, { signal: stop });
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The address of the traffic of the inverter that is meant, if the running program has it. */
async function runningInverter(
  { config, named }: CaptureOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<{ readonly url: URL; readonly device: string } | undefined> {
  let found: LiveSnapshot["inverters"];
  let base: string;
  try {
    base = await runningUrl(config.dataDir);
    found = (await fetchSnapshot(base, { signal })).inverters;
  } catch (error) {
    if (error instanceof NotRunningError) return undefined;
    throw error;
  }
  const devices = config.inverters.map(({ device }) => device);
  const meant = named ? found.filter(({ info }) => devices.includes(info.device)) : found;
  const [only, ...others] = meant;
  if (only === undefined) return undefined;
  if (others.length > 0) {
    const choice = found.map(({ info }) => info.device).join(", ");
    throw new ConfigError(`expected one inverter to record, got ${meant.length}; choose one with --device: ${choice}`);
  }
  return { url: new URL(`/api/v1/inverters/${only.info.id}/traffic`, base), device: only.info.device };
}

async function recordRunning(url: URL, file: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    if (signal.aborted) return undefined;
    throw new NotRunningError(`${url.href}: expected the traffic of a running sonkrag, got ${String(cause)}`, { cause });
  });
  if (response === undefined) return;
  if (!response.ok || response.body === null)
    throw new NotRunningError(`${url.href}: expected the traffic of a running sonkrag, got status ${response.status}`);
  const sink = openSink(file);
  try {
    await pipeline(Readable.fromWeb(response.body), sink.input, { end: false, signal });
    throw new NotRunningError(`${url.href}: the running sonkrag has ended; what came until then is in ${file}`);
  } catch (error) {
    if (!signal.aborted) throw isFileError(error) ? sinkError(file, error) : error;
  } finally {
    await sink.close();
  }
}

async function recordAlone(
  device: string,
  until: string,
  { config, file, logger, tell }: CaptureOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const url = await onlyDevice(parseDeviceUrl(device));
  const name = formatDeviceUrl(url);
  const clock = systemClock;
  const unit = new LoneUnit({
    open: openerOf(url, { simulator: config.simulator, clock, logger }),
    device: name,
    simulated: url.kind === "sim",
    clock,
    logger,
    plan: planOf(config.poll),
    onStatus: ({ state, message }) => tell(message === "" ? `${name}: ${state}` : message),
  });
  tell(`Recording ${name} into ${file} ${until}.`);
  const sink = openSink(file);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const end = sendTraffic(unit.recorder, { version: packageVersion(), device: name, clock }, (line) => void sink.input.write(line));
  try {
    await together([unit.run({ signal: stop }), sink.broken({ signal: stop })], failed);
  } finally {
    end();
    await sink.close();
  }
}

interface Sink {
  readonly input: Writable;
  /** Rejects with SinkError when the file cannot be written; resolves when the signal fires. */
  broken(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Resolves when everything is in the file. Rejects with SinkError. */
  close(): Promise<void>;
}

function openSink(file: string): Sink {
  // What was recorded once is not recorded again so easily.
  const output = createWriteStream(file, { flags: "wx" });
  // Each line goes to the file at once: a sudden end must not cost the last minutes.
  const input = file.endsWith(".gz") ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : output;
  if (input !== output) input.pipe(output);
  const written = finished(output).catch((error: unknown) => {
    throw sinkError(file, error);
  });
  // Awaited in the end; until then a failure must not count as unhandled.
  written.catch(() => undefined);
  return {
    input,
    broken: ({ signal }) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
        written.catch(reject);
      }),
    close: async () => {
      input.end();
      await written;
    },
  };
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function sinkError(file: string, cause: unknown): SinkError | ConfigError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "EEXIST") return new ConfigError(`${file}: expected the name of a new file, got one that is there already`, { cause });
  return new SinkError(`${file}: expected to write there, got ${code ?? message}`, { cause });
}
