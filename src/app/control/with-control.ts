import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, NotRunningError, RefusedError, TransportError } from "../../model/errors.ts";
import type { Logger } from "../../model/logger.ts";
import type { Sink } from "../../model/reading.ts";
import { CardStore } from "../cards.ts";
import type { Config } from "../config.ts";
import { DaemonClient } from "../daemon-client.ts";
import { listedSchema } from "../daemon-methods.ts";
import { lockDataDir } from "../data-lock.ts";
import { locationOf } from "../devices.ts";
import { LiveInverter } from "../live-inverter.ts";
import { planOf } from "../plan.ts";
import { InverterRegistry } from "../registry.ts";
import { systemClock } from "../system-clock.ts";
import { parseDeviceUrl } from "../../transport/device-url.ts";
import { targetsOf } from "../targets.ts";
import { together } from "../together.ts";
import { controlMethods } from "./control-methods.ts";
import { openControl, rulesOf } from "./open-control.ts";

/** Calls a method of `controlMethods`, wherever the service is. */
export type Call = (method: string, params: Readonly<Record<string, unknown>>) => Promise<unknown>;

export interface ControlTarget {
  readonly config: Config;
  readonly logger: Logger;
  /** Takes a line for the person who started the program. */
  readonly tell: (line: string) => void;
  /** Devices as typed, one by one; absent when any will do. */
  readonly devices?: readonly string[] | undefined;
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
  const only = await inverterAt(daemon, target.devices, signal);
  const call: Call = async (method, params) => {
    const named = only === undefined || !aboutInverter.has(method) ? params : { inverter: only, ...params };
    return await daemon.call(method, named, { signal });
  };
  return await work(call, { isRunning: true });
}

/** Methods that take the id of an inverter. */
const aboutInverter: ReadonlySet<string> = new Set(["settings", "set", "undo", "journal", "budget", "plan", "command"]);

/** The id of the one inverter that was named by its device: another one must not be changed in its place. Throws ConfigError. */
async function inverterAt(daemon: DaemonClient, devices: readonly string[] = [], signal: AbortSignal): Promise<string | undefined> {
  const urls = devices.map(parseDeviceUrl);
  if (urls.length === 0 || urls.some(({ kind }) => kind === "auto")) return undefined;
  const places = await Promise.all(urls.map(async (url) => (url.kind === "auto" ? "" : await locationOf(url))));
  const listed = z.array(listedSchema).parse(await daemon.call("inverters", undefined, { signal }));
  const [found, ...others] = listed.filter(({ location }) => places.includes(location));
  if (found !== undefined && others.length === 0) return found.id;
  throw new ConfigError(
    `--device: expected one inverter of the running sonkrag (process ${daemon.daemon.pid}), which has ` +
      `${listed.map(({ id, device }) => `${id} at ${device}`).join(", ") || "none"}; got ${devices.join(", ")}`,
  );
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
  } catch (error) {
    // Why the line has ended says more than that it has.
    if (done.signal.aborted) await running;
    throw error;
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
