import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { TransportError } from "../model/errors.ts";
import { errnoOf } from "./polled-fd.ts";

/** The holder answers at once; one that is stopped, or that is no sonkrag, does not. */
const answerWithinMs = 1000;
const answerLength = 120;

/**
 * Makes this process the only one on this machine that has taken a name, or throws TransportError `transport-busy` that names
 * who has it. The name is an abstract socket of Linux: no file, so that a service with a /tmp of its own is kept apart too, and
 * gone with the process however that dies. Absent where there is no such thing.
 */
export async function lockName(
  name: string,
  what: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<AsyncDisposable | undefined> {
  if (process.platform !== "linux") return undefined;
  const path = `\0${name}`;
  const command = (await readFile("/proc/self/cmdline", "latin1").catch(() => "node")).split("\0").join(" ").trim();
  const server = createServer((socket) => {
    // Whoever asks may go away at any time.
    socket.on("error", () => socket.destroy());
    socket.end(`process ${process.pid} (${command.slice(0, answerLength)})`, () => socket.destroy());
  });
  server.unref();
  try {
    await listenOn(server, path, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (errnoOf(error) !== "EADDRINUSE")
      throw new TransportError("transport-open", `${what}: expected to take a lock, got ${errnoOf(error)}`, { cause: error });
    throw await busy(path, what, signal);
  }
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listenOn(server: Server, path: string, signal: AbortSignal): Promise<void> {
  const listening = once(server, "listening", { signal });
  server.listen({ path });
  await listening;
}

async function busy(path: string, what: string, signal: AbortSignal): Promise<TransportError> {
  const holder = await holderOf(path);
  signal.throwIfAborted();
  const own = `process ${process.pid} `;
  const who = holder.startsWith(own) ? "this program itself, which has not got rid of its earlier connection yet" : holder;
  const advice = holder.startsWith(own) ? "" : "; stop it first: two programs on one port garble each other's answers";
  return new TransportError("transport-busy", `${what} is in use by ${who}${advice}`, { context: { port: what } });
}

/** What the holder says of itself, without what could steer a terminal. */
async function holderOf(path: string): Promise<string> {
  const said = await new Promise<string>((resolve) => {
    const socket = connect({ path });
    let text = "";
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(answerWithinMs, end);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (text.length > 2 * answerLength) end();
    });
    socket.once("end", end);
    socket.once("error", end);
  });
  return said.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 2 * answerLength) || "another process";
}
