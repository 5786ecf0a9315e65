import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { ConfigError, NotRunningError, SinkError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { formatDeviceUrl, type AutoUrl, type DeviceUrl } from "../transport/device-url.ts";
import type { Config } from "./config.ts";
import { openerOf } from "./devices.ts";
import { sendTraffic } from "./diagnosis.ts";
import { LoneUnit } from "./lone-unit.ts";
import { planOf } from "./plan.ts";
import { chosenAmong, deviceOf } from "./query.ts";
import { openRunning, type RunningProgram } from "./running-program.ts";
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
  /** The id of the inverter that is meant, where there are several. */
  readonly inverter?: string | undefined;
  /** Devices as typed, one by one; absent when any will do, and the running program decides. */
  readonly devices?: readonly string[] | undefined;
  /** Takes a line for the person who asks. */
  readonly tell: (line: string) => void;
}

/**
 * Records what crosses the line to one inverter: out of the running program, which has the port to itself, or on a line
 * of its own. Resolves when the time is over or the signal fires.
 */
export async function capture(options: CaptureOptions, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  const { forMs } = options;
  const over = new AbortController();
  const timer = forMs === undefined ? undefined : setTimeout(() => over.abort(), forMs);
  const stop = AbortSignal.any([signal, over.signal]);
  const until = forMs === undefined ? "until Ctrl-C" : `for ${Math.round(forMs / 1000)} s`;
  try {
    if (!(await recordRunning(options, until, { signal, stop })))
      await recordAlone(await deviceOf(options), until, options, { signal: stop });
  } finally {
    clearTimeout(timer);
  }
}

/** Records out of the running program; false where it does not have the inverter that is meant, or none runs. */
async function recordRunning(
  { config, file, inverter, devices, tell }: CaptureOptions,
  until: string,
  { signal, stop }: { readonly signal: AbortSignal; readonly stop: AbortSignal },
): Promise<boolean> {
  await using program = await runningProgram(config, { signal });
  const chosen = program && (await chosenAmong(await program.inverters({ signal }), { inverter, devices }));
  if (program === undefined || chosen === undefined) return false;
  tell(`Recording ${chosen.device} out of the running sonkrag into ${file} ${until}.`);
  const sink = openSink(file);
  const failed = new AbortController();
  const over = AbortSignal.any([stop, failed.signal]);
  const record = async (): Promise<void> => {
    try {
      await program.traffic(chosen.id, (text) => void sink.input.write(text), { signal: over });
    } catch (error) {
      if (over.aborted) return;
      if (!(error instanceof NotRunningError)) throw error;
      throw new NotRunningError(`the running sonkrag has ended; what came until then is in ${file}`, { cause: error });
    }
  };
  try {
    await together([record(), sink.broken({ signal: over })], failed);
  } finally {
    await sink.close();
  }
  return true;
}

/** Absent where none runs; one that lets nobody in but another user is told of, for it has the port. */
async function runningProgram({ dataDir }: Config, { signal }: { readonly signal: AbortSignal }): Promise<RunningProgram | undefined> {
  try {
    return await openRunning(dataDir, { signal });
  } catch (error) {
    if (error instanceof NotRunningError && error.context["denied"] !== true) return undefined;
    throw error;
  }
}

async function recordAlone(
  url: Exclude<DeviceUrl, AutoUrl>,
  until: string,
  { config, file, logger, tell }: CaptureOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
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

function sinkError(file: string, cause: unknown): SinkError | ConfigError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "EEXIST") return new ConfigError(`${file}: expected the name of a new file, got one that is there already`, { cause });
  return new SinkError(`${file}: expected to write there, got ${code ?? message}`, { cause });
}
