import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { ConfigError } from "../model/errors.ts";
import { formatDeviceUrl, parseDeviceUrl } from "../transport/device-url.ts";
import { configSchema, type Config, type ParsedConfig } from "./config.ts";
import { influxConfigOf } from "./influx-config.ts";
import { describeIssues, type ConfigText, type Overrides } from "./config-issues.ts";

/** What the command line says instead of the file; all as typed. */
export interface ConfigFlags {
  /** Replaces the list of inverters; an entry of the file with the same device keeps its id. */
  readonly device?: readonly string[];
  readonly dataDir?: string;
  /** `HOST:PORT`, `PORT` or `off`. */
  readonly http?: string;
  /** Broker URL, `embedded` or `off`. */
  readonly mqtt?: string;
  /** Duration between two fast polls. */
  readonly poll?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

export interface LoadOptions {
  /** The file of `--config`; otherwise it is looked for. */
  readonly file?: string | undefined;
  readonly flags?: ConfigFlags;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file that was read; absent if there is none. */
  readonly file?: string;
}

const systemFile = "/etc/sonkrag.yaml";

/**
 * Reads the configuration: the file, then the flags over it, then the defaults.
 * Throws one ConfigError that lists every mistake with its place.
 */
export function loadConfig(options: LoadOptions = {}): LoadedConfig {
  const env = options.env ?? process.env;
  const cwd = options.cwd ?? process.cwd();
  const file = findConfigFile(options.file, env, cwd);
  const text = file === undefined ? undefined : readConfigText(file);
  const overrides = new Map<string, string>();
  const values = applyFlags(dropNulls(text?.document.toJS() ?? {}), options.flags ?? {}, overrides, cwd);
  const config = resolvePaths(parseConfig(values, text, overrides), env, file === undefined ? cwd : dirname(file));
  return { config, ...(file === undefined ? {} : { file }) };
}

/** `--config`, else `$SONKRAG_CONFIG`, else `./sonkrag.yaml` or `/etc/sonkrag.yaml` if there is one. */
function findConfigFile(given: string | undefined, env: Readonly<Record<string, string | undefined>>, cwd: string): string | undefined {
  if (given !== undefined) return resolve(cwd, given);
  if (env["SONKRAG_CONFIG"]) return resolve(cwd, env["SONKRAG_CONFIG"]);
  return [join(cwd, "sonkrag.yaml"), systemFile].find((candidate) => existsSync(candidate));
}

function readConfigText(file: string): ConfigText {
  const source = readText(file, "the configuration file");
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return `${file}:${line}:${col}: not valid YAML: ${error.message}${quoteAdvice(source.split("\n")[line - 1] ?? "")}`;
  });
  if (mistakes.length > 0) throw new ConfigError(mistakes.join("\n"), { context: { file, mistakes } });
  return { file, document, lines };
}

/** `device: sim:` is a common mistake whose message from YAML does not help. */
function quoteAdvice(line: string): string {
  const value = /:\s+([^\s"'#]+:)\s*$/.exec(line)?.[1];
  return value === undefined ? "" : `; a value that ends in a colon needs quotes: "${value}"`;
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${file}: expected ${what}, could not read it: ${reason}`, { cause, context: { file } });
  }
}

/** A key with nothing behind it counts as absent: a section whose keys are all commented out is no mistake. */
function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, dropNulls(inner)]),
  );
}

function applyFlags(values: unknown, flags: ConfigFlags, overrides: Map<string, string>, cwd: string): unknown {
  if (typeof values !== "object" || values === null || Array.isArray(values)) return values;
  const merged = structuredClone(values) as Record<string, unknown>;
  const set = (path: string, value: unknown, flag: string) => {
    const [section, key] = path.split(".") as [string, string?];
    overrides.set(path, flag);
    if (key === undefined) merged[section] = value;
    else if (isRecord(merged[section] ?? {})) merged[section] = { ...(merged[section] as object | undefined), [key]: value };
  };
  if (flags.device !== undefined && flags.device.length > 0) {
    const known: unknown[] = Array.isArray(merged["inverters"]) ? merged["inverters"] : [];
    const entryOf = (device: string) => known.find((entry) => isRecord(entry) && isSameDevice(entry["device"], device)) ?? { device };
    set("inverters", flags.device.map(entryOf), "--device");
  }
  if (flags.dataDir !== undefined) set("dataDir", resolve(cwd, flags.dataDir), "--data-dir");
  if (flags.http !== undefined) for (const [key, value] of Object.entries(httpFlag(flags.http))) set(`http.${key}`, value, "--http");
  if (flags.mqtt !== undefined) {
    set("mqtt.enabled", flags.mqtt !== "off", "--mqtt");
    if (flags.mqtt === "embedded") set("mqtt.url", undefined, "--mqtt");
    else if (flags.mqtt !== "off") set("mqtt.url", flags.mqtt, "--mqtt");
  }
  if (flags.poll !== undefined) set("poll.fast", flags.poll, "--poll");
  if (flags.logLevel !== undefined) set("log.level", flags.logLevel, "--log-level");
  if (flags.logFormat !== undefined) set("log.format", flags.logFormat, "--log-format");
  return merged;
}

function isSameDevice(one: unknown, other: string): boolean {
  try {
    return typeof one === "string" && formatDeviceUrl(parseDeviceUrl(one)) === formatDeviceUrl(parseDeviceUrl(other));
  } catch (error) {
    if (error instanceof ConfigError) return false; // told with its place when the whole is checked
    throw error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function httpFlag(given: string): Record<string, unknown> {
  if (given === "off") return { enabled: false };
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):)?(\d{1,5})$/.exec(given);
  if (match === null) throw new ConfigError(`--http: expected HOST:PORT, PORT or off, got "${given}"`);
  const host = match[1] ?? match[2];
  return { enabled: true, port: Number(match[3]), ...(host === undefined ? {} : { host }) };
}

function parseConfig(values: unknown, text: ConfigText | undefined, overrides: Overrides): ParsedConfig {
  const result = configSchema.safeParse(values);
  if (result.success) return result.data;
  const mistakes = describeIssues(result.error.issues, values, text, overrides);
  throw new ConfigError(mistakes.join("\n"), { context: { file: text?.file, mistakes } });
}

function resolvePaths(parsed: ParsedConfig, env: Readonly<Record<string, string | undefined>>, base: string): Config {
  const absolute = (path: string) => {
    const home = env["HOME"] ?? homedir();
    return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : resolve(base, path);
  };
  const dataDir = absolute(parsed.dataDir ?? defaultDataDir(env));
  const { site, poll, inverters, http, control, energy, simulator, log } = parsed;
  const { interval, folder, ...textLog } = parsed.textLog;
  const { syncInterval, folder: historyFolder, ...history } = parsed.history;
  const { passwordFile, ...mqtt } = parsed.mqtt;
  const { maxAge, ...sharedPort } = parsed.sharedPort;
  const absolutePty = <T extends { readonly pty?: string | undefined }>(given: T): T =>
    given.pty === undefined ? given : { ...given, pty: absolute(given.pty) };
  const password = passwordFile === undefined ? mqtt.password : firstLine(absolute(passwordFile), "mqtt.passwordFile");
  const influx = influxConfigOf(parsed.influx, dataDir, (file, key) => firstLine(absolute(file), key));
  return {
    inverters: inverters.map((each) => (each.sharedPort === undefined ? each : { ...each, sharedPort: absolutePty(each.sharedPort) })),
    http,
    control,
    energy,
    simulator,
    log,
    sharedPort: { ...absolutePty(sharedPort), maxAgeMs: maxAge },
    ...(influx && { influx }),
    site: { timeZone: site.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone },
    dataDir,
    poll: { fastMs: poll.fast, mediumMs: poll.medium, slowMs: poll.slow, ...(poll.only && { only: poll.only }) },
    textLog: { ...textLog, folder: folder === undefined ? join(dataDir, "log") : absolute(folder), intervalMs: interval },
    history: {
      ...history,
      folder: historyFolder === undefined ? join(dataDir, "history") : absolute(historyFolder),
      syncIntervalMs: syncInterval,
    },
    mqtt: {
      ...mqtt,
      ...(password === undefined ? {} : { password }),
      ...(mqtt.ca === undefined ? {} : { ca: absolute(mqtt.ca) }),
      ...(mqtt.cert === undefined ? {} : { cert: absolute(mqtt.cert) }),
      ...(mqtt.key === undefined ? {} : { key: absolute(mqtt.key) }),
    },
  };
}

/** A secret out of a file. `key`: what the file was named by, for the message. */
export function firstLine(file: string, key: string): string {
  const line = readText(file, `the file of ${key}`).split(/\r?\n/, 1)[0] ?? "";
  const what = key.endsWith("tokenFile") ? "token" : "password";
  if (line === "") throw new ConfigError(`${file}: expected a ${what} on the first line, got an empty line`, { context: { file } });
  return line;
}

function defaultDataDir(env: Readonly<Record<string, string | undefined>>): string {
  // systemd lists several state folders separated by colons; the first is ours.
  const state = env["STATE_DIRECTORY"]?.split(":")[0];
  if (state) return state;
  const data = env["XDG_DATA_HOME"];
  return join(data !== undefined && isAbsolute(data) ? data : join(env["HOME"] ?? homedir(), ".local", "share"), "sonkrag");
}
