import type { Values } from "../model/reading.ts";

/** Whether this program can read a unit that calls itself so; an unknown number is reported, never guessed. */
export type Dialect = { readonly known: true; readonly protocol: "PI30" } | { readonly known: false; readonly reason: string };

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
