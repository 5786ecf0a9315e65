import { metric } from "../model/metric.ts";
import type { Values } from "../model/reading.ts";

/** Whether this program can read a unit that calls itself so; an unknown number is reported, never guessed. */
export type Dialect = { readonly known: true; readonly protocol: "PI30" } | { readonly known: false; readonly reason: string };

/**
 * A unit that refuses `QPI` may speak PI30 all the same: the papers of Revo and LV5048 do not have that question. Its
 * answers to `QPIGS` and `QPIGS2` tell; absent where it did not answer.
 */
export function identifyByStatus(status: Values | undefined, second: Values | undefined): Dialect {
  // The flags are the last of 17 fields.
  if (status === undefined || !(metric.deviceStatus.key in status)) return identify({});
  if (second === undefined || !(metric.l2OutputVoltage.key in second)) return { known: true, protocol: "PI30" };
  return {
    known: false,
    reason:
      "expected a unit of one phase, got a refusal of QPI and a second phase in QPIGS2: this looks like PI41 (LV5048 and relatives), in which modes and flags mean something else; it is not supported",
  };
}

/** Reads the answer to `QPI`. */
export function identify(values: Values): Dialect {
  const protocol = values["protocolId"];
  if (protocol === "PI30") return { known: true, protocol };
  if (protocol === undefined)
    return {
      known: false,
      reason:
        "expected a unit that answers PI30 to QPI, got a refusal: a unit of another protocol, or not an inverter; it is not supported",
    };
  return {
    known: false,
    reason: `expected a unit that answers PI30 to QPI, got ${JSON.stringify(protocol)}: this protocol is not supported`,
  };
}

/** Such as `55355535553555` of the clones: no more than two different digits. It does not tell units apart. */
export function isSharedSerialNumber(serialNumber: string | undefined): boolean {
  return serialNumber !== undefined && new Set(serialNumber).size <= 2;
}
