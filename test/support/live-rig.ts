import { join } from "node:path";
import { CardStore } from "../../src/app/cards.ts";
import { LiveInverter, type LiveInverterOptions, type Target } from "../../src/app/live-inverter.ts";
import { InverterRegistry } from "../../src/app/registry.ts";
import type { OpenTransport } from "../../src/session/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { recordingLogger } from "./readings.ts";

type Page = LiveInverterOptions["page"];

/** For what nobody looks at. */
export const nowhere: Page = { name: "nowhere", reading() {}, status() {}, forget() {} };

export interface LiveRigOptions extends Pick<LiveInverterOptions, "plan"> {
  /** Where the registry, and the cards where they are kept, have their files. */
  readonly folder: string;
  readonly clock?: VirtualClock;
  /** True where model cards outlive a run. */
  readonly keepsCards?: boolean;
  readonly wide?: boolean;
  readonly outputs?: Page;
  /** The outputs if absent. */
  readonly page?: Page;
}

/** One run of the program around inverters, as far as they themselves go: registry, cards, line; on a virtual clock. */
export async function liveRig(options: LiveRigOptions) {
  const { folder, plan, keepsCards = false, wide = false, outputs = nowhere, page = outputs } = options;
  const clock = options.clock ?? new VirtualClock(Date.UTC(2026, 0, 1));
  const logger = recordingLogger();
  const registry = await InverterRegistry.open(join(folder, "inverters.json"), { logger });
  const cards = keepsCards ? await CardStore.open(join(folder, "cards"), { logger }) : undefined;
  const never = new AbortController().signal;
  /** On a serial port, and never seen before, if not said otherwise. */
  const add = (open: OpenTransport, target: Partial<Target> = {}): LiveInverter =>
    new LiveInverter({
      target: {
        open,
        device: "serial:/dev/ttyUSB0",
        location: "/dev/ttyUSB0",
        simulated: false,
        wantedId: undefined,
        provisionalId: "inverter-1",
        ...target,
      },
      plan,
      registry,
      ...(cards && { cards }),
      wide,
      clock,
      logger,
      outputs,
      page,
    });
  /** Runs them until the returned function is called; everything is on the disk when that resolves. */
  const start = (...inverters: readonly LiveInverter[]): (() => Promise<void>) => {
    const stop = new AbortController();
    const running = Promise.all(inverters.map((each) => each.run({ signal: stop.signal })));
    return async () => {
      stop.abort(new Error("the test is over"));
      await running;
      await Promise.all([registry.saved(), cards?.saved()]);
    };
  };
  return { clock, logger, registry, add, start, wait: async (ms: number) => await clock.sleep(ms, { signal: never }) };
}
