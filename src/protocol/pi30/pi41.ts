import { metric } from "../../model/metric.ts";
import type { Slot, Layout, Query } from "../command.ts";
import { field, unexplained, type Field } from "../field.ts";
import { splitPhaseModes, splitPhaseModesOfTwoDigits } from "./choices.ts";
import { pi30 } from "./dialect.ts";
import { QOPM } from "./extras.ts";
import { QPGSn, unitStatuses } from "./parallel.ts";
import { QDI, QPIRI } from "./ratings.ts";
import { QPIGS } from "./status.ts";

/** The same query with other meanings at some places of its fields. */
function altered(query: Query, places: Readonly<Record<string, Field>>): Query {
  const alter = (slot: Slot): Slot => {
    const [first] = "name" in slot ? [slot] : slot;
    return (first && places[first.name]) ?? slot;
  };
  return { ...query, layouts: query.layouts.map((layout): Layout => ({ ...layout, fields: layout.fields.map(alter) })) };
}

const outputMode = field(metric.outputMode, splitPhaseModes);

/** What split-phase units (LV5048) mean differently; QPIGS is their first phase. Source: PI41 notes §3. */
const differences: readonly Query[] = [
  altered(
    { ...QPIGS, layouts: QPIGS.layouts.filter(({ where }) => where === undefined) },
    {
      [metric.deviceStatus.key]: field(metric.unitStatus, unitStatuses),
      [metric.fanOffsetVoltage.key]: unexplained(17),
      [metric.eepromVersion.key]: unexplained(18),
    },
  ),
  altered(QPIRI, { [metric.outputMode.key]: outputMode }),
  altered(QDI, { [metric.outputMode.key]: outputMode }),
  altered(QPGSn, { [metric.outputMode.key]: outputMode }),
  altered(QOPM, { [metric.outputMode.key]: field(metric.outputMode, splitPhaseModesOfTwoDigits) }),
];

/** Every inquiry of PI41: those of PI30, a few of them with other meanings. */
export const pi41: readonly Query[] = pi30.map((query) => differences.find(({ code }) => code === query.code) ?? query);
