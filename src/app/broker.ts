import type { EventEmitter } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { Aedes } from "aedes";
import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";

export interface BrokerOptions {
  /** Default `127.0.0.1`: there are no passwords, so it is for this machine only. */
  readonly host?: string;
  /** Default 1883; 0 takes any free one. */
  readonly port?: number;
  /** Tries up to 20 ports above a port that is taken. Default false. */
  readonly fallbackPorts?: boolean;
  readonly logger: Logger;
}

const fallbackPortCount = 20;

/** A small MQTT 3.1.1 broker inside our own process, for those who have none. */
export class EmbeddedBroker implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(aedes: Aedes, server: Server, sockets: ReadonlySet<Socket>) {
    const { address, port } = server.address() as AddressInfo;
    this.host = address;
    this.port = port;
    this.#aedes = aedes;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async open(options: BrokerOptions): Promise<EmbeddedBroker> {
    const { host = "127.0.0.1", port = 1883, fallbackPorts = false, logger } = options;
    const aedes = await Aedes.createBroker({ maxClientsIdLength: 256 });
    const forget = (what: string) => (_client: unknown, error: Error) => logger.debug(`Embedded MQTT broker: ${what}: ${error.message}`);
    aedes.on("clientError", forget("client error"));
    aedes.on("connectionError", forget("connection error"));

    // Its own type declaration leaves this event out; without a listener it would end the process.
    (aedes as EventEmitter).on("error", (error: Error) => logger.error(`Embedded MQTT broker: ${error.message}`));

    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once("close", () => sockets.delete(socket));
      aedes.handle(socket);
    });
    try {
      await listenOnFreePort(server, host, port, fallbackPorts ? fallbackPortCount : 0);
    } catch (error) {
      await closeAedes(aedes);
      throw error;
    }
    server.on("error", (error) => logger.warn(`Embedded MQTT broker: ${error.message}`));
    return new EmbeddedBroker(aedes, server, sockets);
  }

  /** E.g. `mqtt://127.0.0.1:1883`. */
  get url(): string {
    return `mqtt://${this.host.includes(":") ? `[${this.host}]` : this.host}:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Its own close would wait for every client to say goodbye.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await closeAedes(this.#aedes);
  }
}

async function closeAedes(aedes: Aedes): Promise<void> {
  await new Promise<void>((resolve) => aedes.close(resolve));
}

async function listenOnFreePort(server: Server, host: string, port: number, more: number): Promise<void> {
  for (let extra = 0; ; extra++) {
    try {
      await listen(server, host, port === 0 ? 0 : port + extra);
      return;
    } catch (cause) {
      const isTaken = cause instanceof Error && "code" in cause && (cause.code === "EADDRINUSE" || cause.code === "EACCES");
      if (isTaken && extra < more && port + extra < 65_535) continue;
      const tried = more > 0 && isTaken ? `a free port from ${port} to ${port + extra}` : `port ${port} to be free`;
      throw new ConfigError(`Expected ${tried} on ${host} for the embedded MQTT broker, got: ${String(cause)}`, { cause });
    }
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
