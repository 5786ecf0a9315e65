import { captureLineOf, parseCapture, type Capture } from "../../src/session/capture.ts";
import type { Clock } from "../../src/session/clock.ts";
import { tapped, type TrafficEvent } from "../../src/session/traffic.ts";
import type { OpenTransport } from "../../src/session/transport.ts";
import { Recorded } from "../../src/sim/recorded.ts";
import { Simulation, type SimLine } from "../../src/sim/transport.ts";

/** Records what crosses a line that is opened through `open`. */
export class Recorder {
  readonly events: TrafficEvent[] = [];
  readonly open: OpenTransport;

  constructor(open: OpenTransport, clock: Clock) {
    this.open = tapped(open, clock, (event) => void this.events.push(event));
  }

  /** What was recorded, through the text of a file. */
  capture(): Capture {
    const startMs = this.events[0]?.at ?? 0;
    const header = { format: "sonkrag-capture", version: 1, program: "0.0.0", startedAt: "2026-01-01T00:00:00.000Z", device: "sim" };
    const lines = this.events.map((event) => captureLineOf(event, startMs));
    return parseCapture([header, ...lines].map((each) => `${JSON.stringify(each)}\n`).join(""), "capture");
  }
}

/** A capture as a line with the recorded unit at its end. */
export function lineOf(capture: Capture, clock: Clock): SimLine {
  const recorded = new Recorded(capture);
  const { byteMs, certain, chunkBytes } = recorded.wire;
  const [line] = new Simulation({ clock, recorded, baud: 10_000 / byteMs, certain, hid: chunkBytes > 1 }).lines;
  if (line === undefined) throw new Error("expected one line");
  return line;
}
