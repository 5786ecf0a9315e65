import type { Logger } from "../../model/logger.ts";
import { serve, type Methods } from "../../store/thread.ts";

interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Serves a thread's methods; what they log is told to whoever started the thread. */
export function serveLogging(methods: (logger: Logger) => Methods): void {
  const line =
    (level: keyof Logger) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      served.tell("log", { level, message, ...(fields && { fields }) } satisfies LogLine);
  const logger: Logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const served = serve(methods(logger));
}

/** The other side: hands a thread's lines to the program's log. */
export function logTold(logger: Logger): (name: string, data: unknown) => void {
  return (name, data) => {
    if (name !== "log") return;
    const { level, message, fields } = data as LogLine;
    logger[level](message, fields);
  };
}
