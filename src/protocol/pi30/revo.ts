import { metric } from "../../model/metric.ts";
import { layout, query } from "../command.ts";
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
