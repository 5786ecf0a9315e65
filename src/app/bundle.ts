import { arch, cpus, release, totalmem } from "node:os";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { LinkReport } from "../api/link.ts";
import type { CardDocument } from "../model/card.ts";
import type { InverterInfo, LinkStatus } from "../model/reading.ts";
import { captureLineOf, type Capture } from "../session/capture.ts";
import type { TrafficEvent } from "../session/traffic.ts";
import type { Config } from "./config.ts";
import { Redactor } from "./redact.ts";

/** What goes into a diagnosis file about one inverter. */
export interface BundledInverter {
  readonly info: InverterInfo;
  readonly card: CardDocument | undefined;
  readonly link: LinkReport;
  /** Oldest first. */
  readonly statuses: readonly LinkStatus[];
  readonly traffic: readonly TrafficEvent[];
  /** UTC epoch ms at which the clock of `traffic` is 0. */
  readonly trafficEpoch: number;
}

export interface BundleParts {
  readonly version: string;
  /** UTC epoch ms. */
  readonly now: number;
  readonly config: Config;
  readonly inverters: readonly BundledInverter[];
  /** Log lines, oldest first. */
  readonly log: readonly string[];
}

/** The document of a diagnosis file; docs/diagnosis.md says what is in it. */
export interface Bundle {
  readonly format: "sonkrag-bundle";
  readonly version: 1;
  readonly madeAt: string;
  readonly program: Readonly<Record<string, string | number>>;
  readonly config: unknown;
  readonly inverters: readonly {
    readonly info: InverterInfo;
    readonly card?: CardDocument;
    readonly link: LinkReport;
    readonly statuses: readonly LinkStatus[];
    readonly traffic: Capture;
  }[];
  readonly log: readonly string[];
}

/** Puts everything together that a bug report needs, and takes out what tells whose it is. */
export function makeBundle({ version, now, config, inverters, log }: BundleParts): Bundle {
  const redactor = new Redactor();
  for (const { info, card, traffic } of inverters) {
    redactor.learnFromDocument([info, card]);
    redactor.learnFrom(traffic);
    redactor.learnHost(hostOf(info.device));
  }
  for (const { device } of config.inverters) redactor.learnHost(hostOf(device));
  redactor.learnHost(hostOf(config.mqtt.url));
  redactor.learnHost(hostOf(config.influx?.url));
  redactor.learnHost(config.http.host);
  const bundle = {
    format: "sonkrag-bundle",
    version: 1,
    madeAt: new Date(now).toISOString(),
    program: {
      version,
      node: process.version,
      platform: process.platform,
      release: release(),
      arch: arch(),
      cores: cpus().length,
      memoryMb: Math.round(totalmem() / 1_048_576),
      upSeconds: Math.round(process.uptime()),
    },
    config,
    inverters: inverters.map((inverter) => bundled(inverter, version, redactor)),
    log,
  };
  return redactor.value(bundle) as Bundle;
}

/** The file itself. */
export async function packBundle(bundle: Bundle): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await promisify(gzip)(JSON.stringify(bundle)));
}

function bundled(inverter: BundledInverter, version: string, redactor: Redactor): Bundle["inverters"][number] {
  const { info, card, link, statuses, traffic, trafficEpoch } = inverter;
  const startMs = traffic[0]?.at ?? 0;
  const header = {
    format: "sonkrag-capture",
    version: 1,
    program: version,
    startedAt: new Date(trafficEpoch + startMs).toISOString(),
    device: deviceKindOf(info.device),
  } as const;
  const lines = redactor.traffic(traffic).map((event) => captureLineOf(event, startMs));
  return { info, ...(card !== undefined && { card }), link, statuses, traffic: { header, lines } };
}

/** `hidraw`, `serial`, `tcp` or `sim`: what may be told of a device. */
export function deviceKindOf(device: string): string {
  return device.replace(/:.*$/, "");
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}
