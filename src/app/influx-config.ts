import { join } from "node:path";
import { z } from "zod";
import { choice, duration, path, section, text, whole, yesNo } from "./config-kinds.ts";

function isDatabaseUrl(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const url = new URL(given);
  // A password in the URL would end up in logs and in the list of processes.
  return ["http:", "https:"].includes(url.protocol) && url.hostname !== "" && url.username === "" && url.password === "";
}

const isSection = ({ value }: { readonly value: unknown }) => typeof value === "object" && value !== null;

const name = (description: string, value: string) =>
  z
    .string({ error: "expected a name" })
    .regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, "expected a name of letters, digits, _, . and -, with a letter first")
    .default(value)
    .describe(description);

const keys = {
  url: z
    .string({ error: "expected a URL" })
    .refine(isDatabaseUrl, "expected a URL such as http://192.168.1.10:8086, without user and password in it")
    .optional()
    .describe("The database; nothing is written if absent. A path before `/write` belongs to it.")
    .meta({ examples: ["http://192.168.1.10:8086"] }),
  database: text("Name of the database: InfluxDB 1, and whoever takes its `/write`. Neither this nor `bucket`: `sonkrag`.")
    .optional()
    .meta({ examples: ["sonkrag"] }),
  org: text("Organisation, for InfluxDB 2.")
    .optional()
    .meta({ examples: ["home"] }),
  bucket: text("Bucket, for InfluxDB 2 and 3; writes to `/api/v2/write`.")
    .optional()
    .meta({ examples: ["sonkrag"] }),
  token: text("Token; better in `tokenFile`.")
    .optional()
    .meta({ examples: ["secret"] }),
  tokenFile: path("File whose first line is the token.")
    .optional()
    .meta({ examples: ["/etc/sonkrag/influx-token"] }),
  username: text("User at the database, where there is no token.")
    .optional()
    .meta({ examples: ["sonkrag"] }),
  password: text("Its password; better in `passwordFile`.")
    .optional()
    .meta({ examples: ["secret"] }),
  passwordFile: path("File whose first line is the password.")
    .optional()
    .meta({ examples: ["/etc/sonkrag/influx-password"] }),
  interval: duration("Time between two batches.", "10s", "1s", "1h"),
  measurement: name(
    "Measurement of the values; `_link`, `_state` and `_energy` are put behind it for the link, words and energy counters.",
    "sonkrag",
  ),
  inverterTag: name("Tag with the inverter's id.", "inverter"),
  commandTag: name("Tag with the command that brought the values.", "command"),
  words: choice(
    "Words such as the mode. `fields`: text fields; `tags`: a point for each word, for VictoriaMetrics, which keeps numbers only.",
    ["fields", "tags"],
    "fields",
  ),
  compress: yesNo("Send with gzip.", true),
  maxQueueMb: whole("Size of the queue on the disk in MB, beyond which the oldest points go.", 1, 100_000, 200),
};

export const influx = section(
  "A database that takes InfluxDB's line protocol: InfluxDB, VictoriaMetrics, QuestDB. Off unless `url` is given.",
  keys,
)
  .refine((given) => given.database === undefined || given.bucket === undefined, {
    path: ["bucket"],
    error: "expected either database or bucket, got both",
    when: isSection,
  })
  .refine((given) => given.token === undefined || given.tokenFile === undefined, {
    path: ["tokenFile"],
    error: "expected either token or tokenFile, got both",
    when: isSection,
  })
  .refine((given) => given.password === undefined || given.passwordFile === undefined, {
    path: ["passwordFile"],
    error: "expected either password or passwordFile, got both",
    when: isSection,
  });

type Parsed = z.output<typeof influx>;

/** Where and how points are written: secrets read from their files, the queue's folder beside them. */
export interface InfluxConfig extends Omit<Parsed, "url" | "tokenFile" | "passwordFile" | "interval" | "maxQueueMb"> {
  readonly url: string;
  readonly intervalMs: number;
  readonly maxQueueBytes: number;
  readonly folder: string;
}

/** Absent unless a URL is given. `firstLine` reads the file of a key. */
export function influxConfigOf(
  { url, tokenFile, passwordFile, interval, maxQueueMb, ...rest }: Parsed,
  dataDir: string,
  firstLine: (file: string, key: string) => string,
): InfluxConfig | undefined {
  if (url === undefined) return undefined;
  return {
    ...rest,
    url,
    ...(rest.bucket === undefined && { database: rest.database ?? "sonkrag" }),
    ...(tokenFile !== undefined && { token: firstLine(tokenFile, "influx.tokenFile") }),
    ...(passwordFile !== undefined && { password: firstLine(passwordFile, "influx.passwordFile") }),
    intervalMs: interval,
    maxQueueBytes: maxQueueMb * 1_000_000,
    folder: join(dataDir, "influx-queue"),
  };
}
