import { wholeQuery } from "../command.ts";
import type { Codec } from "../field.ts";

function currents<Name extends string>(name: Name): Codec<Record<Name, readonly number[]>> {
  return {
    shape: "three-digit currents in A, separated by spaces",
    decode(raw) {
      const trimmed = raw.trimEnd();
      return /^\d{3}( \d{3})*$/.test(trimmed) ? (Object.fromEntries([[name, trimmed.split(" ").map(Number)]]) as Record<Name, readonly number[]>) : undefined;
    },
    encode: (values) => values[name].map((current) => String(current).padStart(3, "0")).join(" "),
  };
}

export const QMCHGCR = wholeQuery("QMCHGCR", {
  title: "Selectable charge currents",
  source: "notes §8.14",
  cadence: "once",
  shape: "numbers",
  codec: currents("selectableChargeCurrents"),
});

export const QMUCHGCR = wholeQuery("QMUCHGCR", {
  title: "Selectable AC charge currents",
  source: "notes §8.14",
  cadence: "once",
  shape: "numbers",
  codec: currents("selectableAcChargeCurrents"),
});
