import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { TransportError } from "../model/errors.ts";

/** Bytes that may wait for a client which does not read; beyond that it is let go. */
const mostWaiting = 1_048_576;

/** A TCP port like that of a serial bridge: whoever is connected hears every reply and may ask. */
export class TcpOutlet {
  readonly #host: string;
  readonly #port: number;
  readonly #received: (bytes: Uint8Array) => void;
  readonly #sockets = new Set<Socket>();
  #away = false;

  constructor(host: string, port: number, received: (bytes: Uint8Array) => void) {
    this.#host = host;
    this.#port = port;
    this.#received = received;
  }

  send(bytes: Uint8Array): void {
    for (const socket of this.#sockets) {
      if (socket.writableLength > mostWaiting) socket.destroy();
      else socket.write(bytes);
    }
  }

  /** Breaks every connection and takes no new one until plugged in again. */
  unplug(): void {
    this.#away = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  plugIn(): void {
    this.#away = false;
  }

  /** Serves until aborted; `ready` gets the port in use. Rejects when it cannot listen. */
  async run({ ready, signal }: { readonly ready: (port: number) => void; readonly signal: AbortSignal }): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    server.listen(this.#port, this.#host);
    try {
      await once(server, "listening", { signal });
    } catch (cause) {
      server.close();
      if (signal.aborted) return;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TransportError("transport-open", `tcp ${this.#host}:${this.#port}: expected to listen there, got ${why}`, { cause });
    }
    const address = server.address();
    ready(typeof address === "object" && address !== null ? address.port : this.#port);
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
    if (this.#away) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("data", this.#received);
    socket.once("close", () => this.#sockets.delete(socket));
    // A client that breaks off is gone like one that hangs up; "close" follows.
    socket.on("error", () => socket.destroy());
  }
}
