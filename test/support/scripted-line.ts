import { Line } from "../../src/session/line.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { recordingLogger } from "./readings.ts";
import { ScriptedPort, type Script } from "./scripted-port.ts";

/** A line that is online with a scripted unit behind it; what ends it is put on `stops`. */
export async function scriptedLine(
  make: (clock: VirtualClock) => Script,
  stops: (() => Promise<void>)[],
  options?: ConstructorParameters<typeof ScriptedPort>[2],
) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const port = new ScriptedPort(clock, make(clock), options);
  const stop = new AbortController();
  const line = new Line({ open: port.open, clock, logger: recordingLogger(), random: () => 0.5, onStatus: () => undefined });
  const running = line.run({ signal: stop.signal });
  stops.push(async () => {
    stop.abort(new Error("the test is over"));
    await running;
  });
  await line.online({ signal: stop.signal });
  return { clock, port, line, signal: stop.signal };
}
