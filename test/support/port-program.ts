import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeCommand } from "../../src/protocol/encode.ts";
import { FrameDecoder, hex } from "../../src/protocol/frame.ts";

/** Another program on a shared TCP port: asks one question at a time, as such programs do. */
export class PortProgram implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  #heard: ((payload: string) => void) | undefined;
  /** Bytes that were no whole frame, and frames that nobody had asked for. */
  readonly oddities: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (const part of this.#decoder.push(chunk)) {
        if (part.kind === "discarded") this.oddities.push(hex(part.raw));
        else if (this.#heard === undefined) this.oddities.push(part.body);
        else this.#heard(part.body);
      }
    });
    socket.on("error", () => socket.destroy());
  }

  static async open(address: string): Promise<PortProgram> {
    const { hostname, port } = new URL(address);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new PortProgram(socket);
  }

  /** The payload of the answer; absent when none comes in time. */
  async ask(command: string, withinMs = 10_000): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve) => {
        this.#heard = resolve;
        timer = setTimeout(() => resolve(undefined), withinMs);
        this.#socket.write(encodeCommand(command));
      });
    } finally {
      clearTimeout(timer);
      this.#heard = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }
}
