import type { Values } from "../model/reading.ts";
import type { Query } from "../protocol/command.ts";
import { outputModes } from "../protocol/pi30/choices.ts";
import { QPGSn } from "../protocol/pi30/parallel.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { fillForm, readForm } from "./form.ts";
import type { Profile } from "./profile.ts";
import { ratingsOf, type Ratings } from "./ratings.ts";

export interface MemberOptions {
  readonly profile: Profile;
  /** 0 for the first. */
  readonly index: number;
  /** Phase it feeds in a system of three (1 to 3), or of two (1, 2); absent for a single phase. */
  readonly phase?: { readonly number: number; readonly of: 2 | 3 } | undefined;
  /** Whether it works together with others. */
  readonly parallel?: boolean | undefined;
  readonly serialNumber: string;
  /** Does not know QPGSn and QP2GSn. */
  readonly withoutParallelQuery?: boolean | undefined;
  /** Values of QPIRI that differ from the profile's. */
  readonly setTo?: Values | undefined;
}

/** One unit of the simulated system as its processor knows it: who it is and what it is set to. */
export class Member {
  readonly profile: Profile;
  readonly index: number;
  readonly serialNumber: string;
  /** ms that its clock is ahead of the local time. */
  clockAheadMs = 0;
  /** False while it is switched off: it says nothing and gives nothing. */
  powered = true;
  readonly #payloads: Map<string, string>;
  /** What it has in it, for others tell it, but does not answer itself. */
  readonly #unknown: readonly string[];

  constructor({ profile, index, phase, parallel = false, serialNumber, withoutParallelQuery = false, setTo = {} }: MemberOptions) {
    this.profile = profile;
    this.index = index;
    this.serialNumber = serialNumber;
    this.#unknown = withoutParallelQuery ? ["QPGSn", "QP2GSn"] : [];
    this.#payloads = new Map(Object.entries(profile.replies));
    const outputMode = outputModeOf(phase, parallel);
    this.change(QPIRI, { ...(outputMode && { outputMode }), ...setTo });
    if (this.#payloads.has("QOPM")) this.#payloads.set("QOPM", `0${outputModes.encode(this.outputMode)}`);
  }

  /** What it answers as far as its processor alone decides it; absent for a command that it does not know. */
  payload(code: string): string | undefined {
    return this.#unknown.includes(code) ? undefined : this.#payloads.get(code);
  }

  /** What it shows in answer to this query, as far as its settings go. */
  shown(query: Query): Values {
    const shown = readForm(query, this.#payloads.get(query.code) ?? "");
    if (query.code !== QPGSn.code) return shown;
    // The record of a parallel unit repeats some of its settings.
    return { ...shown, ...Object.fromEntries(Object.entries(this.shown(QPIRI)).filter(([name]) => name in shown)) };
  }

  /** Shows these values from now on, where it has a place for them. */
  change(query: Query, values: Values): void {
    const form = this.#payloads.get(query.code);
    if (form !== undefined) this.#payloads.set(query.code, fillForm(query, form, values));
  }

  get outputMode(): Parameters<typeof outputModes.encode>[0] {
    const { outputMode } = this.shown(QPIRI);
    return typeof outputMode === "string" ? (outputMode as Parameters<typeof outputModes.encode>[0]) : "single";
  }

  /** What the physics goes by. */
  get ratings(): Ratings {
    return ratingsOf(this.profile, this.shown(QPIRI), this.#payloads.get("QBATCD"));
  }
}

function outputModeOf(phase: MemberOptions["phase"], parallel: boolean): Parameters<typeof outputModes.encode>[0] | undefined {
  if (phase === undefined) return parallel ? "parallel" : undefined;
  if (phase.of === 2) return phase.number === 1 ? "phase1Of2" : "phase2Of2At180";
  return (["phase1Of3", "phase2Of3", "phase3Of3"] as const)[phase.number - 1];
}
