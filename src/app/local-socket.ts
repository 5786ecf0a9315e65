import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { RefusedError, SonkragError, TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { failureOf, LineSplitter, localProtocol, requestSchema, type Hello, type Methods, type RequestId } from "./local-protocol.ts";

/** The longest request, bytes. */
export const mostRequestBytes = 262_144;
/** Bytes that may wait for a client which does not read; beyond that it is let go. */
const mostWaiting = 16_777_216;
/** Requests of one client that are worked on at a time; the others wait in the socket. */
const mostAtOnce = 16;
const mostClients = 64;
/** The kernel takes 107 bytes. */
const longestPath = 100;

export interface LocalSocketOptions {
  /** The data folder that this process has locked. */
  readonly dataDir: string;
  readonly version: string;
  readonly methods: Methods;
  readonly logger: Logger;
}

/**
 * The door for programs of the same user on this machine: a socket in the data folder that answers one JSON object a line.
 * Only its owner may open it. See docs/local-socket.md.
 */
export class LocalSocket implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  readonly #methods: Methods;
  readonly #logger: Logger;
  readonly #clients = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  /** Made for it alone, and removed with it. */
  readonly #folder: string | undefined;

  private constructor({ version, methods, logger }: LocalSocketOptions, server: Server, { path, folder }: Place) {
    const hello = async (): Promise<Hello> => ({
      name: "sonkrag",
      protocol: localProtocol,
      version,
      pid: process.pid,
      methods: Object.keys(this.#methods).toSorted(),
    });
    this.#methods = { ...methods, hello };
    this.#logger = logger;
    this.#server = server;
    this.path = path;
    this.#folder = folder;
  }

  /** Throws TransportError when there is no place for it. */
  static async open(options: LocalSocketOptions): Promise<LocalSocket> {
    const server = createServer({ allowHalfOpen: true });
    const place = await listen(server, join(options.dataDir, "run", "sonkrag.sock"));
    const socket = new LocalSocket(options, server, place);
    server.on("connection", (client) => socket.#serve(client));
    server.on("error", (error) => options.logger.error(`${place.path}: ${error.message}`));
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const client of this.#clients) client.destroy();
    await closed;
    await Promise.allSettled(this.#running);
    await rm(this.#folder ?? this.path, { recursive: true, force: true });
  }

  #serve(client: Socket): void {
    if (this.#clients.size >= mostClients) {
      this.#logger.warn(`${this.path}: more than ${mostClients} programs at once; one more was sent away`);
      client.destroy();
      return;
    }
    this.#clients.add(client);
    const gone = new AbortController();
    const lines = new LineSplitter(mostRequestBytes);
    const waiting: string[] = [];
    let atWork = 0;
    let hasEnded = false;
    const work = (): void => {
      while (atWork < mostAtOnce) {
        const line = waiting.shift();
        if (line === undefined) break;
        atWork += 1;
        const answering = this.#answer(line, client, gone.signal).finally(() => {
          this.#running.delete(answering);
          atWork -= 1;
          work();
        });
        this.#running.add(answering);
      }
      if (waiting.length > 0) client.pause();
      else client.resume();
      // Who has closed its half still gets what it has asked for.
      if (hasEnded && atWork === 0) client.end();
    };
    client.on("data", (chunk: Buffer) => {
      const complete = lines.push(chunk);
      if (complete === undefined) {
        send(client, null, { error: failureOf(invalid(`expected a line of at most ${mostRequestBytes} bytes, got a longer one`)) });
        client.end(() => client.destroy());
        return;
      }
      waiting.push(...complete.filter((line) => line.trim() !== ""));
      work();
    });
    client.on("end", () => {
      hasEnded = true;
      // It may have closed its half only, or have gone: an empty line tells, for it cannot be written to one that has gone.
      if (atWork > 0) client.write("\n");
      work();
    });
    client.once("close", () => {
      this.#clients.delete(client);
      waiting.length = 0;
      gone.abort(new Error("the program that asked has gone"));
    });
    // A client that breaks off is gone like one that hangs up; "close" follows.
    client.on("error", () => client.destroy());
  }

  async #answer(line: string, client: Socket, signal: AbortSignal): Promise<void> {
    let id: RequestId | null = null;
    try {
      const request = parse(line);
      id = request.id;
      const method = Object.hasOwn(this.#methods, request.method) ? this.#methods[request.method] : undefined;
      if (method === undefined)
        throw invalid(
          `expected one of ${Object.keys(this.#methods).toSorted().join(", ")}, got the method ${JSON.stringify(request.method)}`,
        );
      const more = (part: unknown): void => send(client, request.id, { more: part });
      send(client, id, { result: (await method(request.params, { signal, more })) ?? null });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SonkragError)) this.#logger.error(`${this.path}: a request failed: ${String(error)}`);
      send(client, id, { error: failureOf(error) });
    }
  }
}

function parse(line: string): { readonly id: RequestId; readonly method: string; readonly params?: unknown } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw invalid(`expected one JSON object a line, got ${JSON.stringify(line.slice(0, 100))}`, cause);
  }
  const parsed = requestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalid(`expected {"id": …, "method": "…", "params": …}, got ${line.slice(0, 100)}`, parsed.error);
}

function invalid(message: string, cause?: unknown): RefusedError {
  return new RefusedError("request-invalid", message, { cause });
}

function send(client: Socket, id: RequestId | null, answer: object): void {
  if (client.destroyed) return;
  client.write(`${JSON.stringify({ id, ...answer })}\n`);
  if (client.writableLength > mostWaiting) client.destroy();
}

interface Place {
  readonly path: string;
  /** Made for it alone. */
  readonly folder?: string;
}

/** In the data folder, or, where that cannot hold a socket, in a folder of its own for temporary files. */
async function listen(server: Server, wanted: string): Promise<Place> {
  const places: readonly (() => Promise<Place>)[] = [
    async () => {
      if (Buffer.byteLength(wanted) > longestPath) throw new Error(`${wanted}: a socket's path may have at most ${longestPath} bytes`);
      await mkdir(dirname(wanted), { recursive: true });
      // Left behind by a process that was killed: the folder is ours alone now.
      await rm(wanted, { force: true });
      return { path: wanted };
    },
    ...[process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), tmpdir()].map((base) => async () => {
      const folder = await mkdtemp(join(base, "sonkrag-"));
      return { path: join(folder, "sonkrag.sock"), folder };
    }),
  ];
  const reasons: string[] = [];
  for (const place of places) {
    let folder: string | undefined;
    try {
      const found = await place();
      folder = found.folder;
      await bind(server, found.path);
      return found;
    } catch (error) {
      reasons.push(String(error));
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }
  throw new TransportError("transport-open", `expected a place for a local socket, got none: ${reasons.join("; ")}`);
}

async function bind(server: Server, path: string): Promise<void> {
  // The file is made within the call, and nobody else may ever be able to open it.
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await once(server, "listening");
  await chmod(path, 0o600);
}
