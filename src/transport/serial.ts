import { TransportError } from "../model/errors.ts";
import { type Logger, silentLogger } from "../model/logger.ts";
import { type Transport, type Wire, wireOf } from "../session/transport.ts";
import { claimPort } from "./claim.ts";
import { formatDeviceUrl, type SerialUrl } from "./device-url.ts";
import { isPseudoTerminal } from "./holders.ts";
import { pause } from "./pause.ts";
import { PolledFd } from "./polled-fd.ts";
import { runTool } from "./run-tool.ts";
import { WriteQueue } from "./write-queue.ts";

/** About one byte at 2400 baud. */
const fullQueuePauseMs = 4;

/**
 * Opens a serial port or pseudo-terminal, alone, at 8N1 without flow control; throws TransportError.
 *
 * Termios is set by `stty`, and no native module is used: the `serialport` package delivers an event per read, which at
 * 2400 baud is one per byte (sixteen times the CPU of a read when an answer is due), and cannot be asked "what is there now?",
 * on which telling an old answer from a new one rests.
 */
export async function openSerial(
  url: SerialUrl,
  { signal, logger = silentLogger }: { readonly signal: AbortSignal; readonly logger?: Logger },
): Promise<Transport> {
  const device = await PolledFd.open(url.path, { signal });
  try {
    // First alone, then settings: a speed set under another program would garble its line.
    await claimPort(device, url.path, { signal, logger });
    await setTermios(device, url, signal);
    return new SerialTransport(device, url);
  } catch (error) {
    await device[Symbol.asyncDispose]();
    throw error;
  }
}

async function setTermios(device: PolledFd, url: SerialUrl, signal: AbortSignal): Promise<void> {
  // `min 1`: with `min 0` a read returns 0 bytes both when there are none and after a hang-up, and an unplugged adapter looks like silence.
  const modes = "raw -echo cs8 -parenb -cstopb -crtscts -ixon -ixoff clocal cread -hupcl min 1 time 0".split(" ");
  // By descriptor, not by path: a link such as /tmp/inverter may by now point to another terminal than the one we opened.
  const result = await runTool("stty", ["-F", "/proc/self/fd/3", String(url.baud), ...modes], device.fd, { signal });
  if (result === "missing") {
    throw new TransportError(
      "transport-open",
      `cannot set up ${url.path}: expected the program stty, found none; install coreutils (or busybox)`,
    );
  }
  if (result.status !== 0) {
    throw new TransportError(
      "transport-open",
      `cannot set up ${url.path} for ${url.baud} baud 8N1: ${result.stderr}; is it a serial port?`,
      {
        context: { path: url.path, status: result.status },
      },
    );
  }
}

class SerialTransport implements Transport {
  readonly address: string;
  readonly wire: Wire;
  readonly #device: PolledFd;
  readonly #writes = new WriteQueue();

  constructor(device: PolledFd, url: SerialUrl) {
    this.#device = device;
    this.address = formatDeviceUrl(url);
    // A pseudo-terminal ignores its baud rate: whatever is behind it may answer faster.
    this.wire = wireOf(url.baud, !isPseudoTerminal(device.stats));
  }

  take(): Uint8Array {
    return this.#device.take();
  }

  write(bytes: Uint8Array, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return this.#writes.run(
      async () => {
        let rest = bytes;
        for (;;) {
          rest = rest.subarray(this.#device.writeNow(rest));
          if (rest.length === 0) return;
          await pause(fullQueuePauseMs, { signal });
        }
      },
      { signal },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#writes.close(new TransportError("transport-lost", `${this.address} was closed`));
    await this.#device[Symbol.asyncDispose]();
  }
}
