import { RefusedError } from "../model/errors.ts";
import type { Values } from "../model/reading.ts";
import type { Request } from "../protocol/command.ts";
import { matchChecksum } from "../protocol/crc.ts";
import { encodePayload, encodeReply } from "../protocol/encode.ts";
import { latin1 } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { outputModeOf, parallelOf, secondStatusOf, serialNumberOf, statusOf, warningsOf, type Unit } from "./answers.ts";
import { max8kwDefaults, options, selectableAcChargeCurrents, selectableChargeCurrents } from "./ratings.ts";
import type { Replay } from "./replay.ts";

export interface FirmwareOptions {
  readonly unit: Unit;
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
  readonly #replay: Replay | undefined;
  readonly #refusal: Uint8Array | undefined;
  readonly #acceptsZeroBumped: boolean;

  constructor({ unit, replay, refusal = "nak", acceptsZeroBumped = true }: FirmwareOptions) {
    this.#unit = unit;
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
        return statusOf(unit);
      case "QPIGS2":
        return secondStatusOf(unit);
      case "QMOD":
        return { operatingMode: unit.inverter.mode };
      case "QPIWS":
        return warningsOf(unit);
      case "QPGSn":
        return parallelOf(unit, Number(command.slice(-1)));
      case "QPIRI":
        return { ...ratings, outputMode: outputModeOf(unit) };
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
        return { modelName: `MAX-${ratings.ratedApparentPower}` };
      case "QGMN":
        return { modelNumber: "044" };
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
