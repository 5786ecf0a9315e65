import { metric } from "../../model/metric.ts";
import { layout, query, wholeQuery } from "../command.ts";
import { field, text, type Codec } from "../field.ts";

export const QPI = query("QPI", {
  title: "Protocol id",
  source: "notes §8.1",
  cadence: "once",
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
export const QVFW = wholeQuery("QVFW", {
  title: "Main firmware version",
  source: "notes §8.4",
  cadence: "once",
  codec: {
    shape: "VERFW:NNNNN.NN",
    decode(raw) {
      const match = /^VERFW: ?([0-9A-Fa-f]{5}\.[0-9A-Fa-f]{2})$/.exec(raw);
      return match ? { firmwareVersion: match[1]! } : undefined;
    },
    encode: ({ firmwareVersion }) => `VERFW:${firmwareVersion}`,
  } satisfies Codec<{ firmwareVersion: string }>,
  names: ["firmwareVersion"],
});

export const QMN = query("QMN", {
  title: "Model name",
  source: "notes §8.5: model, hyphen, rated VA",
  cadence: "once",
  layouts: [layout([1, 1], [field(metric.modelName, text("MMMMM-NNNN", /^[!-~]{1,20}-\d{4,5}$/))])],
});

export const QGMN = query("QGMN", {
  title: "General model number",
  source: "notes §8.5",
  cadence: "once",
  shape: "numbers",
  layouts: [layout([1, 1], [field(metric.modelNumber, text("NNN", /^\d{3}$/))])],
});
