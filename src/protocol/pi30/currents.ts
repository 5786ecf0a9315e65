import { wholeQuery } from "../command.ts";
import type { Codec } from "../field.ts";

/** A list of any length, all under one name. */
function currents<V>(wrap: (amps: readonly number[]) => V, unwrap: (values: V) => readonly number[]): Codec<V> {
  return {
    shape: "three-digit currents in A, separated by spaces",
    decode(raw) {
      const trimmed = raw.replace(/ +$/, "");
      return /^\d{3}( \d{3})*$/.test(trimmed) ? wrap(trimmed.split(" ").map(Number)) : undefined;
    },
    encode: (values) =>
      unwrap(values)
        .map((current) => String(current).padStart(3, "0"))
        .join(" "),
  };
}

export const QMCHGCR = wholeQuery("QMCHGCR", {
  title: "Selectable charge currents",
  source: "notes §8.14",
  cadence: "once",
  shape: "numbers",
  codec: currents(
    (selectableChargeCurrents) => ({ selectableChargeCurrents }),
    (values) => values.selectableChargeCurrents,
  ),
  names: ["selectableChargeCurrents"],
});

export const QMUCHGCR = wholeQuery("QMUCHGCR", {
  title: "Selectable AC charge currents",
  source: "notes §8.14",
  cadence: "once",
  shape: "numbers",
  codec: currents(
    (selectableAcChargeCurrents) => ({ selectableAcChargeCurrents }),
    (values) => values.selectableAcChargeCurrents,
  ),
  names: ["selectableAcChargeCurrents"],
});

export const QMSCHGCR = wholeQuery("QMSCHGCR", {
  title: "Selectable solar charge currents",
  source: "notes §8.14; D15",
  cadence: "once",
  shape: "numbers",
  codec: currents(
    (selectableSolarChargeCurrents) => ({ selectableSolarChargeCurrents }),
    (values) => values.selectableSolarChargeCurrents,
  ),
  names: ["selectableSolarChargeCurrents"],
});
