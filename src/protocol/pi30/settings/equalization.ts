import { metric, type Metric } from "../../../model/metric.ts";
import type { Allowed } from "../../../model/setting.ts";
import type { Setting } from "../../setting.ts";
import { QBEQI } from "../battery.ts";
import { QPIRI } from "../ratings.ts";
import { amountSetting, called, locked, switchSetting, type Declaration } from "./kinds.ts";
import { equalizable, equalizationPapers } from "./voltages.ts";

const common = {
  topic: "equalization",
  source: "notes §9.4",
  papers: equalizationPapers,
} as const satisfies Partial<Declaration>;

const minutes: Allowed = { kind: "range", min: 5, max: 900, step: 5 };

function schedule(of: Metric, allowed: Allowed, declaration: Pick<Declaration, "code" | "explanation" | "lcdProgram">): Setting {
  return amountSetting(
    called(of),
    { ...common, level: "everyday", ...declaration },
    { query: QBEQI, key: of.key, width: 3, digits: 0, values: () => allowed },
  );
}

export const equalizationSettings: readonly Setting[] = [
  switchSetting(
    called(metric.equalizationEnabled),
    {
      ...common,
      code: "PBEQE",
      explanation: "Charges the battery strongly from time to time, which only flooded lead batteries may get. Never for lithium.",
      level: "expert",
      confirm: "equalization",
      lcdProgram: 30,
      needs: [QPIRI],
      locked: equalizable,
    },
    { query: QBEQI, key: metric.equalizationEnabled.key },
  ),
  schedule(metric.equalizationTime, minutes, { code: "PBEQT", explanation: "How long an equalization lasts.", lcdProgram: 33 }),
  schedule(metric.equalizationTimeout, minutes, {
    code: "PBEQOT",
    explanation: "After this time an equalization ends, even if the battery did not reach its voltage for long enough.",
    lcdProgram: 34,
  }),
  schedule(
    metric.equalizationPeriod,
    { kind: "range", min: 0, max: 90, step: 1 },
    { code: "PBEQP", explanation: "Days from one equalization to the next.", lcdProgram: 35 },
  ),
  switchSetting(
    called(metric.equalizationActive),
    {
      ...common,
      code: "PBEQA",
      explanation: "Starts an equalization now, or stops the one that is going on.",
      level: "expert",
      confirm: "equalization",
      lcdProgram: 36,
      needs: [QPIRI],
      locked: (facts) =>
        equalizable(facts) ??
        (facts.values[metric.equalizationEnabled.key] === false && facts.values[metric.equalizationActive.key] === false
          ? locked("equalization is switched off: enable it first")
          : undefined),
    },
    { query: QBEQI, key: metric.equalizationActive.key },
  ),
];
