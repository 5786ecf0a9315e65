import { TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import type { Clock } from "../session/clock.ts";
import type { Answer } from "../session/job.ts";
import { isLoopback, type Config } from "./config.ts";
import { PtyOutlet } from "./pty-outlet.ts";
import { SharedPort, type Changed } from "./shared-port.ts";
import { TcpPort } from "./tcp-port.ts";
import { together } from "./together.ts";

/** Programs on one TCP port at a time. */
const mostClients = 32;

/** What a shared port needs of its inverter. */
export interface SharedInverter {
  readonly info: Pick<InverterInfo, "id">;
  readonly status: LinkStatus;
  ask(what: Request, options: { readonly signal: AbortSignal; readonly urgent: boolean }): Promise<Answer>;
}

export interface SharedPortsOptions {
  readonly config: Pick<Config, "inverters" | "sharedPort" | "control">;
  /** The device of each inverter, in the order of `inverters`. */
  readonly devices: readonly string[];
  /** May still be empty while nothing is asked. */
  readonly inverters: () => readonly SharedInverter[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Tries to do what a command asks for, where the configuration allows it; absent: nothing is ever changed. */
  readonly change?: (inverter: string, command: string, client: string, options: { readonly signal: AbortSignal }) => Promise<Changed>;
}

/** Where the doors of one inverter are. */
export interface Door {
  readonly pty?: string;
  readonly tcp?: number;
  readonly settings: "refuse" | "allow";
}

/** One open door: runs until aborted, and tells its address once it is open. */
type Serving = (options: { readonly ready: (address: string) => void; readonly signal: AbortSignal }) => Promise<void>;

interface OpenAddress {
  readonly address: string;
  /** Place of its inverter among the devices. */
  readonly index: number;
}

interface Opened {
  readonly ports: readonly (SharedPort | undefined)[];
  readonly addresses: readonly OpenAddress[];
  readonly stop: AbortController;
  readonly served: Promise<void>;
}

/** The shared ports of all inverters: open from `open` on, until disposed of. */
export class SharedPorts implements Sink, AsyncDisposable {
  readonly name = "shared port";
  /** `serial:PATH` and `tcp://HOST:PORT`, in the order of the inverters. */
  readonly addresses: readonly string[];
  readonly #inverters: SharedPortsOptions["inverters"];
  readonly #devices: readonly string[];
  readonly #opened: Opened;

  private constructor({ inverters, devices }: SharedPortsOptions, opened: Opened) {
    this.#inverters = inverters;
    this.#devices = devices;
    this.#opened = opened;
    this.addresses = opened.addresses.map(({ address }) => address);
  }

  /** Resolves when every door is open. Rejects with ConfigError or TransportError when one cannot be. */
  static async open(options: SharedPortsOptions): Promise<SharedPorts> {
    const doors = doorsOf(options.config, options.devices);
    const ports = doors.map((door, index) => door && portOf(options, door, index));
    const servings = doors.flatMap((door, index) => servingsOf(options, door, ports[index]).map((serve) => ({ serve, index })));
    const stop = new AbortController();
    const parts = servings.map(({ serve, index }) => {
      let ready!: (address: string) => void;
      const address = new Promise<string>((resolve) => (ready = resolve));
      return { opened: address.then((found) => ({ address: found, index })), served: serve({ ready, signal: stop.signal }) };
    });
    const served = together(
      parts.map((part) => part.served),
      stop,
    );
    const addresses = await Promise.race([Promise.all(parts.map(({ opened }) => opened)), served.then(() => [])]);
    return new SharedPorts(options, { ports, addresses, stop, served });
  }

  reading(reading: Reading, { id }: InverterInfo): void {
    const index = this.#inverters().findIndex(({ info }) => info.id === id);
    this.#opened.ports[index]?.learn(reading);
  }

  /** The addresses for a person; with the id and the device of the inverter where there are several. */
  told(): string[] {
    return this.#opened.addresses.map(({ address, index }) => {
      const device = this.#devices[index];
      if (this.#devices.length < 2 || device === undefined) return address;
      return [address, this.#inverters()[index]?.info.id ?? "", device].filter((part) => part !== "").join("  ");
    });
  }

  /** The ports look at their inverter's state when they are asked. */
  status(): void {}

  /** Until the signal fires. Rejects when a door falls shut by itself. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { stop, served } = this.#opened;
    const onAbort = (): void => stop.abort();
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    await served;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { stop, served } = this.#opened;
    stop.abort();
    // Why a door fell shut is what `run` rejects with.
    await Promise.allSettled([served]);
  }
}

/**
 * Where the doors of each inverter are; absent where it has none. What an inverter says for itself counts; else the first one
 * has the path and the port of the common section, and those behind it the next ones.
 */
export function doorsOf(
  { inverters, sharedPort }: Pick<Config, "inverters" | "sharedPort">,
  devices: readonly string[],
): (Door | undefined)[] {
  const automatic = inverters.find(({ device }) => device === "auto");
  return devices.map((device, index) => {
    const own = (inverters.find((each) => each.device === device) ?? automatic)?.sharedPort ?? {};
    const {
      pty,
      tcp,
      settings = "refuse",
    } = own.pty === undefined && own.tcp === undefined ? { ...numbered(sharedPort, index), ...own } : own;
    if (pty === undefined && tcp === undefined) return undefined;
    return { ...(pty !== undefined && { pty }), ...(tcp !== undefined && { tcp }), settings };
  });
}

function numbered({ pty, tcp, settings }: Config["sharedPort"], index: number): Partial<Door> {
  return {
    ...(pty !== undefined && { pty: index === 0 ? pty : `${pty}-${index + 1}` }),
    ...(tcp !== undefined && { tcp: tcp === 0 ? 0 : tcp + index }),
    ...(settings !== undefined && { settings }),
  };
}

function portOf({ config, inverters, clock, logger, change }: SharedPortsOptions, { settings }: Door, index: number): SharedPort {
  const id = (): string => inverters()[index]?.info.id ?? `inverter-${index + 1}`;
  return new SharedPort({
    id,
    clock,
    logger,
    maxAgeMs: config.sharedPort.maxAgeMs,
    status: () => inverters()[index]?.status ?? notYet,
    ask: async (what, how) => {
      const inverter = inverters()[index];
      if (inverter === undefined) throw new TransportError("link-down", notYet.message);
      return await inverter.ask(what, how);
    },
    change: settings === "allow" && change !== undefined ? (command, client, how) => change(id(), command, client, how) : undefined,
  });
}

const notYet: LinkStatus = { state: "starting", since: 0, message: "Connecting." };

function servingsOf(options: SharedPortsOptions, door: Door | undefined, port: SharedPort | undefined): Serving[] {
  if (door === undefined || port === undefined) return [];
  return [
    ...(door.pty === undefined ? [] : [ptyServing(options, door.pty, port)]),
    ...(door.tcp === undefined ? [] : [tcpServing(options, door.tcp, port)]),
  ];
}

function ptyServing({ config, clock }: SharedPortsOptions, path: string, port: SharedPort): Serving {
  const { baud, group } = config.sharedPort;
  return async ({ ready, signal }) => {
    const outlet = new PtyOutlet(path, clock, (bytes) => client.feed(bytes), { what: "sharedPort.pty", group });
    const client = port.client({ name: path, send: (bytes) => outlet.send(bytes), byteMs: baud === 0 ? 0 : 10_000 / baud });
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    try {
      await together([outlet.run({ ready: () => ready(`serial:${path}`), signal: stop }), client.run({ signal: stop })], failed);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}

function tcpServing({ config, logger }: SharedPortsOptions, wanted: number, port: SharedPort): Serving {
  const { host } = config.sharedPort;
  const network = { mayChange: isLoopback(host) || config.control.allowRemote };
  return async ({ ready, signal }) => {
    const running = new Set<Promise<void>>();
    const outlet = new TcpPort({
      host,
      port: wanted,
      connected: ({ name, send, close }) => {
        if (running.size >= mostClients) {
          logger.warn(`Shared port ${host}:${wanted}: more than ${mostClients} programs at once; ${name} was sent away`);
          return undefined;
        }
        const gone = new AbortController();
        const client = port.client({ name, send, byteMs: 0, network });
        const ended = client
          .run({ signal: AbortSignal.any([signal, gone.signal]) })
          .catch((error: unknown) => logger.error(`Shared port ${host}:${wanted}, ${name}: ${String(error)}`))
          .finally(() => {
            running.delete(ended);
            close();
          });
        running.add(ended);
        return { received: (bytes) => client.feed(bytes), closed: () => gone.abort(new Error(`${name} has gone`)) };
      },
    });
    await outlet.run({ ready: (found) => ready(`tcp://${host.includes(":") ? `[${host}]` : host}:${found}`), signal });
    await Promise.allSettled(running);
  };
}
