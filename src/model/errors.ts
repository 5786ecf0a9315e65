/** Every error code with its meaning; `docs/errors.md` lists the same and a test keeps the two equal. */
export const errorCodes = {
  "transport-open": "The device or address could not be opened.",
  "transport-busy": "Another process holds the port.",
  "transport-lost": "The device went away or the connection broke.",
  "transport-write": "Bytes could not be handed to the device.",
  "frame-invalid": "Bytes are not one whole frame with a correct checksum.",
  "reply-nak": "The inverter refused the command.",
  "reply-foreign": "A good frame that does not answer this command.",
  "reply-malformed": "A field of the reply does not have its documented form.",
  "reply-unproven": "The reply could not be told from a stale one and was thrown away.",
  "command-unknown": "No such command in the catalogue.",
  "series-unknown": "History has no such series.",
  "setting-unknown": "No such setting in the catalogue.",
  "value-invalid": "A value does not fit its field.",
  "deadline-exceeded": "No whole answer came in time.",
  "link-down": "The inverter cannot be reached at the moment.",
  "sink-failed": "An output could not be written.",
  "store-failed": "The history could not be opened or written.",
  "store-damaged": "A file of the history is damaged.",
  "store-newer": "The history was written by a newer sonkrag.",
  "store-older": "The history is of an older form and has not been brought up yet.",
  "store-driver": "There is no SQLite that this Node.js can use.",
  "store-closed": "The history is closed, or the thread that keeps it has ended.",
  "config-invalid": "The configuration or a command-line argument is wrong.",
  "not-running": "No running sonkrag could be reached.",
  "lease-unknown": "No such lease; it may have ended.",
  "nothing-to-undo": "There is no change that could be undone.",
  "inverter-unknown": "There is no such inverter, or it was not said which one of several is meant.",
  "request-invalid": "A request to the running sonkrag does not have its documented form.",
  "daemon-failed": "The running sonkrag failed at what it was asked, by a mistake of its own.",
} as const;
export type ErrorCode = keyof typeof errorCodes;

/** Who can mend it: try the exchange again, connect again, or nobody without a change. */
export type Retry = "exchange" | "reconnect" | "never";

export interface ErrorDetails {
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The family of all our errors. Branch on the class or the code, never on the text. */
export class SonkragError extends Error {
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, retry: Retry, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.retry = retry;
    this.context = details.context ?? {};
  }
}

export class TransportError extends SonkragError {
  constructor(
    code: "transport-open" | "transport-busy" | "transport-lost" | "transport-write" | "link-down",
    message: string,
    details?: ErrorDetails,
  ) {
    super(code, message, "reconnect", details);
  }
}

export class FrameError extends SonkragError {
  constructor(message: string, details?: ErrorDetails) {
    super("frame-invalid", message, "exchange", details);
  }
}

export class ReplyError extends SonkragError {
  constructor(code: "reply-nak" | "reply-foreign" | "reply-malformed" | "reply-unproven", message: string, details?: ErrorDetails) {
    super(code, message, code === "reply-nak" ? "never" : "exchange", details);
  }
}

export class DeadlineError extends SonkragError {
  constructor(message: string, details?: ErrorDetails) {
    super("deadline-exceeded", message, "exchange", details);
  }
}

/** The caller asked for something that cannot be: an unknown command, a value that does not fit. */
export class RefusedError extends SonkragError {
  constructor(
    code:
      | "command-unknown"
      | "setting-unknown"
      | "series-unknown"
      | "value-invalid"
      | "inverter-unknown"
      | "request-invalid"
      | "lease-unknown"
      | "nothing-to-undo",
    message: string,
    details?: ErrorDetails,
  ) {
    super(code, message, "never", details);
  }
}

export class SinkError extends SonkragError {
  constructor(message: string, details?: ErrorDetails) {
    super("sink-failed", message, "reconnect", details);
  }
}

/** History cannot be kept or read. */
export class StoreError extends SonkragError {
  constructor(
    code: "store-failed" | "store-damaged" | "store-newer" | "store-older" | "store-driver" | "store-closed",
    message: string,
    details?: ErrorDetails,
  ) {
    super(code, message, "never", details);
  }
}

export class ConfigError extends SonkragError {
  constructor(message: string, details?: ErrorDetails) {
    super("config-invalid", message, "never", details);
  }
}

export class NotRunningError extends SonkragError {
  constructor(message: string, details?: ErrorDetails) {
    super("not-running", message, "never", details);
  }
}
