import type { LinkReport } from "../api/link.ts";
import type { CardDocument } from "../model/card.ts";
import type { InverterInfo } from "../model/reading.ts";
import { captureLineOf, type CaptureHeader } from "../session/capture.ts";
import type { Clock } from "../session/clock.ts";
import type { DiagnosisSource } from "../server/diagnosis.ts";
import { deviceKindOf, makeBundle, packBundle, type BundledInverter } from "./bundle.ts";
import type { Config } from "./config.ts";
import type { LinkRecorder } from "./link-recorder.ts";

interface DiagnosedInverter {
  readonly info: InverterInfo;
  readonly link: LinkReport;
  readonly recorder: LinkRecorder;
  /** Absent until the unit was probed. */
  readonly card?: CardDocument | undefined;
}

export interface DiagnosisOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly config: Config;
  readonly inverters: () => readonly DiagnosedInverter[];
  readonly log: { readonly lines: readonly string[] };
}

/** What the program can tell of its links and of itself when something is wrong. */
export class Diagnosis implements DiagnosisSource {
  readonly #options: DiagnosisOptions;

  constructor(options: DiagnosisOptions) {
    this.#options = options;
  }

  link(inverter: string): LinkReport | undefined {
    return this.#find(inverter)?.link;
  }

  traffic(inverter: string, send: (line: string) => void): (() => void) | undefined {
    const found = this.#find(inverter);
    if (found === undefined) return undefined;
    const { clock, version } = this.#options;
    return sendTraffic(found.recorder, { version, device: found.info.device, clock }, send);
  }

  async bundle(): Promise<Uint8Array<ArrayBuffer>> {
    const { version, clock, config, inverters, log } = this.#options;
    const trafficEpoch = clock.now() - clock.monotonic();
    const parts = inverters().map((each): BundledInverter => {
      const { recent, statuses } = each.recorder;
      return { info: each.info, card: each.card, link: each.link, statuses, traffic: recent, trafficEpoch };
    });
    return await packBundle(makeBundle({ version, now: clock.now(), config, inverters: parts, log: log.lines }));
  }

  #find(id: string): DiagnosedInverter | undefined {
    return this.#options.inverters().find(({ info }) => info.id === id);
  }
}

interface Recording {
  readonly version: string;
  /** The device URL, of which only the kind is told. */
  readonly device: string;
  readonly clock: Clock;
}

/** Sends what crosses from now on as lines of a capture, the header first, until the returned function is called. */
export function sendTraffic(recorder: LinkRecorder, { version, device, clock }: Recording, send: (line: string) => void): () => void {
  const startMs = clock.monotonic();
  const { wire } = recorder;
  const header: CaptureHeader = {
    format: "sonkrag-capture",
    version: 1,
    program: version,
    startedAt: new Date(clock.now()).toISOString(),
    device: deviceKindOf(device),
    ...(wire !== undefined && { wire }),
  };
  send(`${JSON.stringify(header)}\n`);
  return recorder.listen((event) => send(`${JSON.stringify(captureLineOf(event, startMs))}\n`));
}
