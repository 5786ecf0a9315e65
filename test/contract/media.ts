import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHidraw } from "../../src/transport/hidraw.ts";
import { openSerial } from "../../src/transport/serial.ts";
import { openTcp } from "../../src/transport/tcp.ts";
import { type FarSide, type Medium, until } from "./transport.contract.ts";

const usbId = "0665:5161";
const noSocat = spawnSync("socat", ["-V"]).error === undefined ? {} : { unavailable: "socat is not installed" };

/** A pseudo-terminal that socat offers under a link; its other end is socat's standard input and output. */
export class PseudoTerminal implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "sonkrag-test-pty-"));
  readonly link = join(this.#directory, "inverter");
  #socat: ChildProcess | undefined;
  #received: Buffer[] = [];

  async plugIn(): Promise<void> {
    rmSync(this.link, { force: true });
    this.#received = [];
    this.#socat = spawn("socat", [`PTY,link=${this.link},raw,echo=0`, "STDIO"], { stdio: ["pipe", "pipe", "inherit"] });
    this.#socat.stdout?.on("data", (chunk: Buffer) => this.#received.push(chunk));
    this.#socat.stdin?.on("error", () => undefined); // bytes for a far side that has just been unplugged
    await until(() => existsSync(this.link), "the pseudo-terminal");
  }

  send(bytes: Uint8Array): void {
    this.#socat?.stdin?.write(bytes);
  }

  received(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  /** The far side stays plugged in, and takes nothing any more. */
  freeze(): void {
    this.#socat?.kill("SIGSTOP");
  }

  async unplug(): Promise<void> {
    const socat = this.#socat;
    this.#socat = undefined;
    if (socat !== undefined) {
      const exited = once(socat, "exit");
      socat.kill("SIGKILL");
      await exited;
    }
    rmSync(this.link, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug();
    rmSync(this.#directory, { recursive: true });
  }
}

export const serialMedium: Medium = {
  name: "serial on a pseudo-terminal",
  ...noSocat,
  reportSize: 1,
  async plugIn(): Promise<FarSide> {
    const terminal = new PseudoTerminal();
    await terminal.plugIn();
    return {
      open: ({ signal }) => openSerial({ kind: "serial", path: terminal.link, baud: 2400 }, { signal }),
      send: (bytes) => terminal.send(bytes),
      received: () => terminal.received(),
      unplug: () => terminal.unplug(),
      replug: () => terminal.plugIn(),
      url: `serial:${terminal.link}`,
      node: terminal.link,
      [Symbol.asyncDispose]: () => terminal[Symbol.asyncDispose](),
    };
  },
};

/** There is no hidraw without a USB device; a pseudo-terminal stands in for the node and this far side for the bridge's reports. */
export const hidrawMedium: Medium = {
  name: "hidraw on a stand-in node",
  ...noSocat,
  reportSize: 8,
  async plugIn(): Promise<FarSide> {
    const terminal = new PseudoTerminal();
    await terminal.plugIn();
    return {
      open: ({ signal }) => openHidraw({ kind: "hidraw", path: terminal.link, usbId }, { signal }),
      send: (bytes) => terminal.send(Buffer.concat([bytes], Math.ceil(bytes.length / 8) * 8)),
      received: () => withoutReportNumbers(terminal.received()),
      unplug: () => terminal.unplug(),
      replug: () => terminal.plugIn(),
      url: `hidraw:${terminal.link}`,
      node: terminal.link,
      [Symbol.asyncDispose]: () => terminal[Symbol.asyncDispose](),
    };
  },
};

/** The kernel takes the first byte of each write as the report's number and sends the eight others. */
export function withoutReportNumbers(written: Uint8Array): Uint8Array {
  const reports: Uint8Array[] = [];
  for (let at = 0; at + 9 <= written.length; at += 9) {
    if (written[at] !== 0) throw new Error(`expected report number 0 at byte ${at}, got ${written[at]}`);
    reports.push(written.subarray(at + 1, at + 9));
  }
  return Buffer.concat(reports);
}

export const tcpMedium: Medium = {
  name: "tcp",
  reportSize: 1,
  async plugIn(): Promise<FarSide> {
    const bridge = new Bridge();
    await bridge.plugIn();
    return {
      open: ({ signal }) => openTcp({ kind: "tcp", host: "127.0.0.1", port: bridge.port, baud: 2400 }, { signal }),
      send: (bytes) => bridge.send(bytes),
      received: () => bridge.received(),
      unplug: () => bridge.unplug(),
      replug: () => bridge.plugIn(),
      url: `tcp://127.0.0.1:${bridge.port}`,
      [Symbol.asyncDispose]: async () => {
        await bridge.unplug();
        rmSync(join(tmpdir(), `sonkrag-tcp-127.0.0.1-${bridge.port}.lock`), { force: true });
      },
    };
  },
};

/** The network side of a serial bridge. */
class Bridge {
  port = 0;
  #server: Server | undefined;
  #sockets: Socket[] = [];
  readonly #waiting: Uint8Array[] = [];
  #received: Buffer[] = [];

  async plugIn(): Promise<void> {
    this.#sockets = [];
    this.#received = [];
    this.#server = createServer((socket) => {
      this.#sockets.push(socket);
      socket.on("data", (chunk) => this.#received.push(chunk));
      socket.on("error", () => undefined); // the transport may leave without a word
      for (const bytes of this.#waiting.splice(0)) socket.write(bytes);
    });
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error(`expected a TCP address, got ${address}`);
    this.port = address.port;
  }

  /** A connection counts for the client before the server has heard of it: bytes wait for it. */
  send(bytes: Uint8Array): void {
    const socket = this.#sockets.at(-1);
    if (socket === undefined) this.#waiting.push(bytes);
    else socket.write(bytes);
  }

  received(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  async unplug(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    // Wait for connections that are on their way, so that they are broken too and not left dangling.
    await new Promise((resolve) => setImmediate(resolve));
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
