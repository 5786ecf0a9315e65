import { z } from "zod";
import { ConfigError } from "../model/errors.ts";
import type { SettingLevel } from "../model/setting.ts";
import { polled } from "../protocol/pi30/dialect.ts";
import { settingDialects } from "../sim/profile.ts";
import { modelNames } from "../sim/profiles.ts";
import { deviceUrlForms, formatDeviceUrl, parseDeviceUrl } from "../transport/device-url.ts";
import { choice, duration, path, section, text, topic, whole, yesNo } from "./config-kinds.ts";
import { energy, type EnergyConfig } from "./energy-config.ts";
import { influx, type InfluxConfig } from "./influx-config.ts";
import type { PollPeriods } from "./plan.ts";

/*
 * The one declaration of every configuration key. The JSON Schema for editors, the example file, the table in
 * docs/configuration.md and the texts of errors are derived from it.
 * An error text here starts with "expected"; the reader of the file adds what it got, and where.
 */

/** Every inquiry that is polled; of parallel units the first is asked, and the others follow from it. */
const commands = polled.map(({ command }) => command);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function isBrokerUrl(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const url = new URL(given);
  // A password in the URL would end up in logs and in the list of processes.
  return ["mqtt:", "mqtts:", "ws:", "wss:"].includes(url.protocol) && url.hostname !== "" && url.password === "";
}

/** The canonical text of a device, so that two spellings of one are seen as the same. */
function canonicalDevice(given: string, context: z.RefinementCtx): string {
  try {
    return formatDeviceUrl(parseDeviceUrl(given));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    context.addIssue({ code: "custom", message: error.message.replace(/^device: /, "") });
    return z.NEVER;
  }
}

const command = z
  .string({ error: "expected a command" })
  .refine((given) => commands.includes(given), { error: `expected one of ${commands.join(", ")}` });

/** Rules between keys are checked beside other mistakes, so that all are told at once. */
const isSection = ({ value }: { readonly value: unknown }) => typeof value === "object" && value !== null;

/** True for an address or name of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

const sharedPortKeys = {
  pty: path("Pseudo-terminal to make, which a program opens like a serial port. Further inverters: the path with `-2`, `-3` … behind it.")
    .optional()
    .meta({ examples: ["/run/sonkrag/inverter"] }),
  tcp: z
    .int({ error: "expected a port from 0 to 65535" })
    .min(0, "expected a port from 0 to 65535")
    .max(65_535, "expected a port from 0 to 65535")
    .optional()
    .describe("TCP port to listen on, like a serial bridge; 0 takes any free one. Further inverters: the ports behind it.")
    .meta({ examples: [8899] }),
  settings: z
    .enum(["refuse", "allow"], { error: "expected refuse or allow" })
    .optional()
    .describe("`allow`: other programs may change settings, by the same rules as everybody and each in the journal. `refuse` if absent.")
    .meta({ examples: ["allow"] }),
};

const sharedPort = section("A door for other programs that speak the inverter's own protocol; off unless `pty` or `tcp` is given.", {
  ...sharedPortKeys,
  maxAge: duration("How old a value may be that is answered without asking the inverter; `0s` asks every time.", "5s", "0s", "1h"),
  group: text("Group that may open the pseudo-terminal, besides the user whom sonkrag runs as.")
    .optional()
    .meta({ examples: ["dialout"] }),
  baud: whole("Pace of the answers on the pseudo-terminal; 0 is at once.", 0, 115_200, 0),
  host: text("Address that `tcp` listens on.").default("127.0.0.1"),
  allowRemote: yesNo("Let `host` be more than this machine. There is no login: whoever reaches the port may ask.", false),
}).refine((given) => given.allowRemote || isLoopback(given.host), {
  path: ["host"],
  error: "expected an address of this machine (127.0.0.1, ::1 or localhost), unless allowRemote is true",
  when: isSection,
});

const levels = ["everyday", "expert"] as const satisfies readonly SettingLevel[];
const levelText = "`everyday`: priorities, charge currents, buzzer; `expert`: also what can harm a battery, cut the supply or lose data.";

const inverterControl = section("In place of what `control` below says for all.", {
  enabled: z
    .boolean({ error: "expected true or false" })
    .optional()
    .describe("Let its settings be changed.")
    .meta({ examples: [true] }),
  level: z
    .enum(levels, { error: `expected ${levels.join(" or ")}` })
    .optional()
    .describe(levelText)
    .meta({ examples: ["expert"] }),
  wide: z
    .boolean({ error: "expected true or false" })
    .optional()
    .describe("Offer values beyond the narrowest range that any document gives.")
    .meta({ examples: [false] }),
}).optional();

const control = section("Changing settings of the inverters. Off unless enabled.", {
  enabled: yesNo("Let settings be changed: from the command line, over HTTP and by whatever else has a way in.", false),
  level: choice(levelText, levels, "everyday"),
  wide: yesNo("Offer values beyond the narrowest range that any document gives; only if the manual of your model does.", false),
  budget: section("Writes of one setting of one inverter; each wears its memory a little.", {
    perHour: whole("At most so many within an hour.", 1, 60, 6),
    perDay: whole("At most so many within a day.", 1, 500, 30),
  }).prefault({}),
  console: yesNo("Let `sonkrag raw` send commands as text, also some that the catalogue does not know. For experts.", false),
  allowRemote: yesNo("Take changes over HTTP also while `http.host` is no loopback address. There is no login.", false),
});

const inverter = section("One inverter.", {
  device: z
    .string({ error: "expected a device" })
    .describe(
      "Where it is: `auto` looks for an inverter on USB, and runs the simulated one if there is none; or `hidraw:/dev/hidraw0`, " +
        "`serial:/dev/ttyUSB0?baud=2400`, `tcp://host:port`, `sim`.",
    )
    .meta({ examples: deviceUrlForms.map((form) => (form === "sim:" ? "sim" : form)) })
    .transform(canonicalDevice),
  id: z
    .string({ error: "expected an id" })
    .regex(/^[a-z0-9-]+$/, "expected an id of lower-case letters, digits and hyphens")
    .optional()
    .describe("Its name in topics, files and addresses. Derived from the device and kept if absent.")
    .meta({ examples: ["garage"] }),
  control: inverterControl,
  sharedPort: section("Its own door for other programs, in place of the one that `sharedPort` below gives it.", sharedPortKeys).optional(),
});

function uniqueInverters(list: readonly z.output<typeof inverter>[], context: z.RefinementCtx): void {
  for (const key of ["device", "id"] as const) {
    const seen = new Map<string, number>();
    for (const [index, entry] of list.entries()) {
      const value = entry[key];
      if (value === undefined) continue;
      const first = seen.get(value);
      if (first === undefined) seen.set(value, index);
      else context.addIssue({ code: "custom", path: [index, key], message: `the same ${key} as inverter ${first + 1} of the list` });
    }
  }
}

const legacyMqtt = section("The older add-on's three topics, with its keys and types.", {
  enabled: yesNo("Publish them.", true),
  parallelTopic: topic("Values of the parallel system (`QPGS0`). `{sn}` becomes the serial number.", "power/axpert"),
  unitTopic: topic("Values of one unit (`QPIGS`). `{sn}` becomes the serial number.", "power/axpert{sn}"),
  settingsTopic: topic("Ratings and settings (`QPIRI`). `{sn}` becomes the serial number.", "power/axpert_settings"),
  retain: yesNo("Let the broker keep the last message for new subscribers.", false),
}).prefault({});

const mqtt = section("MQTT.", {
  enabled: yesNo("Publish to MQTT.", true),
  url: z
    .string({ error: "expected a broker URL" })
    .refine(isBrokerUrl, "expected a broker URL such as mqtt://192.168.1.10:1883 or mqtts://broker.lan:8883, without a password in it")
    .optional()
    .describe("The broker: `mqtt://`, `mqtts://`, `ws://` or `wss://`. Absent: an embedded broker on this machine only.")
    .meta({ examples: ["mqtt://192.168.1.10:1883"] }),
  username: text("User at the broker.")
    .optional()
    .meta({ examples: ["sonkrag"] }),
  password: text("Password at the broker; better in `passwordFile`.")
    .optional()
    .meta({ examples: ["secret"] }),
  passwordFile: path("File whose first line is the password.")
    .optional()
    .meta({ examples: ["/etc/sonkrag/mqtt-password"] }),
  ca: path("File with the certificate authority (PEM) that signed the broker's certificate.")
    .optional()
    .meta({ examples: ["/etc/sonkrag/ca.pem"] }),
  cert: path("File with our client certificate (PEM).")
    .optional()
    .meta({ examples: ["/etc/sonkrag/client.pem"] }),
  key: path("File with the key of our client certificate (PEM).")
    .optional()
    .meta({ examples: ["/etc/sonkrag/client.key"] }),
  clientId: text("Our name at the broker; must be ours alone. Random if absent.")
    .optional()
    .meta({ examples: ["sonkrag-garage"] }),
  prefix: topic("Start of our own topics.", "sonkrag/v1"),
  embeddedPort: whole("Port of the embedded broker on 127.0.0.1; 0 takes any free one.", 0, 65_535, 1883),
  legacy: legacyMqtt,
})
  .refine((given) => given.password === undefined || given.passwordFile === undefined, {
    path: ["passwordFile"],
    error: "expected either password or passwordFile, got both",
    when: isSection,
  })
  .refine((given) => given.cert === undefined || given.key !== undefined, {
    path: ["cert"],
    error: "expected key beside cert, got cert alone",
    when: isSection,
  })
  .refine((given) => given.key === undefined || given.cert !== undefined, {
    path: ["key"],
    error: "expected cert beside key, got key alone",
    when: isSection,
  });

export const configSchema = section("Configuration of sonkrag. Every key is optional.", {
  site: section("The place.", {
    timeZone: z
      .string({ error: "expected a time zone" })
      .refine(isTimeZone, "expected an IANA time zone such as Europe/Berlin or Africa/Johannesburg")
      .optional()
      .describe("IANA time zone; decides where a day begins. The system's if absent.")
      .meta({ examples: ["Africa/Johannesburg"] }),
  }).prefault({}),
  dataDir: path(
    "Folder for everything that is kept. If absent: `$STATE_DIRECTORY` (set by systemd), else `$XDG_DATA_HOME/sonkrag`, else " +
      "`~/.local/share/sonkrag`. A relative path counts from the folder of this file.",
  )
    .optional()
    .meta({ examples: ["/var/lib/sonkrag"] }),
  inverters: z
    .array(inverter, { error: "expected a list of inverters" })
    .min(1, "expected at least one inverter")
    .superRefine(uniqueInverters)
    .prefault([{ device: "auto" }])
    .describe("The inverters, one entry for each cable."),
  poll: section("How often values are asked for, counted from start to start.", {
    fast: duration("Live status; `0s` is as fast as the line goes.", "5s", "0s", "1h"),
    medium: duration("Warnings, parallel units.", "15s", "0s", "1h"),
    slow: duration("Ratings, settings.", "1min", "0s", "24h"),
    only: z
      .array(command, { error: "expected a list of commands" })
      .min(1, "expected at least one command")
      .optional()
      .describe("Ask these commands only; every one that the unit knows if absent.")
      .meta({ examples: [["QPIGS", "QMOD"]] }),
  }).prefault({}),
  textLog: section("A text file for each local day.", {
    enabled: yesNo("Write it.", true),
    folder: path("Folder of the files; `log` in the data folder if absent. A relative path counts from the folder of this file.")
      .optional()
      .meta({ examples: ["/var/log/sonkrag"] }),
    format: choice(
      "`classic`: the older script's lines, the raw answer to `QPIGS`; `csv`: ISO time and one named column for each value.",
      ["classic", "csv"],
      "classic",
    ),
    interval: duration("Time between two lines.", "30s", "1s", "1h"),
    compress: yesNo("Compress the files of past days with gzip.", false),
  }).prefault({}),
  history: section("Every reading, kept in a database of its own.", {
    enabled: yesNo("Keep it.", true),
    folder: path("Folder of the database; `history` in the data folder if absent. A relative path counts from the folder of this file.")
      .optional()
      .meta({ examples: ["/mnt/disk/sonkrag-history"] }),
    syncInterval: duration(
      "What a power cut may take at most; a killed process loses nothing. Longer spares an SD card.",
      "1min",
      "1s",
      "5min",
    ),
    keepReadingsDays: whole(
      "Days for which every single reading is kept, 0 for ever. Averages of a minute and longer stay for ever.",
      0,
      36_500,
      0,
    ),
    keepFramesDays: whole(
      "Days for which the answers are kept as they came, so that they can be decoded again; 0 for ever.",
      0,
      36_500,
      400,
    ),
    maxSizeMb: whole(
      "Size of the database in MB beyond which the oldest frames and then the oldest single readings go; 0 for no limit.",
      0,
      10_000_000,
      0,
    ),
  }).prefault({}),
  energy: energy.prefault({}),
  mqtt: mqtt.prefault({}),
  influx: influx.prefault({}),
  http: section("The page and its HTTP interface.", {
    enabled: yesNo("Serve it.", true),
    host: text("Address to listen on; `0.0.0.0` or `::` for every network. There is no login.").default("127.0.0.1"),
    port: whole("Port to listen on; 0 takes any free one.", 0, 65_535, 8480),
  }).prefault({}),
  control: control.prefault({}),
  sharedPort: sharedPort.prefault({}),
  simulator: section("The simulated inverter, where the device is `sim:`.", {
    seed: whole("Same seed, same weather and loads.", 0, 4_294_967_295, 1),
    speed: z
      .number({ error: "expected a number from 0.1 to 100000" })
      .min(0.1, "expected a number from 0.1 to 100000")
      .max(100_000, "expected a number from 0.1 to 100000")
      .default(1)
      .describe("How many times faster than the real time its day passes."),
    units: whole("Parallel units.", 1, 9, 1),
    model: choice("Whose answers and habits it imitates.", modelNames, "max"),
    settings: choice("What it does with a setting that it could take; `late`: 20 s after it said that it would.", settingDialects, "obeys"),
  }).prefault({}),
  log: section("The program's own messages, on stderr.", {
    level: choice("The least important kind that is shown.", ["debug", "info", "warn", "error"], "info"),
    format: choice("`text` for people, `json` for machines (a JSON object a line).", ["text", "json"], "text"),
  }).prefault({}),
});

/** What the file says, with defaults. */
export type ParsedConfig = z.output<typeof configSchema>;

/** A whole configuration: defaults filled in, paths absolute, the password read from its file. */
export interface Config extends Readonly<Pick<ParsedConfig, "inverters" | "http" | "control" | "simulator" | "log">> {
  readonly site: { readonly timeZone: string };
  readonly dataDir: string;
  readonly poll: PollPeriods;
  readonly textLog: Omit<ParsedConfig["textLog"], "interval"> & { readonly folder: string; readonly intervalMs: number };
  readonly history: Omit<ParsedConfig["history"], "syncInterval"> & { readonly folder: string; readonly syncIntervalMs: number };
  readonly energy: EnergyConfig;
  readonly mqtt: Omit<ParsedConfig["mqtt"], "passwordFile">;
  /** Absent where nothing is written to a database. */
  readonly influx?: InfluxConfig;
  readonly sharedPort: Omit<ParsedConfig["sharedPort"], "maxAge"> & { readonly maxAgeMs: number };
}
