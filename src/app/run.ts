import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { StoreError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { Sink } from "../model/reading.ts";
import { HttpServer, type HttpServerOptions } from "../server/http.ts";
import { LiveHub } from "../server/live.ts";
import type { PrometheusSources } from "../server/prometheus.ts";
import { InfluxSink } from "../sinks/influx.ts";
import { MqttSink } from "../sinks/mqtt.ts";
import { TextLog } from "../sinks/text-log.ts";
import { EmbeddedBroker } from "./broker.ts";
import { CardStore } from "./cards.ts";
import type { Config } from "./config.ts";
import { changeForClient } from "./control/commands.ts";
import { controlMethods } from "./control/control-methods.ts";
import { openControl, rulesOf } from "./control/open-control.ts";
import { daemonMethods } from "./daemon-methods.ts";
import { lockDataDir } from "./data-lock.ts";
import { Diagnosis } from "./diagnosis.ts";
import { FanOut } from "./fan-out.ts";
import { LiveInverter } from "./live-inverter.ts";
import { LocalSocket } from "./local-socket.ts";
import { qpigsColumns } from "./log-columns.ts";
import { planOf, staleAfterMs } from "./plan.ts";
import { RecentLog } from "./recent-log.ts";
import { historySource } from "./history/energy-document.ts";
import { History, type HistoryOptions } from "./history/history.ts";
import { InverterRegistry } from "./registry.ts";
import { writeRuntimeFile } from "./runtime-file.ts";
import { SharedPorts } from "./shared-ports.ts";
import { systemClock } from "./system-clock.ts";
import { SystemWatch } from "./system-watch.ts";
import { targetsOf } from "./targets.ts";
import { together } from "./together.ts";
import { packageVersion } from "./version.ts";

export interface RunOptions {
  readonly logger: Logger;
  /** Takes a line for the person who started the program. */
  readonly tell: (line: string) => void;
}

const webRoot = fileURLToPath(new URL("../../web/dist", import.meta.url));
const defaultHttpPort = 8480;
const defaultMqttPort = 1883;

/** The whole program, wired: inverters → text log, MQTT, page; until the signal fires. */
export async function run(config: Config, { logger: told, tell }: RunOptions, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  const clock = systemClock;
  const version = packageVersion();
  const logger = new RecentLog(told);
  const plan = planOf(config.poll);
  tell(`sonkrag ${version}`);

  await using _lock = await lockDataDir(config.dataDir, { logger, signal });
  const registry = await InverterRegistry.open(join(config.dataDir, "inverters.json"), { logger });
  const cards = await CardStore.open(join(config.dataDir, "cards"), { logger });
  const targets = await targetsOf(config, { clock, logger, tell });

  let inverters: LiveInverter[] = [];
  const noCounters = { requests: 0, accepted: 0, rejected: {}, reconnects: 0 };
  const hub = new LiveHub({
    version,
    timeZone: config.site.timeZone,
    now: () => clock.now(),
    counters: (id) => inverters.find(({ info }) => info.id === id)?.counters ?? (noCounters as LiveInverter["counters"]),
    staleAfterMs: (_, command) => staleAfterMs(command, plan),
    journalTrouble: () => control.journalTrouble,
  });
  await using broker = await openBroker(config, logger);
  await using mqtt = await openMqtt(config, broker, logger);
  await using influx = config.influx && (await InfluxSink.open({ ...config.influx, logger }));
  await using textLog = await openTextLog(config, () => inverters[0]?.info.id, logger);
  let counted: NonNullable<ReturnType<NonNullable<PrometheusSources["energy"]>>> | undefined;
  await using history = await openHistory(config, {
    logger,
    onSynced: (at, energy) => {
      if (energy === undefined) return;
      counted = energy.units;
      for (const output of [mqtt, influx]) {
        for (const [unit, counters] of Object.entries(energy.units)) output?.energy(at, counters, unit);
        if (Object.keys(energy.units).length > 1) output?.energy(at, energy.total);
      }
    },
  });
  const diagnosis = new Diagnosis({ version, clock, config, inverters: () => inverters, log: logger });
  await using control = await openControl({ config, inverters: () => inverters, clock, logger });
  const prometheus: PrometheusSources = { link: (id) => diagnosis.link(id), energy: () => counted, export: () => influx?.health };
  const sources = {
    diagnosis,
    cards: (id: string) => inverters.find(({ info }) => info.id === id)?.card,
    control,
    prometheus,
    ...(history && { history: historySource(history, config.site.timeZone, clock) }),
  };
  await using server = await openServer(config, hub, sources, logger);
  await using shared = await SharedPorts.open({
    config,
    devices: targets.map(({ device }) => device),
    inverters: () => inverters,
    clock,
    logger,
    change: changeForClient(control),
  });
  const methods = {
    ...daemonMethods({ inverters: () => inverters, snapshot: () => hub.snapshot(), diagnosis }),
    ...controlMethods(control, () => inverters, randomUUID),
  };
  await using socket = await LocalSocket.open({ dataDir: config.dataDir, version, logger, methods });
  await using _runtime = await writeRuntimeFile(config.dataDir, {
    pid: process.pid,
    version,
    startedAt: clock.now(),
    socket: socket.path,
    ...(server && { http: server.url }),
    ...(mqtt && { mqtt: mqtt.address }),
  });

  const system = new SystemWatch({
    known: registry,
    clock,
    logger,
    staleAfterMs: (command) => staleAfterMs(command, plan),
    onState: (state) => {
      hub.system(state);
      mqtt?.system(state);
    },
  });
  const outputs = new FanOut({
    sinks: [system, hub, mqtt, influx, textLog, history?.recorder, shared].filter(
      (sink): sink is NonNullable<typeof sink> & Sink => sink !== undefined,
    ),
    logger,
  });
  const page = system.beside(hub);
  inverters = targets.map((target) => {
    const { wide } = rulesOf(config, target.device);
    return new LiveInverter({ target, plan, registry, cards, wide, clock, logger, outputs, page });
  });

  for (const { device, simulated, wantedId } of targets)
    tell(`  inverter  ${[device, wantedId, simulated ? "SIMULATED, nothing here is real" : undefined].filter(Boolean).join("  ")}`);
  if (server) tell(`  page      ${server.url}`);
  if (mqtt) tell(`  MQTT      ${mqtt.address}${broker ? "  (embedded, this machine only)" : ""}`);
  if (influx) tell(`  database  ${influx.address}`);
  if (textLog) tell(`  text log  ${textLog.currentFile}`);
  if (history) tell(`  history   ${config.history.folder}`);
  for (const line of shared.told()) tell(`  shared    ${line}`);
  if (config.control.enabled) tell(`  control   settings may be changed, level ${config.control.level}`);
  tell(`  data      ${config.dataDir}`);
  tell("Ctrl-C stops it.");

  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  await together(
    [...inverters, shared, system, control, ...(history ? [history] : []), ...(influx ? [influx] : [])].map((part) =>
      part.run({ signal: stop }),
    ),
    failed,
  );
  await Promise.all([registry.saved(), cards.saved()]);
}

async function openBroker({ mqtt }: Config, logger: Logger): Promise<EmbeddedBroker | undefined> {
  if (!mqtt.enabled || mqtt.url !== undefined) return undefined;
  return await EmbeddedBroker.open({ port: mqtt.embeddedPort, fallbackPorts: mqtt.embeddedPort === defaultMqttPort, logger });
}

async function openMqtt({ mqtt }: Config, broker: EmbeddedBroker | undefined, logger: Logger): Promise<MqttSink | undefined> {
  const url = mqtt.url ?? broker?.url;
  if (!mqtt.enabled || url === undefined) return undefined;
  return await MqttSink.open({ ...mqtt, url, logger });
}

async function openTextLog(
  { textLog, site }: Config,
  mainInverter: () => string | undefined,
  logger: Logger,
): Promise<TextLog | undefined> {
  if (!textLog.enabled) return undefined;
  return await TextLog.open({ ...textLog, timeZone: site.timeZone, columnsOf: qpigsColumns, mainInverter, logger });
}

async function openHistory(
  { history, site, poll }: Config,
  { logger, onSynced }: Pick<HistoryOptions, "logger" | "onSynced">,
): Promise<History | undefined> {
  if (!history.enabled) return undefined;
  try {
    return await History.open({ ...history, ...site, pollMs: poll.fastMs, clock: systemClock, logger, ...(onSynced && { onSynced }) });
  } catch (error) {
    // Without SQLite everything else still works; a history that cannot be used is for the user to decide about.
    if (!(error instanceof StoreError) || error.code !== "store-driver") throw error;
    logger.error(`No history is kept: ${error.message}`);
    return undefined;
  }
}

async function openServer(
  { http, control }: Config,
  hub: LiveHub,
  sources: Pick<HttpServerOptions, "diagnosis" | "cards" | "control" | "prometheus" | "history">,
  logger: Logger,
): Promise<HttpServer | undefined> {
  if (!http.enabled) return undefined;
  const { host, port } = http;
  const fallbackPorts = port === defaultHttpPort;
  return await HttpServer.open({ host, port, fallbackPorts, hub, webRoot, logger, allowRemoteControl: control.allowRemote, ...sources });
}
