import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { NotRunningError, RefusedError, TransportError } from "../../model/errors.ts";
import type { Logger } from "../../model/logger.ts";
import type { Sink } from "../../model/reading.ts";
import { CardStore } from "../cards.ts";
import type { Config } from "../config.ts";
import { DaemonClient } from "../daemon-client.ts";
import { lockDataDir } from "../data-lock.ts";
import { LiveInverter } from "../live-inverter.ts";
import { planOf } from "../plan.ts";
import { InverterRegistry } from "../registry.ts";
import { systemClock } from "../system-clock.ts";
import { targetsOf } from "../targets.ts";
import { together } from "../together.ts";
import { controlMethods } from "./control-methods.ts";
import { openControl, rulesOf } from "./open-control.ts";

/** Calls a method of `controlMethods`, wherever the service is. */
export type Call = (method: string, params: unknown) => Promise<unknown>;

export interface ControlTarget {
  readonly config: Config;
  readonly logger: Logger;
  /** Takes a line for the person who started the program. */
  readonly tell: (line: string) => void;
  /** False for work that needs no inverter, such as reading the journal. */
  readonly needsInverter?: boolean;
}

export interface Where {
  /** True where a running sonkrag does it, which is there later too. */
  readonly isRunning: boolean;
}

/** How long an inverter may take to say who it is, and what it is. */
const MEET_MS = 15_000;
const KNOW_MS = 20_000;
const LOOK_MS = 100;

/**
 * Works with the control service of the running sonkrag; where none runs, with one of our own that has the data folder and
 * the inverters to itself meanwhile.
 */
export async function withControl<T>(
  target: ControlTarget,
  work: (call: Call, where: Where) => Promise<T>,
  { signal }: { readonly signal: AbortSignal },
): Promise<T> {
  const daemon = await runningDaemon(target.config.dataDir, signal);
  if (daemon === undefined) return await withOwnControl(target, work, signal);
  await using _client = daemon;
  return await work((method, params) => daemon.call(method, params, { signal }), { isRunning: true });
}

async function runningDaemon(dataDir: string, signal: AbortSignal): Promise<DaemonClient | undefined> {
  try {
    return await DaemonClient.open(dataDir, { signal });
  } catch (error) {
    // One that may run but lets only its own user in is no reason to go behind its back.
    if (!(error instanceof NotRunningError) || error.context["denied"] === true) throw error;
    return undefined;
  }
}

const nowhere: Sink & { forget(): void } = { name: "nowhere", reading() {}, status() {}, forget() {} };

async function withOwnControl<T>(
  { config, logger, tell, needsInverter = true }: ControlTarget,
  work: (call: Call, where: Where) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const clock = systemClock;
  await using _lock = await lockDataDir(config.dataDir, { logger, signal });
  const registry = await InverterRegistry.open(join(config.dataDir, "inverters.json"), { logger });
  const cards = await CardStore.open(join(config.dataDir, "cards"), { logger });
  const plan = planOf(config.poll);
  const targets = needsInverter ? await targetsOf(config, { clock, logger, tell }) : [];
  const inverters = targets.map((target) => {
    const { wide } = rulesOf(config, target.device);
    return new LiveInverter({ target, plan, registry, cards, wide, clock, logger, outputs: nowhere, page: nowhere });
  });
  await using control = await openControl({ config, inverters: () => inverters, clock, logger });
  const methods = controlMethods(control, () => inverters, randomUUID);
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const running = together(
    inverters.map((inverter) => inverter.run({ signal: stop })),
    done,
  );
  try {
    const worked = (async () => {
      await known(inverters, stop);
      return await work(
        async (method, params) => {
          const called = methods[method];
          if (called === undefined) throw new RefusedError("request-invalid", `expected a method of control, got ${method}`);
          return await called(params, { signal: stop });
        },
        { isRunning: false },
      );
    })();
    return await Promise.race([worked, running.then(() => worked)]);
  } finally {
    done.abort(new TransportError("link-down", "The line was closed."));
    await Promise.allSettled([running]);
    await Promise.all([registry.saved(), cards.saved()]);
  }
}

/** Resolves when every inverter has said who and what it is, or has had time enough for that. Rejects when none answers. */
async function known(inverters: readonly LiveInverter[], signal: AbortSignal): Promise<void> {
  const started = systemClock.monotonic();
  const passed = (): number => systemClock.monotonic() - started;
  while (inverters.some(({ isMet }) => !isMet) && passed() < MEET_MS) await systemClock.sleep(LOOK_MS, { signal });
  if (inverters.length > 0 && !inverters.some(({ isMet }) => isMet)) {
    const said = inverters.map(({ info, status }) => `${info.device}: ${status.message}`).join("\n");
    throw new TransportError("link-down", `expected an inverter that answers, got none\n${said}`);
  }
  const isKnown = ({ isMet, card }: LiveInverter): boolean => !isMet || card?.card.complete === true;
  while (!inverters.every(isKnown) && passed() < KNOW_MS) await systemClock.sleep(LOOK_MS, { signal });
}
