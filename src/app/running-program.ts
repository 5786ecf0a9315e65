import { z } from "zod";
import type { LinkReport } from "../api/link.ts";
import type { LiveSnapshot } from "../api/live.ts";
import type { CardDocument } from "../model/card.ts";
import { NotRunningError } from "../model/errors.ts";
import { parseDeviceUrl } from "../transport/device-url.ts";
import { DaemonClient } from "./daemon-client.ts";
import { listedSchema, type Listed } from "./daemon-methods.ts";
import { locationOf } from "./devices.ts";
import { fetchBundle, fetchCard, fetchLink, fetchSnapshot, readTraffic, runningUrl } from "./running.ts";

interface How {
  readonly signal: AbortSignal;
}

/** What the running sonkrag tells of its inverters and their links. Everything rejects with NotRunningError when it goes away. */
export interface RunningProgram extends AsyncDisposable {
  /** Where it is, for people. */
  readonly where: string;
  inverters(how: How): Promise<readonly Listed[]>;
  snapshot(how: How): Promise<LiveSnapshot>;
  card(inverter: string, how: How): Promise<CardDocument>;
  link(inverter: string, how: How): Promise<LinkReport>;
  /** The diagnosis file. */
  bundle(how: How): Promise<Uint8Array>;
  /** Hands over what crosses the line from now on, as text of a capture, the header first; until the signal fires, then it rejects. */
  traffic(inverter: string, take: (text: string) => void, how: How): Promise<void>;
}

/**
 * The sonkrag that has its data there: over its local socket, or over HTTP where the socket is another user's. Throws
 * NotRunningError, with `denied: true` in its context when one runs that lets this user in nowhere.
 */
export async function openRunning(dataDir: string, { signal }: How): Promise<RunningProgram> {
  try {
    return new OverSocket(await DaemonClient.open(dataDir, { signal }));
  } catch (error) {
    if (!(error instanceof NotRunningError) || error.context["denied"] !== true) throw error;
    const url = await runningUrl(dataDir).catch(() => undefined);
    if (url === undefined) throw error;
    return new OverHttp(url);
  }
}

class OverSocket implements RunningProgram {
  readonly #daemon: DaemonClient;

  constructor(daemon: DaemonClient) {
    this.#daemon = daemon;
  }

  get where(): string {
    return `as process ${this.#daemon.daemon.pid}`;
  }

  async inverters(how: How): Promise<readonly Listed[]> {
    return z.array(listedSchema).parse(await this.#daemon.call("inverters", undefined, how));
  }

  async snapshot(how: How): Promise<LiveSnapshot> {
    return (await this.#daemon.call("snapshot", undefined, how)) as LiveSnapshot;
  }

  async card(inverter: string, how: How): Promise<CardDocument> {
    return (await this.#daemon.call("card", { inverter }, how)) as CardDocument;
  }

  async link(inverter: string, how: How): Promise<LinkReport> {
    return (await this.#daemon.call("link", { inverter }, how)) as LinkReport;
  }

  async bundle(how: How): Promise<Uint8Array> {
    const { base64 } = z.object({ base64: z.base64() }).parse(await this.#daemon.call("bundle", undefined, how));
    return Buffer.from(base64, "base64");
  }

  async traffic(inverter: string, take: (text: string) => void, how: How): Promise<void> {
    await this.#daemon.call("traffic", { inverter }, { ...how, more: (part) => take(String(part)) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]();
  }
}

class OverHttp implements RunningProgram {
  readonly where: string;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
    this.where = `at ${url}`;
  }

  async inverters(how: How): Promise<readonly Listed[]> {
    const { inverters } = await this.snapshot(how);
    return await Promise.all(
      inverters.map(async ({ info, status }) => {
        const { id, device, simulated } = info;
        const url = parseDeviceUrl(device);
        return { id, device, simulated, state: status.state, location: url.kind === "auto" ? device : await locationOf(url) };
      }),
    );
  }

  async snapshot(how: How): Promise<LiveSnapshot> {
    return await fetchSnapshot(this.#url, how);
  }

  async card(inverter: string, how: How): Promise<CardDocument> {
    return await fetchCard(this.#url, inverter, how);
  }

  async link(inverter: string, how: How): Promise<LinkReport> {
    return await fetchLink(this.#url, inverter, how);
  }

  async bundle(how: How): Promise<Uint8Array> {
    return await fetchBundle(this.#url, how);
  }

  async traffic(inverter: string, take: (text: string) => void, how: How): Promise<void> {
    await readTraffic(this.#url, inverter, take, how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Each answer was a connection of its own.
  }
}
