import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { TransportError } from "../model/errors.ts";

/** Bytes that may wait for a client which does not read; beyond that it is let go. */
const mostWaiting = 1_048_576;
/** How soon a client whose machine has vanished is noticed to be gone. */
const keepAliveMs = 60_000;

/** Somebody who has connected. */
export interface TcpClient {
  /** Address and port. */
  readonly name: string;
  readonly send: (bytes: Uint8Array) => void;
  readonly close: () => void;
}

/** What is done with a client's bytes, and when it has gone. */
export interface TcpSession {
  received(bytes: Uint8Array): void;
  closed(): void;
}

export interface TcpPortOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Absent sends the client away. */
  readonly connected: (client: TcpClient) => TcpSession | undefined;
}

/** A TCP port whose clients each are of one's own concern. */
export class TcpPort {
  readonly #options: TcpPortOptions;
  readonly #sockets = new Set<Socket>();

  constructor(options: TcpPortOptions) {
    this.#options = options;
  }

  /** Serves until aborted; `ready` gets the port in use. Rejects when it cannot listen. */
  async run({ ready, signal }: { readonly ready: (port: number) => void; readonly signal: AbortSignal }): Promise<void> {
    const { host, port } = this.#options;
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, (socket) => this.#serve(socket));
    server.listen(port, host);
    try {
      await once(server, "listening", { signal });
    } catch (cause) {
      server.close();
      if (signal.aborted) return;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TransportError("transport-open", `tcp ${host}:${port}: expected to listen there, got ${why}`, { cause });
    }
    const address = server.address();
    ready(typeof address === "object" && address !== null ? address.port : port);
    const closed = once(server, "close");
    const stop = (): void => {
      server.close();
      for (const socket of this.#sockets) socket.destroy();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    await closed;
  }

  #serve(socket: Socket): void {
    const session = this.#options.connected({
      name: `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`,
      send: (bytes) => {
        if (socket.writableLength > mostWaiting) socket.destroy();
        else if (!socket.destroyed) socket.write(bytes);
      },
      close: () => void socket.destroy(),
    });
    // A client that breaks off is gone like one that hangs up; "close" follows.
    socket.on("error", () => socket.destroy());
    if (session === undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("data", (bytes: Buffer) => session.received(bytes));
    socket.once("close", () => {
      this.#sockets.delete(socket);
      session.closed();
    });
  }
}
