import { resolve } from "node:path";
import { logMqtt } from "../app/log-mqtt.ts";
import { createLogger } from "../app/logger.ts";
import type { Exit } from "./exit.ts";
import type { LogMqttArguments } from "./log-mqtt-flags.ts";
import type { Terminal } from "./terminal.ts";

/** Writes what a broker sends into files, until stopped or done. */
export async function logMqttMessages(topics: readonly string[], given: LogMqttArguments, terminal: Terminal): Promise<Exit> {
  const { broker, user, passwordFile, ca, cert, key, clientId, qos, folder, maxSize, duration, logLevel, logFormat, ...rest } = given;
  const logger = createLogger({ level: logLevel, format: logFormat, write: (line) => terminal.stderr.write(line) });
  const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(terminal.cwd, path));
  await logMqtt(
    {
      ...rest,
      topics,
      broker: { url: broker, username: user, clientId, ca: absolute(ca), cert: absolute(cert), key: absolute(key), logger },
      passwordFile: absolute(passwordFile),
      qos: qos === "0" ? 0 : qos === "1" ? 1 : 2,
      folder: resolve(terminal.cwd, folder),
      maxBytes: maxSize,
      durationMs: duration,
    },
    terminal,
  );
  return "ok";
}
