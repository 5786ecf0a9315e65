import { matchChecksum } from "../protocol/crc.ts";
import { FrameDecoder, latin1 } from "../protocol/frame.ts";
import { trafficOf, type Capture } from "../session/capture.ts";
import { wireOf, nominalBaud, type Wire } from "../session/transport.ts";
import type { Part } from "./faults.ts";
import { nakFrame } from "./firmware.ts";

interface Exchange {
  readonly sentAt: number;
  readonly requestBytes: number;
  readonly received: { readonly at: number; readonly bytes: Uint8Array }[];
}

interface Answers {
  readonly inOrder: (readonly Part[])[];
  /** What it said when nothing was wrong; absent if it never did. */
  lastGood: readonly Part[] | undefined;
}

const CR = 0x0d;

/**
 * A unit that says again what a capture holds: each command is answered with what was recorded for it, in order, with
 * the recorded delays and damage; after that with its last good reply, or as badly as it ended. A command that is not in
 * the capture is refused.
 */
export class Recorded {
  /** What the capture knows of the wire; 2400 baud where it says nothing. */
  readonly wire: Wire;
  readonly #byCommand = new Map<string, Answers>();

  constructor(capture: Capture) {
    const events = trafficOf(capture);
    const opened = events.find((event) => event.kind === "opened");
    this.wire = capture.header.wire ?? opened?.wire ?? wireOf(nominalBaud, true);
    let request: number[] = [];
    let exchange: Exchange | undefined;
    const exchanges: { readonly command: string; readonly exchange: Exchange }[] = [];
    for (const event of events) {
      if (event.kind === "received") exchange?.received.push(event);
      // What comes after the port was opened anew answers nothing from before.
      else if (event.kind !== "sent") [request, exchange] = [[], undefined];
      else
        for (const byte of event.bytes) {
          request.push(byte);
          if (byte !== CR) continue;
          exchange = { sentAt: event.at, requestBytes: request.length, received: [] };
          exchanges.push({ command: commandOf(Uint8Array.from(request)), exchange });
          request = [];
        }
    }
    // The recording may have ended before the last answer could come: that is no silence.
    const last = exchanges.at(-1);
    if (exchanges.some((each) => each !== last && each.command === last?.command)) exchanges.pop();
    for (const each of exchanges) this.#learn(each.command, this.#partsOf(each.exchange));
  }

  /** Commands that were asked in the capture. */
  get commands(): readonly string[] {
    return [...this.#byCommand.keys()];
  }

  /** What comes back for this request (CR included), and when after its last byte. */
  answer(request: Uint8Array): readonly Part[] {
    const answers = this.#byCommand.get(commandOf(request));
    if (answers === undefined) return [{ bytes: nakFrame, delayMs: 0 }];
    const [next, ...later] = answers.inOrder;
    if (next === undefined) return [];
    if (later.length > 0) answers.inOrder.shift();
    else if (answers.lastGood !== undefined) answers.inOrder[0] = answers.lastGood;
    return next;
  }

  #learn(command: string, parts: readonly Part[]): void {
    const answers = this.#byCommand.get(command) ?? { inOrder: [], lastGood: undefined };
    answers.inOrder.push(parts);
    if (isGood(parts)) answers.lastGood = parts;
    this.#byCommand.set(command, answers);
  }

  /** The line takes a byte's time for each byte, so that a run seen at a moment began as much before. */
  #partsOf({ sentAt, requestBytes, received }: Exchange): readonly Part[] {
    const { byteMs } = this.wire;
    const left = sentAt + requestBytes * byteMs;
    return received.map(({ at, bytes }) => ({ bytes, delayMs: Math.max(0, at - bytes.length * byteMs - left) }));
  }
}

/** The command that these bytes ask; other bytes stand for themselves. */
function commandOf(request: Uint8Array): string {
  const start = Math.max(
    0,
    request.findIndex((byte) => byte !== 0),
  );
  const end = request.length - 3;
  const isOurs = end > start && matchChecksum(request, start, end, request[end] ?? 0, request[end + 1] ?? 0) !== undefined;
  return isOurs ? latin1(request, start, end) : latin1(request, start);
}

function isGood(parts: readonly Part[]): boolean {
  const decoder = new FrameDecoder();
  const seen = parts.flatMap(({ bytes }) => decoder.push(bytes));
  const [only] = seen;
  return seen.length === 1 && only?.kind === "frame" && only.body !== "NAK" && !decoder.open;
}
