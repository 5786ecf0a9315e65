import type { LinkReport } from "../api/link.ts";
import type { CardDocument } from "../model/card.ts";
import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus } from "../model/reading.ts";
import { documentOf } from "../protocol/pi30/card.ts";
import type { Clock } from "../session/clock.ts";
import { Line } from "../session/line.ts";
import type { PlanItem } from "../session/poller.ts";
import { tapped } from "../session/traffic.ts";
import type { OpenTransport } from "../session/transport.ts";
import { Unit } from "../session/unit.ts";
import { isSimulated } from "../sim/answers.ts";
import { LinkRecorder } from "./link-recorder.ts";
import { linkReportOf } from "./link-report.ts";
import { together } from "./together.ts";

interface LoneUnitOptions {
  readonly open: OpenTransport;
  /** The device URL for people. */
  readonly device: string;
  readonly simulated: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly plan: readonly PlanItem[];
  /** Called with every state of the link. */
  readonly onStatus?: (status: LinkStatus) => void;
}

/** An inverter that is polled as by the program itself, while nothing is kept but what crosses the line. */
export class LoneUnit {
  readonly recorder: LinkRecorder;
  readonly #line: Line;
  readonly #unit: Unit;
  readonly #clock: Clock;
  #info: InverterInfo;

  constructor({ open, device, simulated, clock, logger, plan, onStatus }: LoneUnitOptions) {
    this.#info = { id: "inverter", device, simulated };
    this.#clock = clock;
    this.recorder = new LinkRecorder(clock);
    const told = (status: LinkStatus): void => {
      this.recorder.status(status);
      onStatus?.(status);
    };
    this.#line = new Line({
      open: tapped(open, clock, this.recorder.traffic),
      clock,
      logger,
      random: Math.random,
      onStatus: (status) => {
        told(status);
        this.#unit.linkChanged(status);
      },
    });
    this.#unit = new Unit({
      line: this.#line,
      clock,
      logger,
      plan,
      onIdentity: ({ serialNumber, model, firmware }) => {
        this.#info = {
          id: this.#info.id,
          device,
          simulated: simulated || isSimulated(serialNumber),
          ...(serialNumber !== undefined && { serialNumber }),
          ...(model !== undefined && { model }),
          ...(firmware !== undefined && { firmware }),
        };
        return this.#info.id;
      },
      onReading: () => undefined,
      onProblem: (message) => {
        if (this.recorder.statuses.at(-1)?.message !== message) told({ state: "silent", since: clock.now(), message });
      },
    });
  }

  get info(): InverterInfo {
    return this.#info;
  }

  /** Absent until it is known who is there. */
  get card(): CardDocument | undefined {
    return this.#unit.card && documentOf(this.#unit.card);
  }

  get link(): LinkReport {
    return linkReportOf(this.#info.id, this.#line, this.recorder, { now: this.#clock.now() });
  }

  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    await together([this.#line.run({ signal: stop }), this.#unit.run({ signal: stop })], failed);
  }
}
