import { metric } from "../../model/metric.ts";
import { layout, query, type Condition } from "../command.ts";
import { choice, decimal, field, int } from "../field.ts";

const bmsConditions = choice({
  none: "0",
  overVoltage: "1",
  lowVoltage: "2",
  overTemperature: "3",
  lowTemperature: "4",
  overCurrent: "5",
  shortCircuit: "6",
});

const places: readonly Condition[] = [
  { index: 4, matches: /^0000$/ },
  { index: 12, matches: /^\d{4}$/ },
  { index: 17, matches: /^00$/ },
  { index: 18, matches: /^00$/ },
  { index: 20, matches: /^010$/ },
];

/**
 * Revo says PI30 but means other things by its QPIGS. Some places are constant there; and what tells it is one of watts
 * without volt-amperes, of 200 A and more from the sun, or of 1,000 A and more out of the battery, which no unit has.
 */
export const revoSigns: readonly (readonly Condition[])[] = [
  { index: 5, matches: /^(00[1-9]\d|0[1-9]\d{2}|[1-9]\d{3})$/ },
  { index: 12, matches: /^(0[2-9]|[1-9]\d)\d{2}$/ },
  { index: 15, matches: /^(0[1-9]|[1-9]\d)\d{3}$/ },
].map((sign) => [...places, sign]);

/** The same as patterns of the whole payload. */
export const revoPayloads: readonly RegExp[] = revoSigns.map((conditions) => {
  const texts = Array.from({ length: 21 }, (_, place) => conditions.findLast(({ index }) => index === place)?.matches.source.slice(1, -1));
  return new RegExp(`^${texts.map((text) => text ?? "\\S+").join(" ")}$`);
});

/** A value under another name; null where the place is reserved. */
export type Renamed = Readonly<Record<string, string | null>>;

const reserved = [
  // QPIGS, while a Revo gives too little to a load to be told from other units; and what is worked out from it.
  metric.loadApparentPower,
  metric.scc1BatteryVoltage,
  metric.fanOffsetVoltage,
  metric.eepromVersion,
  metric.chargeStatus,
  metric.batteryCurrent,
  metric.batteryPower,
  // QPIRI, whose field 8 is an alarm there.
  metric.ratedGridVoltage,
  metric.ratedGridCurrent,
  metric.ratedOutputVoltage,
  metric.ratedOutputFrequency,
  metric.ratedOutputCurrent,
  metric.batteryRechargeVoltage,
  metric.maxChargeCurrent,
  metric.inputVoltageRange,
  metric.outputSourcePriority,
  metric.chargerSourcePriority,
  metric.maxParallelUnits,
  metric.machineType,
  metric.topology,
  metric.outputMode,
  metric.batteryRedischargeVoltage,
  metric.pvOkCondition,
  metric.pvPowerBalance,
];

/** What a Revo means by the places of QPIGS and QPIRI; source: notes §13.2. */
export const meantByRevo: Renamed = {
  ...Object.fromEntries(reserved.map(({ key }) => [key, null])),
  [metric.pvChargeCurrent.key]: metric.pv1Power.key,
  [metric.batteryDischargeCurrent.key]: metric.pvEnergyOfDay.key,
  [metric.maxAcChargeCurrent.key]: metric.maxChargeCurrent.key,
};

/** Revo is only recognised; this is its one inquiry that is checked like those of PI30 and means nothing else there. */
export const QLITH0 = query("QLITH0", {
  title: "Lithium battery of a Revo",
  source: "notes §13.2; Revo",
  cadence: "onDemand",
  layouts: [
    layout(
      [12, 12],
      [
        field(metric.bmsVoltage, decimal(5, 1)),
        field(metric.bmsChargeCurrent, decimal(5, 1)),
        field(metric.bmsDischargeCurrent, decimal(5, 1)),
        field(metric.bmsTemperature, int(3)),
        field(metric.bmsSoc, int(3)),
        field(metric.bmsStateOfHealth, int(3)),
        field(metric.bmsMaxChargeCurrent, decimal(5, 1)),
        field(metric.bmsMaxDischargeCurrent, decimal(5, 1)),
        field(metric.bmsChargeVoltage, decimal(5, 1)),
        field(metric.bmsCutOffVoltage, decimal(5, 1)),
        field(metric.bmsFault, bmsConditions),
        field(metric.bmsWarning, bmsConditions),
      ],
    ),
  ],
});
