import { LinePump } from "../../src/app/line-pump.ts";
import { systemClock } from "../../src/app/system-clock.ts";
import { TcpOutlet } from "../../src/app/tcp-outlet.ts";
import { Simulation, type SimulationOptions } from "../../src/sim/transport.ts";

/** A simulated inverter behind a TCP port, within this process, at the pace of a real one. */
export interface PacedUnit extends AsyncDisposable {
  readonly device: string;
  readonly simulation: Simulation;
}

export async function servePacedUnit(options: Omit<Partial<SimulationOptions>, "clock"> = {}): Promise<PacedUnit> {
  const simulation = new Simulation({ clock: systemClock, ...options });
  const [line] = simulation.lines;
  if (line === undefined) throw new Error("Expected a simulated unit");
  const outlet = new TcpOutlet("127.0.0.1", 0, (bytes) => pump.feed(bytes));
  const pump = new LinePump(line, { send: (bytes) => outlet.send(bytes), lost: () => undefined });
  pump.connect();
  const stop = new AbortController();
  let served: Promise<void> | undefined;
  const port = await new Promise<number>((resolve, reject) => {
    served = outlet.run({ ready: resolve, signal: stop.signal });
    served.catch(reject);
  });
  return {
    device: `tcp://127.0.0.1:${port}`,
    simulation,
    async [Symbol.asyncDispose]() {
      stop.abort();
      pump.close();
      await served;
    },
  };
}
