import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { ConfigError } from "../model/errors.ts";

export interface InfluxTargetOptions {
  /** `http://` or `https://`, with a path if the database is below one. */
  readonly url: string;
  /** InfluxDB 1, VictoriaMetrics, QuestDB: the `db` of `/write`. */
  readonly database?: string | undefined;
  /** InfluxDB 2: the `org` and `bucket` of `/api/v2/write`. */
  readonly org?: string | undefined;
  readonly bucket?: string | undefined;
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Send with gzip. */
  readonly compress: boolean;
  /** Milliseconds after which an answer is no longer waited for. Default 30,000. */
  readonly timeoutMs?: number;
}

/** `later`: not taken, or not known whether it was; the same lines are sent again. `refused`: something in it can never be taken. */
export type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly status: number; readonly answer: string }
  | { readonly kind: "later"; readonly trouble: string; readonly mustBeMended: boolean };

const defaultTimeoutMs = 30_000;
const longestAnswer = 500;
const compressed = promisify(gzip);

/** Sends lines to a database that takes InfluxDB's line protocol over HTTP. */
export class InfluxTarget {
  /** Where it writes, without user and password. */
  readonly address: string;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #compress: boolean;
  readonly #timeoutMs: number;

  /** Throws ConfigError for a URL that is none. */
  constructor(options: InfluxTargetOptions) {
    this.#url = writeUrl(options);
    this.address = this.#url.origin;
    this.#compress = options.compress;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#headers = {
      "content-type": "text/plain; charset=utf-8",
      ...(options.compress && { "content-encoding": "gzip" }),
      ...authorization(options),
    };
  }

  /** Rejects only with the signal's reason. */
  async post(lines: readonly string[], { signal }: { readonly signal: AbortSignal }): Promise<Outcome> {
    signal.throwIfAborted();
    const text = `${lines.join("\n")}\n`;
    const body = this.#compress ? await compressed(text) : text;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: this.#headers,
        body,
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
      });
      const answer = (await response.text()).trim().slice(0, longestAnswer);
      return this.#outcomeOf(response.status, answer || response.statusText);
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "later", trouble: `${this.address} ${troubleOf(error)}`, mustBeMended: false };
    }
  }

  #outcomeOf(status: number, answer: string): Outcome {
    if (status >= 200 && status < 300) return { kind: "taken" };
    if (status === 400 || status === 413 || status === 422) return { kind: "refused", status, answer };
    const trouble = `${this.address} answered ${status}: ${answer}`;
    // 408 and 429 pass; any other 4xx, and a redirect, is about the address, the database or who we are.
    return { kind: "later", trouble, mustBeMended: status < 500 && status !== 408 && status !== 429 };
  }
}

function writeUrl({ url: given, database, org, bucket }: InfluxTargetOptions): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw new ConfigError(
      `influx.url: expected http:// or https:// and a host, got ${JSON.stringify(given.replace(/\/\/[^@/]*@/, "//…@"))}`,
    );
  url.pathname = `${url.pathname.replace(/\/$/, "")}${bucket === undefined ? "/write" : "/api/v2/write"}`;
  if (database !== undefined) url.searchParams.set("db", database);
  if (org !== undefined) url.searchParams.set("org", org);
  if (bucket !== undefined) url.searchParams.set("bucket", bucket);
  url.searchParams.set("precision", "ms");
  return url;
}

function authorization({ bucket, token, username, password }: InfluxTargetOptions): { readonly authorization?: string } {
  if (token !== undefined) return { authorization: `${bucket === undefined ? "Bearer" : "Token"} ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}` };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused the connection: nothing listens there, or a firewall forbids it",
  ENOTFOUND: "has no such name: the host name cannot be found",
  EAI_AGAIN: "has no such name: the host name cannot be found",
  ETIMEDOUT: "cannot be reached over the network",
  EHOSTUNREACH: "cannot be reached over the network",
  ENETUNREACH: "cannot be reached over the network",
  ECONNRESET: "closed the connection",
  EPIPE: "closed the connection",
  UND_ERR_SOCKET: "closed the connection",
};

function troubleOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "did not answer in time";
  // fetch says only that it failed; why stands in the cause.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return reasons[code] ?? `cannot be used: ${cause instanceof Error && cause.message !== "" ? cause.message : code || String(cause)}`;
}
