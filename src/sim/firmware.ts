import { RefusedError } from "../model/errors.ts";
import type { Values } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import { matchChecksum } from "../protocol/crc.ts";
import { encodePayload, encodeReply } from "../protocol/encode.ts";
import { latin1 } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import {
  olderStatusOf,
  outputModeOf,
  parallelOf,
  secondStatusOf,
  serialNumberOf,
  shortWarningsOf,
  statusOf,
  warningsOf,
  type Unit,
} from "./answers.ts";
import { max8kwDefaults, options, selectableAcChargeCurrents, selectableChargeCurrents } from "./ratings.ts";
import type { Replay } from "./replay.ts";

/**
 * Whose replies are imitated. `max`: 8 kW MAX, 21 fields in QPIGS, 3 in QPIGS2, 28 in QPIRI, 29 in QPGS, 36 warnings.
 * `king`: 5 kW KING, no QPIGS2, 26 fields in QPIRI, 27 in QPGS, 32 warnings.
 */
export type Model = "max" | "king";

export interface FirmwareOptions {
  readonly unit: Unit;
  readonly model?: Model | undefined;
  /** Answers QPIGS in place of the model. */
  readonly replay?: Replay | undefined;
  /** What a command it does not know, or a wrong request checksum, brings: real units differ. */
  readonly refusal?: "nak" | "silence" | undefined;
  /** Whether a request may carry 01 for a 00 checksum byte. */
  readonly acceptsZeroBumped?: boolean | undefined;
}

/** What the unit made of a request. */
export interface FirmwareAnswer {
  /** The command as understood; empty when the request was unreadable. */
  readonly command: string;
  /** The reply frame; absent when the unit keeps silent. */
  readonly reply: Uint8Array | undefined;
}

export const nakFrame = encodePayload("NAK");

/** The unit's processor: takes a request as it came off the wire and answers through the catalogue. */
export class Firmware {
  readonly #unit: Unit;
  readonly #king: boolean;
  readonly #replay: Replay | undefined;
  readonly #refusal: Uint8Array | undefined;
  readonly #acceptsZeroBumped: boolean;

  constructor({ unit, model = "max", replay, refusal = "nak", acceptsZeroBumped = true }: FirmwareOptions) {
    this.#unit = unit;
    this.#king = model === "king";
    this.#replay = replay;
    this.#refusal = refusal === "nak" ? nakFrame : undefined;
    this.#acceptsZeroBumped = acceptsZeroBumped;
  }

  /** Answers the bytes of one request, CR included. */
  answer(bytes: Uint8Array): FirmwareAnswer {
    // Zero bytes in front are the padding of the USB report before.
    const start = bytes.findIndex((byte) => byte !== 0);
    const end = bytes.length - 3;
    if (start < 0 || end <= start) return { command: "", reply: this.#refusal };
    const habit = matchChecksum(bytes, start, end, bytes[end] ?? 0, bytes[end + 1] ?? 0);
    const command = latin1(bytes, start, end);
    if (habit === undefined || (habit === "zeroBumped" && !this.#acceptsZeroBumped)) return { command: "", reply: this.#refusal };
    const payload = this.#payload(command);
    return { command, reply: payload === undefined ? this.#refusal : encodePayload(payload) };
  }

  #payload(command: string): string | undefined {
    if (command === "QPIGS" && this.#replay !== undefined) return this.#replay.next();
    const request = requestOf(command);
    const values = request && this.#values(request);
    if (request === undefined || values === undefined) return undefined;
    const payload = encodeReply(request.query, values);
    // The space behind QPIGS2 is part of the payload on every MAX.
    return command === "QPIGS2" ? `${payload} ` : payload;
  }

  #values({ query, command }: Request): Values | undefined {
    const unit = this.#unit;
    const { ratings } = unit.inverter;
    switch (query.code) {
      case "QPIGS":
        return this.#king ? olderStatusOf(unit) : statusOf(unit);
      case "QPIGS2":
        return this.#king ? undefined : secondStatusOf(unit);
      case "QMOD":
        return { operatingMode: unit.inverter.mode };
      case "QPIWS":
        return this.#king ? shortWarningsOf(unit) : warningsOf(unit);
      case "QPGSn": {
        const record = parallelOf(unit, Number(command.slice(-1)));
        return this.#king ? without(record, ["pv2Voltage", "pv2Current"]) : record;
      }
      case "QPIRI": {
        const shown = { ...ratings, outputMode: outputModeOf(unit) };
        return this.#king ? without(shown, ["operationLogic", "maxDischargeCurrent"]) : shown;
      }
      case "QFLAG":
        return { enabledFlags: options.enabled, disabledFlags: options.disabled };
      case "QPI":
        return { protocolId: "PI30" };
      case "QID":
      case "QSID":
        return { serialNumber: serialNumberOf(unit.index) };
      case "QVFW":
        return { firmwareVersion: "00079.70" };
      case "QMN":
        return { modelName: `${this.#king ? "KING" : "MAX"}-${ratings.ratedApparentPower}` };
      case "QGMN":
        return { modelNumber: this.#king ? "023" : "044" };
      case "QDI":
        return max8kwDefaults;
      case "QMCHGCR":
        return { selectableChargeCurrents };
      case "QMUCHGCR":
        return { selectableAcChargeCurrents };
      default:
        return undefined;
    }
  }
}

function without(values: Values, names: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}

/** Absent for a command that is not in the catalogue; the firmware's commands are upper case only. */
function requestOf(command: string): Request | undefined {
  if (command !== command.toUpperCase()) return undefined;
  try {
    return findRequest(command);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
