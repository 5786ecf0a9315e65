import { join } from "node:path";
import { ConfigError, SinkError } from "../model/errors.ts";
import { parseBrokerUrl } from "../sinks/broker-url.ts";
import { MqttLog, type MqttLogOptions } from "../sinks/mqtt-log.ts";
import { checkTopicFilter } from "../sinks/topic-filter.ts";
import { firstLine } from "./config-file.ts";
import { lockFolder } from "./data-lock.ts";

/** What a person says of a log, with absolute paths. */
export interface LogMqttOptions extends MqttLogOptions {
  readonly name: string;
  readonly passwordFile?: string | undefined;
  /** Ends after this time, at most 2,147,483,647; when stopped if absent. */
  readonly durationMs?: number | undefined;
}

/** Logs what a broker sends until stopped or done. Throws SinkError where there never was a connection. */
export async function logMqtt(
  { passwordFile, durationMs, ...options }: LogMqttOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { folder, name, topics, broker } = options;
  const { logger } = broker;
  for (const topic of topics) checkTopicFilter(topic);
  if (!/^\w[\w.-]*$/.test(name)) throw new ConfigError(`--name: expected letters, digits, dots and hyphens, got ${JSON.stringify(name)}`);
  const { address, password: inUrl } = parseBrokerUrl(broker.url);
  if (inUrl !== undefined) {
    throw new ConfigError("--broker: expected no password in the URL, where every user of this computer can see it; use --password-file");
  }
  const password = passwordFile === undefined ? undefined : firstLine(passwordFile, "--password-file");

  await using _lock = await lockFolder(folder, { path: join(folder, `.${name}.lock`), option: "--folder", logger, signal });
  await using log = await MqttLog.open({ ...options, broker: { ...broker, password } });
  logger.info(`${topics.join(", ")} of ${address}: written to ${log.currentFile}`);
  const timeUp = new AbortController();
  const timer = durationMs === undefined ? undefined : setTimeout(() => timeUp.abort(), durationMs);
  try {
    await log.run({ signal: AbortSignal.any([signal, timeUp.signal]) });
  } finally {
    clearTimeout(timer);
  }
  await log[Symbol.asyncDispose]();
  const { everConnected, brokerTrouble, messages, unchanged, linesWritten, linesDropped } = log.health;
  logger.info(`${messages} messages, ${unchanged} of them nothing new; ${linesWritten} lines written, ${linesDropped} lost`);
  if (!everConnected && !signal.aborted) throw new SinkError(brokerTrouble ?? `There was no connection to ${address}`);
}
