import { access, constants, stat } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LinkFinding } from "../api/link.ts";
import type { LiveSnapshot } from "../api/live.ts";
import { NotRunningError, SonkragError } from "../model/errors.ts";
import type { JournalTrouble } from "../model/journal.ts";
import type { Logger } from "../model/logger.ts";
import type { LinkCounters } from "../model/reading.ts";
import type { Timing } from "../session/job.ts";
import { tapped } from "../session/traffic.ts";
import { probe, type Identity } from "../session/unit.ts";
import { formatDeviceUrl, parseDeviceUrl, type AutoUrl, type DeviceUrl, type SerialUrl } from "../transport/device-url.ts";
import { listHidrawNodes, listSerialCandidates, systemRoots, usbIdOf, type SystemRoots } from "../transport/discover.ts";
import { withLine } from "./ask-once.ts";
import type { Config } from "./config.ts";
import { onlyDevice, openerOf } from "./devices.ts";
import { evidenceOf } from "./evidence.ts";
import { findingsOf } from "./findings.ts";
import { LinkRecorder } from "./link-recorder.ts";
import { openRunning, type RunningProgram } from "./running-program.ts";
import { systemClock } from "./system-clock.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  /** `note`: worth knowing, and nothing is broken. */
  readonly state: "ok" | "note" | "problem";
  readonly says: string;
  /** What to do. */
  readonly advice?: string;
}

export interface ExamineOptions {
  readonly config: Config;
  /** The configuration file in use. */
  readonly file?: string | undefined;
  readonly logger: Logger;
  readonly roots?: SystemRoots;
}

const udevRules = fileURLToPath(new URL("../../share/udev/60-sonkrag.rules", import.meta.url));
/** Speeds that units were seen at, the usual one first; tried only where a person has named the port. */
const knownBauds = [2400, 9600, 19_200, 4800, 1200, 38_400, 57_600, 115_200];
/** Enough for any unit to begin its answer to a short question; a wrong speed is not worth a longer wait. */
const briskTiming: Timing = { firstByteMs: 600, interByteMs: 100, quietMs: 15, idleMs: 15, patienceMs: 3000 };
const connectWithinMs = 3000;

/** Looks at everything between this program and the inverter, and tells each finding as soon as it is made. Only asks, never sets. */
export async function* examine(options: ExamineOptions, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Finding> {
  const { config, file } = options;
  yield { check: "configuration", state: "ok", says: file ?? "no file; the defaults are in use" };
  yield* examinePrograms();
  yield await examineFolder(config.dataDir);
  const found = await runningProgram(config, signal);
  const isDenied = found instanceof NotRunningError;
  await using program = isDenied ? undefined : found;
  const running = program && (await runningOf(program, signal));
  yield isDenied ? { check: "running", state: "note", says: found.message } : runningFinding(running);
  if (running?.journalTrouble !== undefined) yield journalFinding(running.journalTrouble);
  for (const { device } of config.inverters) yield* examineDevice(parseDeviceUrl(device), running, options, signal);
  if (config.mqtt.enabled && config.mqtt.url !== undefined) yield await examineBroker(config.mqtt.url, signal);
}

async function* examinePrograms(): AsyncGenerator<Finding> {
  yield process.platform === "linux"
    ? { check: "system", state: "ok", says: `Linux, Node ${process.version}` }
    : { check: "system", state: "note", says: `${process.platform}: only tcp:// and sim: devices work here; hidraw and serial need Linux` };
  for (const [name, need] of [
    ["flock", "keeps two programs from using one port"],
    ["stty", "sets the speed of serial ports"],
  ] as const) {
    if (await isInstalled(name)) continue;
    yield {
      check: "system",
      state: "problem",
      says: `the program ${name}, which ${need}, is not installed`,
      advice: `Install it (Debian: ${name === "flock" ? "util-linux" : "coreutils"}).`,
    };
  }
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (
      await access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}

/** Looks and creates nothing: a folder made here by root would be closed to the user that runs the service. */
async function examineFolder(folder: string): Promise<Finding> {
  const existing = await nearestExisting(folder);
  const where = existing === folder ? folder : `${folder} (to be made in ${existing})`;
  try {
    if (!(await stat(existing)).isDirectory()) throw new Error("it is not a folder");
    await access(existing, constants.W_OK | constants.X_OK);
    return { check: "data folder", state: "ok", says: `${where} can be written` };
  } catch (error) {
    return {
      check: "data folder",
      state: "problem",
      says: `${where} cannot be written: ${messageOf(error)}`,
      advice: "Give it to the user that runs sonkrag, or choose another with dataDir or --data-dir.",
    };
  }
}

async function nearestExisting(path: string): Promise<string> {
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  return there || path === dirname(path) ? path : nearestExisting(dirname(path));
}

interface Running {
  readonly program: RunningProgram;
  readonly version: string;
  readonly inverters: readonly RunningInverter[];
  readonly journalTrouble?: JournalTrouble | undefined;
}
type RunningInverter = LiveSnapshot["inverters"][number];

/** Absent where none runs; an error where one runs that lets only another user in. */
async function runningProgram({ dataDir }: Config, signal: AbortSignal): Promise<RunningProgram | NotRunningError | undefined> {
  try {
    return await openRunning(dataDir, { signal });
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    return error.context["denied"] === true ? error : undefined;
  }
}

async function runningOf(program: RunningProgram, signal: AbortSignal): Promise<Running | undefined> {
  try {
    const { version, inverters, journalTrouble } = await program.snapshot({ signal });
    return { program, version, inverters, journalTrouble };
  } catch (error) {
    if (error instanceof NotRunningError) return undefined;
    throw error;
  }
}

function runningFinding(running: Running | undefined): Finding {
  if (running === undefined) return { check: "running", state: "ok", says: "no other sonkrag that uses this data folder can be reached" };
  const { program, version } = running;
  return { check: "running", state: "note", says: `sonkrag ${version} runs ${program.where} and has its ports to itself` };
}

function journalFinding({ since, failed, reason }: JournalTrouble): Finding {
  return {
    check: "journal",
    state: "problem",
    says: `no setting is changed since ${new Date(since).toISOString()}, ${failed} attempts to write the journal failed: ${reason}`,
    advice: "Make room on the disk, or give the data folder to the user that runs sonkrag.",
  };
}

async function* examineDevice(
  wanted: DeviceUrl,
  running: Running | undefined,
  options: ExamineOptions,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  if (wanted.kind === "auto") {
    yield* listDevices(options.roots ?? systemRoots);
    // The running program may have been told on its command line what this one is not told.
    const read = running?.inverters.filter(({ info }) => info.device !== "sim:") ?? [];
    for (const taken of read) yield* examineTaken(running, taken, signal);
    if (read.length > 0) return;
  }
  let url: Exclude<DeviceUrl, AutoUrl>;
  try {
    url = await onlyDevice(wanted, options);
  } catch (error) {
    if (!(error instanceof SonkragError)) throw error;
    yield { check: "device", state: "problem", says: error.message, advice: "Plug it in, or name it with --device." };
    return;
  }
  const taken = url.kind === "sim" ? undefined : running?.inverters.find(({ info }) => info.device === formatDeviceUrl(url));
  if (taken !== undefined) {
    yield* examineTaken(running, taken, signal);
    return;
  }
  const result = await identify(url, options, signal);
  if ("identity" in result) {
    yield {
      check: "device",
      state: "ok",
      says: `${formatDeviceUrl(url)} answers: ${identityText(result.identity)}; ${countersText(result.counters)}`,
    };
    yield* result.findings.map(aboutLink);
    return;
  }
  const { error, counters } = result;
  // The gravest finding explains why there is no link; the others stand for themselves.
  const [gravest, ...others] = error.code === "link-down" ? result.findings : [];
  const heard = error.code === "transport-open" || error.code === "transport-busy" ? "" : ` (${countersText(counters)})`;
  const advice = gravest?.whatToDo ?? adviceOf(error, url);
  yield {
    check: "device",
    state: "problem",
    says: `${formatDeviceUrl(url)}: ${gravest?.title ?? error.message}${heard}`,
    ...(advice === undefined ? {} : { advice }),
  };
  yield* others.map(aboutLink);
  if (url.kind === "serial" && error.code === "link-down") yield await findBaud(url, options, signal);
}

async function* examineTaken(running: Running | undefined, taken: RunningInverter, signal: AbortSignal): AsyncGenerator<Finding> {
  yield takenFinding(taken);
  yield* await cardFinding(running, taken, signal);
  yield* (await linkOf(running, taken, signal)).map(aboutLink);
}

/** The running program has the port, and is the one to tell how it goes. */
function takenFinding({ info, status, counters }: RunningInverter): Finding {
  const says = `${info.device} is read by the running sonkrag: ${status.state}${status.message === "" ? "" : `: ${status.message}`} (${countersText(counters)})`;
  if (status.state === "online") return { check: "device", state: "ok", says };
  return { check: "device", state: "problem", says, advice: "To look closer, stop it and run this again." };
}

/** What the running program has found out about the make of this unit, if it has met it. */
async function cardFinding(running: Running | undefined, { info }: RunningInverter, signal: AbortSignal): Promise<readonly Finding[]> {
  if (running === undefined) return [];
  try {
    const { card, facts } = await running.program.card(info.id, { signal });
    const answered = Object.values(card.commands).filter(({ support }) => support === "answers").length;
    const model = facts.modelName ?? facts.modelNumber ?? "a model that does not tell its name";
    const inputs = facts.pvInputs === 1 ? "one PV input" : `${facts.pvInputs} PV inputs`;
    const says = `${info.id}: ${model} (family ${facts.family}), ${inputs}, ${answered} commands answered${card.complete ? "" : "; still being asked"}`;
    return [
      {
        check: "model card",
        state: "ok",
        says: `${says}; all of it: sonkrag card${running.inverters.length > 1 ? ` --inverter ${info.id}` : ""}`,
      },
    ];
  } catch (error) {
    if (error instanceof SonkragError) return [];
    throw error;
  }
}

/** What the running program has found out about this link; nothing where it is older or just ending. */
async function linkOf(running: Running | undefined, { info }: RunningInverter, signal: AbortSignal): Promise<readonly LinkFinding[]> {
  try {
    return running === undefined ? [] : (await running.program.link(info.id, { signal })).findings;
  } catch (error) {
    if (error instanceof SonkragError) return [];
    throw error;
  }
}

function aboutLink({ severity, title, whatToDo }: LinkFinding): Finding {
  return { check: "link", state: severity, says: title, advice: whatToDo };
}

async function* listDevices(roots: SystemRoots): AsyncGenerator<Finding> {
  for (const node of await listHidrawNodes({ roots })) {
    yield { check: "usb", state: "note", says: `${node.path}: ${node.name} (${usbIdOf(node)}) at ${node.physicalPath}` };
  }
  for (const { path, node } of await listSerialCandidates({ roots })) {
    yield {
      check: "serial",
      state: "note",
      says: `${path}${path === node ? "" : ` (${node})`}: not tried unasked; try it with --device serial:${path}`,
    };
  }
}

type Identified = { readonly findings: readonly LinkFinding[] } & (
  | { readonly identity: Identity; readonly counters: LinkCounters }
  | { readonly error: SonkragError; readonly counters: LinkCounters | undefined }
);

async function identify(
  url: Exclude<DeviceUrl, AutoUrl>,
  { config, logger }: ExamineOptions,
  signal: AbortSignal,
  timing?: Timing,
): Promise<Identified> {
  let line: { readonly counters: LinkCounters } | undefined;
  const recorder = new LinkRecorder(systemClock);
  const findings = (state: "online" | "silent"): readonly LinkFinding[] =>
    findingsOf({ evidence: evidenceOf(recorder.recent), status: { state }, everAnswered: false });
  try {
    const open = tapped(openerOf(url, { simulator: config.simulator, clock: systemClock, logger }), systemClock, recorder.traffic);
    const identity = await withLine(
      { open, clock: systemClock, logger, ...(timing === undefined ? {} : { timing }) },
      (ask, opened) => {
        line = opened;
        return probe(ask, { signal });
      },
      { signal },
    );
    return { identity, counters: line!.counters, findings: findings("online") };
  } catch (error) {
    if (signal.aborted || !(error instanceof SonkragError)) throw error;
    return { error, counters: line?.counters, findings: findings("silent") };
  }
}

/** The port is there and nothing sensible comes: the commonest reason that can be found out from here is the speed. */
async function findBaud(url: SerialUrl, options: ExamineOptions, signal: AbortSignal): Promise<Finding> {
  const bauds = knownBauds.filter((baud) => baud !== url.baud);
  for (const baud of bauds) {
    const result = await identify({ ...url, baud }, options, signal, briskTiming);
    if (!("identity" in result)) continue;
    const right = formatDeviceUrl({ ...url, baud });
    return {
      check: "baud rate",
      state: "problem",
      says: `at ${baud} baud it answers: ${identityText(result.identity)}`,
      advice: `Use --device ${right}.`,
    };
  }
  return {
    check: "baud rate",
    state: "note",
    says: `no answer at ${bauds.join(", ")} baud either: the speed is not what is wrong`,
  };
}

function adviceOf(error: SonkragError, url: Exclude<DeviceUrl, AutoUrl>): string | undefined {
  if (error.code === "transport-busy") return "Stop the other program, then run this again.";
  if (error.context["errno"] === "EACCES") {
    if (url.kind === "serial") return "Add your user to the group dialout (sudo usermod -aG dialout $USER) and log in again.";
    return `Install the rule ${udevRules} as its first lines say.`;
  }
  if (error.code === "link-down" && url.kind !== "tcp")
    return "Check the cable, that the inverter is on, and that no vendor dongle shares the port.";
  return undefined;
}

async function examineBroker(given: string, signal: AbortSignal): Promise<Finding> {
  const url = new URL(given);
  const port = Number(url.port) || ({ "mqtt:": 1883, "mqtts:": 8883, "ws:": 80, "wss:": 443 }[url.protocol] ?? 1883);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const reason = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, signal });
    const end = (text?: string) => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(connectWithinMs, () => end(`no connection within ${connectWithinMs / 1000} s`));
    socket.once("connect", () => end());
    socket.once("error", (error) => end(error.message));
  });
  signal.throwIfAborted();
  if (reason === undefined) return { check: "broker", state: "ok", says: `${host}:${port} takes connections` };
  return {
    check: "broker",
    state: "problem",
    says: `${host}:${port} cannot be reached: ${reason}`,
    advice: "Check mqtt.url and that the broker runs.",
  };
}

function identityText({ protocol, model, serialNumber, firmware }: Identity): string {
  return [protocol, model, serialNumber && `serial number ${serialNumber}`, firmware && `firmware ${firmware}`].filter(Boolean).join(", ");
}

function countersText(counters: LinkCounters | undefined): string {
  if (counters === undefined) return "nothing was sent";
  const reasons = Object.entries(counters.rejected).filter(([, count]) => count > 0);
  const rejected = reasons.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return `${counters.requests} questions, ${counters.accepted} answers${rejected === "" ? "" : `, rejected: ${rejected}`}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
