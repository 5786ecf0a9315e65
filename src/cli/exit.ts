import { SonkragError, type ErrorCode } from "../model/errors.ts";

/** Every exit code with its meaning; shown by `sonkrag --help` and in docs/cli.md. */
export const exits = {
  ok: { code: 0, meaning: "Done; also when a service was stopped by SIGINT or SIGTERM." },
  failed: { code: 1, meaning: "The inverter, the line or an output failed." },
  usage: { code: 2, meaning: "The command line or the configuration is wrong." },
  refused: {
    code: 3,
    meaning: "The inverter refused or does not know the command (NAK), or sonkrag refused a change; nothing has changed.",
  },
  notRunning: { code: 4, meaning: "No running sonkrag could be reached." },
  notSupported: { code: 5, meaning: "This inverter has no such setting." },
  unconfirmed: { code: 6, meaning: "A change was sent, but not read back as wanted." },
  interrupted: { code: 130, meaning: "Stopped by SIGINT before it was done, or by a second one at once; 143 for SIGTERM." },
} as const;

export type Exit = keyof typeof exits;

const exitOf: Partial<Record<ErrorCode, Exit>> = {
  "config-invalid": "usage",
  "command-unknown": "usage",
  "value-invalid": "usage",
  "inverter-unknown": "usage",
  "request-invalid": "usage",
  "series-unknown": "usage",
  "setting-unknown": "usage",
  "lease-unknown": "usage",
  "nothing-to-undo": "refused",
  "reply-nak": "refused",
  "not-running": "notRunning",
};

/** What the process ends with after this error. */
export function exitAfter(error: unknown): Exit {
  return (error instanceof SonkragError ? exitOf[error.code] : undefined) ?? "failed";
}

const hints: Partial<Record<ErrorCode, string>> = {
  "transport-open": "`sonkrag doctor` says what is wrong with the device.",
  "transport-busy": "Stop the other program. If it is sonkrag, `sonkrag status` shows its values.",
  "transport-lost": "Look at the cable; `sonkrag doctor` says what is wrong with the device.",
  "deadline-exceeded": "`sonkrag doctor` says what is wrong with the device.",
  "link-down": "`sonkrag doctor` says what is wrong with the device.",
  "reply-nak": "This model or firmware does not have this command, or not now.",
  "inverter-unknown": "`--inverter ID` names it.",
  "command-unknown": "`sonkrag query --help` lists the inquiries; settings are changed by `sonkrag set`.",
  "config-invalid": "`sonkrag config example` prints a valid file; every key is explained in it.",
  "not-running": "Start it with `sonkrag run`, or say where it is with --url.",
};

/** The error as told on stderr: each line of its message, then what to do. */
export function errorText(error: unknown): string {
  if (!(error instanceof SonkragError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `sonkrag: a mistake in sonkrag itself: ${stack}\n`;
  }
  // A mistake in the arguments is explained by --help; only a file has an example to look at.
  const hint = error.code === "config-invalid" && error.context["file"] === undefined ? undefined : hints[error.code];
  const lines = error.message.split("\n").map((line) => `sonkrag: ${line}\n`);
  return lines.join("") + (hint === undefined ? "" : `hint: ${hint}\n`);
}
