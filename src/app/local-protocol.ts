import { z } from "zod";
import { errorCodes, SonkragError, type ErrorCode, type Retry } from "../model/errors.ts";

/** Number of the protocol on the local socket; raised only when older clients could no longer be understood. */
export const localProtocol = 1;

export interface MethodOptions {
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal;
  /** Takes what is told before the result, any number of times; absent where nobody would hear it. */
  readonly more?: (part: unknown) => void;
}

/** What a method of the local socket does. `params` come from outside and have to be checked by it; the result becomes JSON. */
export type Method = (params: unknown, options: MethodOptions) => Promise<unknown>;
export type Methods = Readonly<Record<string, Method>>;

const idSchema = z.union([z.int(), z.string().max(100)]);
export const requestSchema = z.strictObject({ id: idSchema, method: z.string().min(1).max(100), params: z.unknown().optional() });
export type RequestId = z.output<typeof idSchema>;

const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  retry: z.enum(["exchange", "reconnect", "never"]),
  context: z.record(z.string(), z.unknown()).optional(),
});
export type Failure = z.output<typeof failureSchema>;

/** `id` is null when the request could not be read; a line with `more` is a part, and the end is still to come. */
export const responseSchema = z.object({
  id: idSchema.nullable(),
  more: z.unknown().optional(),
  result: z.unknown().optional(),
  error: failureSchema.optional(),
});

/** What `hello` tells. */
export const helloSchema = z.object({
  name: z.literal("sonkrag"),
  protocol: z.int(),
  version: z.string(),
  pid: z.int(),
  methods: z.array(z.string()),
});
export type Hello = z.output<typeof helloSchema>;

/** The error as it crosses the socket. */
export function failureOf(error: unknown): Failure {
  if (error instanceof SonkragError) {
    const { code, message, retry, context } = error;
    return { code, message, retry, ...(isJson(context) && { context }) };
  }
  return { code: "daemon-failed", message: error instanceof Error ? error.message : String(error), retry: "never" };
}

/** The error as it was on the other side; branch on its code, its class is lost. */
export function errorOf({ code, message, retry, context = {} }: Failure): SonkragError {
  const known: ErrorCode = code in errorCodes ? (code as ErrorCode) : "daemon-failed";
  return new SonkragError(known, message, retry satisfies Retry, { context });
}

/** Contexts may hold anything; what JSON cannot carry stays behind. */
function isJson(context: Readonly<Record<string, unknown>>): boolean {
  try {
    return Object.keys(context).length > 0 && typeof JSON.stringify(context) === "string";
  } catch {
    return false; // a cycle, or a bigint
  }
}

/** Cuts a byte stream into lines, however it is chunked. */
export class LineSplitter {
  readonly #mostBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The lines that are complete now, without their ends; absent when one is longer than allowed: then nothing more can be read. */
  push(chunk: Uint8Array): string[] | undefined {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const part = chunk.subarray(start, end);
      if (this.#length + part.length > this.#mostBytes) return undefined;
      lines.push(Buffer.concat([...this.#parts, part]).toString("utf8"));
      this.#parts = [];
      this.#length = 0;
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    if (rest.length > 0) {
      this.#parts.push(rest);
      this.#length += rest.length;
    }
    return this.#length > this.#mostBytes ? undefined : lines;
  }
}
