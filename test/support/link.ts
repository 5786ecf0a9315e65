import type { LinkReport } from "../../src/api/link.ts";
import { LinkRecorder } from "../../src/app/link-recorder.ts";
import { linkReportOf } from "../../src/app/link-report.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import type { Clock } from "../../src/session/clock.ts";
import { Line } from "../../src/session/line.ts";
import { Poller } from "../../src/session/poller.ts";
import { tapped } from "../../src/session/traffic.ts";
import type { OpenTransport } from "../../src/session/transport.ts";
import { Simulation, type SimulationOptions } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

const commands = ["QPIGS", "QMOD", "QPIWS", "QPIRI", "QVFW"];

export interface LinkUnder extends Partial<SimulationOptions> {
  /** Puts something between the line and the port. */
  readonly between?: (open: OpenTransport, clock: Clock) => OpenTransport;
  readonly everyMs?: number;
  /** Virtual time; four minutes by default. */
  readonly forMs?: number;
}

/** What is reported of a link to a simulated inverter after some time of polling under these conditions. */
export async function linkUnder({ between, everyMs = 2000, forMs = 240_000, ...simulation }: LinkUnder = {}): Promise<LinkReport> {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1, 10), { turnMs: 0.02 });
  const [sim] = new Simulation({ clock, seed: 5, ...simulation }).lines;
  if (sim === undefined) throw new Error("expected one line");
  const open = between?.(sim.open, clock) ?? sim.open;
  const recorder = new LinkRecorder(clock);
  const line = new Line({
    open: tapped(open, clock, recorder.traffic),
    clock,
    logger: silentLogger,
    random: () => 0.5,
    onStatus: recorder.status,
  });
  const poller = new Poller({
    clock,
    logger: silentLogger,
    plan: commands.map((command) => ({ request: findRequest(command), everyMs })),
    ask: (request, how) => line.ask(request, how),
    online: (how) => line.online(how),
    ready: (how) => line.ready(how),
    onData: () => undefined,
  });
  const stop = new AbortController();
  const { signal } = stop;
  const running = Promise.all([line.run({ signal }), poller.run({ signal })]);
  await clock.sleep(forMs, { signal });
  const report = linkReportOf("unit", line, recorder, { now: clock.now() });
  stop.abort(new Error("enough"));
  await running;
  return report;
}
