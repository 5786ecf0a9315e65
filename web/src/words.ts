import type { MetricGroup } from "../../src/model/metric.ts";
import type { LinkStatus, RejectReason } from "../../src/model/reading.ts";

const acronyms = new Set(["ac", "dc", "pv", "lcd", "eeprom", "mppt", "scc", "ups", "sbu", "agm", "bak", "lib", "lic", "l2"]);

/** `utilityFirst` → `Utility first`, `pv2VoltageHigh` → `PV2 voltage high`, `phase1Of3` → `Phase 1 of 3`. */
export function toWords(name: string): string {
  const words = [...name.matchAll(/([A-Z]?[a-z]+|[A-Z]+|[^A-Za-z0-9]+)?(\d*)/g)].flatMap(([whole, letters = "", digits = ""]) => {
    if (whole === "") return [];
    const lower = letters.toLowerCase();
    if (acronyms.has(lower)) return [lower.toUpperCase() + digits];
    // Bit names such as b7 stay as the papers print them.
    return letters.length === 1 || digits === "" || letters === "" ? [lower + digits] : [lower, digits];
  });
  const text = words
    .join(" ")
    .replace(/ ?([:,]) ?/g, "$1 ")
    .trim();
  return /^[a-z]\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

export const groupTitles: Readonly<Record<MetricGroup, string>> = {
  pv: "Solar",
  battery: "Battery",
  grid: "Grid",
  output: "Output",
  inverter: "Inverter",
  settings: "Settings",
  identity: "Ratings and identity",
};

export const linkWords: Readonly<Record<LinkStatus["state"], string>> = {
  starting: "Connecting to the inverter",
  online: "Online",
  silent: "Inverter does not answer",
  lost: "Link to the inverter lost",
};

export const reasonWords: Readonly<Record<RejectReason, { readonly label: string; readonly meaning: string }>> = {
  timeout: { label: "No answer", meaning: "The inverter sent no whole answer in time." },
  truncated: { label: "Cut short", meaning: "An answer began but its end never came." },
  checksum: { label: "Wrong checksum", meaning: "The answer was damaged on the way; its checksum does not fit." },
  noise: { label: "Noise", meaning: "Bytes that belong to no answer." },
  echo: { label: "Echo", meaning: "Our own question came back; the cable or adapter repeats what is sent." },
  foreign: { label: "Other answer", meaning: "A good answer, but to another question. Perhaps another program uses the port." },
  stale: { label: "Old answer", meaning: "An answer left over in a buffer arrived in place of the new one; it was thrown away." },
  late: { label: "Late", meaning: "The answer came after its time was up." },
  nak: { label: "Not supported", meaning: "The inverter does not know this command." },
  malformed: { label: "Unreadable field", meaning: "The checksum fits, but a field does not have its documented form." },
};
