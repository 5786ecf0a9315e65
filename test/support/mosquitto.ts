import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./readings.ts";

/** A real broker in a process of its own, on a port that stays the same when it is killed and started again. */
export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #configFile: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.#configFile = join(folder, "mosquitto.conf");
  }

  /** `config`: further lines; by default everybody may connect. */
  static async start(config: readonly string[] = ["allow_anonymous true"]): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), await mkdtemp(join(tmpdir(), "sonkrag-mosquitto-")));
    await writeFile(broker.#configFile, [`listener ${broker.port} 127.0.0.1`, "user root", "persistence false", ...config, ""].join("\n"));
    await broker.restart();
    return broker;
  }

  async restart(): Promise<void> {
    const child = spawn("/usr/sbin/mosquitto", ["-c", this.#configFile], { stdio: "ignore" });
    this.#process = child;
    await eventually("mosquitto listens", () => {
      if (child.exitCode !== null) throw new Error(`Expected mosquitto to run, got exit code ${child.exitCode}`);
      return accepts(this.port);
    });
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", answer(true));
    socket.once("error", answer(false));
  });
}
