import { metric } from "../../model/metric.ts";
import { layout, query, wholeQuery } from "../command.ts";
import { field, text, type Codec } from "../field.ts";

export const QPI = query("QPI", {
  title: "Protocol id",
  source: "notes §8.1",
  cadence: "once",
  everywhere: true,
  layouts: [layout([1, 1], [field(metric.protocolId, text("PINN", /^PI\d{2}$/))])],
});

/** At least one digit: without it a QFLAG reply would pass for a serial number. */
export const QID = query("QID", {
  title: "Serial number",
  source: "notes §8.2; 13 and 14 characters seen",
  cadence: "once",
  layouts: [layout([1, 1], [field(metric.serialNumber, text("10 to 14 digits or letters", /^(?=\D*\d)[0-9A-Za-z]{10,14}$/))])],
});

/** `NN` valid characters, then 20 of which only the first NN count; the rest is filler of any digits. */
export const QSID = wholeQuery("QSID", {
  title: "Long serial number",
  source: "notes §8.3",
  cadence: "once",
  codec: {
    shape: "NN + 20 characters",
    decode(raw) {
      const match = /^(\d{2})([0-9A-Za-z]{20})$/.exec(raw);
      const length = Number(match?.[1]);
      return match && length >= 1 && length <= 20 ? { serialNumber: match[2]!.slice(0, length) } : undefined;
    },
    encode: ({ serialNumber }) => String(serialNumber.length).padStart(2, "0") + serialNumber.padEnd(20, "0"),
  } satisfies Codec<{ serialNumber: string }>,
  names: ["serialNumber"],
});

/** The digits are hexadecimal: five for the firmware series, two for the version. Documents print a space behind the colon. */
const versionOf = (raw: string, prefix: string): string | undefined =>
  raw.startsWith(`${prefix}:`) ? /^ ?([0-9A-Fa-f]{5}\.[0-9A-Fa-f]{2})$/.exec(raw.slice(prefix.length + 1))?.[1] : undefined;

export const QVFW = wholeQuery("QVFW", {
  title: "Main firmware version",
  source: "notes §8.4",
  cadence: "once",
  codec: {
    shape: "VERFW:NNNNN.NN",
    decode(raw) {
      const firmwareVersion = versionOf(raw, "VERFW");
      return firmwareVersion === undefined ? undefined : { firmwareVersion };
    },
    encode: ({ firmwareVersion }) => `VERFW:${firmwareVersion}`,
  } satisfies Codec<{ firmwareVersion: string }>,
  names: ["firmwareVersion"],
});

/** What a unit sends in place of the version of a part that it does not have. */
const noVersion = "00000.00";

/** The version of another part; which one, the prefix of the reply tells. The first prefix is sent where there is none. */
function partVersion<const Names extends readonly string[]>(
  ...parts: { readonly [I in keyof Names]: readonly [prefix: string, name: Names[I]] }
) {
  type Versions = { readonly [K in Names[number]]?: string };
  const codec: Codec<Versions> = {
    shape: parts.map(([prefix]) => `${prefix}:NNNNN.NN`).join(" or "),
    decode(raw) {
      for (const [prefix, name] of parts) {
        const version = versionOf(raw, prefix);
        if (version !== undefined) return (version === noVersion ? {} : { [name]: version }) as Versions;
      }
      return undefined;
    },
    encode(versions: { readonly [name: string]: unknown }) {
      const [prefix, name] = parts.find(([, each]) => versions[each] !== undefined) ?? parts[0]!;
      return `${prefix}:${(versions[name] as string | undefined) ?? noVersion}`;
    },
  };
  return { codec, names: [], optional: parts.map(([, name]) => name) as readonly Names[number][] };
}

export const QVFW2 = wholeQuery("QVFW2", {
  title: "Firmware version of the second processor",
  source: "notes §8.4; solar charger 1 in D15; 00000.00 for none",
  cadence: "once",
  ...partVersion(["VERFW2", "secondFirmwareVersion"]),
});

export const QVFW3 = wholeQuery("QVFW3", {
  title: "Firmware version of solar charger 2, or of the remote panel",
  source: "notes §8.4, §12: the prefix tells which",
  cadence: "once",
  shape: "QVFW",
  ...partVersion(["VERFW", "panelFirmwareVersion"], ["VERFW3", "scc2FirmwareVersion"]),
});

export const QVFW4 = wholeQuery("QVFW4", {
  title: "Firmware version of solar charger 3",
  source: "notes §8.4; D15",
  cadence: "onDemand",
  ...partVersion(["VERFW4", "scc3FirmwareVersion"]),
});

/** The colon is part of the command. */
export const VERFW = wholeQuery("VERFW:", {
  title: "Firmware version of the Bluetooth module",
  source: "notes §8.4",
  cadence: "onDemand",
  shape: "QVFW",
  ...partVersion(["VERFW", "bluetoothFirmwareVersion"]),
});

/**
 * Mostly `MMMMM-NNNN`. Without the rating it is any word with a letter in it that is no answer to another question: no
 * protocol (`PI30`), version, option flags, mode (one letter) or serial number.
 */
const nameOfModel = new RegExp(
  [/^[!-~]{1,20}-\d{4,5}$/, /^(?=.*[A-Za-z])(?!PI\d|VERFW|NAK|ACK|E[a-z]*D[a-z]*$|(?=\D*\d)[0-9A-Za-z]{10,22}$)[A-Za-z0-9][!-~]{2,24}$/]
    .map(({ source }) => source)
    .join("|"),
);

export const QMN = query("QMN", {
  title: "Model name",
  source: "notes §8.5: model, hyphen, rated VA; some send no rating",
  cadence: "once",
  layouts: [layout([1, 1], [field(metric.modelName, text("MMMMM-NNNN", nameOfModel))])],
});

export const QGMN = query("QGMN", {
  title: "General model number",
  source: "notes §8.5",
  cadence: "once",
  shape: "numbers",
  layouts: [layout([1, 1], [field(metric.modelNumber, text("NNN", /^\d{3}$/))])],
});
