import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CardStore } from "../../src/app/cards.ts";
import { loadConfig } from "../../src/app/config-file.ts";
import type { Config } from "../../src/app/config.ts";
import { controlMethods } from "../../src/app/control/control-methods.ts";
import { openControl, rulesOf } from "../../src/app/control/open-control.ts";
import type { ControlService } from "../../src/app/control/service.ts";
import { LiveInverter } from "../../src/app/live-inverter.ts";
import type { Methods } from "../../src/app/local-protocol.ts";
import { planOf } from "../../src/app/plan.ts";
import { InverterRegistry } from "../../src/app/registry.ts";
import type { Outcome } from "../../src/model/control.ts";
import type { SettingValue } from "../../src/model/setting.ts";
import { HttpServer } from "../../src/server/http.ts";
import { LiveHub } from "../../src/server/live.ts";
import type { SettingDialect } from "../../src/sim/profile.ts";
import { Simulation } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { Disk, Life } from "./mortal-control.ts";
import { recordingLogger } from "./readings.ts";

export interface ControlledUnit extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly simulation: Simulation;
  readonly inverter: LiveInverter;
  readonly service: ControlService;
  readonly methods: Methods;
  readonly url: string;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly disk: Disk;
  wait(ms: number): Promise<void>;
  /** As the command line asks. */
  viaCli(setting: string, value: SettingValue, more?: object): Promise<Outcome>;
  /** As a page or a script asks. */
  viaApi(setting: string, body: unknown, init?: RequestInit): Promise<Response>;
}

/**
 * The program around one simulated inverter called `garage`: line, control, HTTP and the methods of the local socket, on a
 * clock as fast as the machine. Resolves when it is known what the inverter is.
 */
export async function controlledUnit({
  settings = "obeys",
  model = "max",
  control = { enabled: true, level: "expert" },
  host = "127.0.0.1",
}: {
  readonly settings?: SettingDialect;
  readonly model?: string;
  readonly control?: Partial<Config["control"]>;
  readonly host?: string;
} = {}): Promise<ControlledUnit> {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-control-"));
  const { config: defaults } = loadConfig({ file: undefined, flags: { dataDir: folder }, env: {}, cwd: folder });
  const config: Config = { ...defaults, control: { ...defaults.control, ...control } };
  // A real disk takes real time, in which days pass on this clock.
  const disk = new Disk();
  const clock = new VirtualClock(Date.UTC(2026, 5, 21, 10));
  const logger = recordingLogger();
  const simulation = new Simulation({ clock, model, settings });
  const [line] = simulation.lines;
  if (line === undefined) throw new Error("expected a line, got none");
  const registry = await InverterRegistry.open(join(folder, "inverters.json"), { logger });
  const cards = await CardStore.open(join(folder, "cards"), { logger });
  const plan = planOf(config.poll);
  const hub: LiveHub = new LiveHub({
    version: "0",
    timeZone: "UTC",
    now: () => clock.now(),
    counters: () => inverter.counters,
    staleAfterMs: () => 15_000,
  });
  const inverter: LiveInverter = new LiveInverter({
    target: {
      open: line.open,
      device: "sim:",
      location: "sim",
      simulated: true,
      wantedId: "garage",
      provisionalId: "inverter-1",
    },
    plan,
    registry,
    cards,
    wide: rulesOf(config, "sim:").wide,
    clock,
    logger,
    outputs: hub,
    page: hub,
  });
  const service = await openControl({ config, inverters: () => [inverter], clock, logger, store: disk.store(new Life()) });
  const server = await HttpServer.open({
    host,
    port: 0,
    fallbackPorts: false,
    hub,
    webRoot: folder,
    logger,
    control: service,
    allowRemoteControl: config.control.allowRemote,
  });
  const methods = controlMethods(service, () => [inverter], randomUUID);
  const stop = new AbortController();
  const running = [inverter.run({ signal: stop.signal }), service.run({ signal: stop.signal })];
  const never = new AbortController().signal;
  const wait = async (ms: number): Promise<void> => await clock.sleep(ms, { signal: never });
  for (let looks = 0; inverter.card?.card.complete !== true && looks < 60; looks++) await wait(1000);
  const base = new URL(`http://127.0.0.1:${server.port}/`).href;
  return {
    clock,
    simulation,
    inverter,
    service,
    methods,
    url: base,
    logger,
    disk,
    wait,
    async viaCli(setting, value, more = {}) {
      return (await methods["set"]?.(
        { setting, text: String(value), by: "anna", ...more },
        { signal: new AbortController().signal },
      )) as Outcome;
    },
    async viaApi(setting, body, init = {}) {
      return await fetch(new URL(`/api/v1/inverters/garage/settings/${setting}`, base), {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the test is over"));
      await Promise.all(running);
      await server[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      await Promise.all([registry.saved(), cards.saved()]);
      await rm(folder, { recursive: true });
    },
  };
}
