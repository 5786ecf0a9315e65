import { SharedPort, type SharedClientInfo, type SharedPortOptions } from "../../src/app/shared-port.ts";
import type { LinkStatus, Reading } from "../../src/model/reading.ts";
import { encodeCommand } from "../../src/protocol/encode.ts";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import type { Answer } from "../../src/session/job.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { online, payloads, readingOf, recordingLogger } from "./readings.ts";

export const epoch = Date.UTC(2026, 0, 1);

export interface Rig {
  readonly clock: VirtualClock;
  readonly port: SharedPort;
  readonly logger: ReturnType<typeof recordingLogger>;
  /** What was asked of the unit, in order. */
  readonly asked: { readonly command: string; readonly urgent: boolean; readonly at: number }[];
  link: LinkStatus;
  /** How the unit answers. */
  unit: (command: string) => string | Error;
  /** A program of the port. */
  program(name?: string, network?: SharedClientInfo["network"]): Program;
  readonly end: () => Promise<void>;
}

export interface Program {
  /** Payloads it has heard, and when (virtual ms). */
  readonly heard: { readonly text: string; readonly at: number }[];
  feed(bytes: Uint8Array): void;
  ask(...commands: readonly string[]): void;
}

/** A shared port with a unit behind it, on a virtual clock. */
export function rigOf({ tookMs = 500, ...options }: Partial<SharedPortOptions> & { readonly tookMs?: number } = {}): Rig {
  const clock = new VirtualClock(epoch);
  const logger = recordingLogger();
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  let busyUntil = 0;
  const rig: Rig = {
    clock,
    logger,
    asked: [],
    link: online,
    unit: (command) => (command === "QPIGS" ? payloads.QPIGS : command === "QMOD" ? "B" : "NAK"),
    port: new SharedPort({
      id: () => "axpert-1",
      clock,
      logger,
      maxAgeMs: 5000,
      status: () => rig.link,
      ask: async ({ command }, { urgent, signal }): Promise<Answer> => {
        rig.asked.push({ command, urgent, at: clock.monotonic() });
        // One question at a time crosses the line.
        busyUntil = Math.max(busyUntil, clock.monotonic()) + tookMs;
        await clock.sleep(busyUntil - clock.monotonic(), { signal });
        const answer = rig.unit(command);
        if (answer instanceof Error) throw answer;
        const at = clock.now();
        return answer === "NAK" ? { kind: "nak", at } : { kind: "data", command, payload: answer, values: {}, tail: [], at };
      },
      ...options,
    }),
    program(name = "tcp 127.0.0.1:40112", network) {
      const heard: { text: string; at: number }[] = [];
      const decoder = new FrameDecoder();
      const client = rig.port.client({
        name,
        byteMs: 0,
        ...(network && { network }),
        send: (bytes) => {
          for (const part of decoder.push(bytes)) {
            if (part.kind !== "frame") throw new Error(`not a frame: ${String(part.raw)}`);
            heard.push({ text: part.body, at: clock.monotonic() });
          }
        },
      });
      running.push(client.run({ signal: AbortSignal.any([stop.signal]) }));
      const feed = (bytes: Uint8Array): void => client.feed(bytes);
      return { heard, feed, ask: (...commands) => commands.forEach((command) => feed(encodeCommand(command))) };
    },
    async end() {
      stop.abort(new Error("the end"));
      await Promise.all(running);
    },
  };
  return rig;
}

export const wait = async ({ clock }: Rig, ms: number): Promise<void> => await clock.sleep(ms, { signal: new AbortController().signal });
export const texts = ({ heard }: Program): string[] => heard.map(({ text }) => text);
export const readingAt = (at: number, overrides: Partial<Reading> = {}): Reading => readingOf(epoch + at, overrides);
