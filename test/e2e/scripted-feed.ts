import type { LinkFinding } from "../../src/api/link.ts";
import type { InverterInfo, LinkCounters, LinkStatus, Reading, Values } from "../../src/model/reading.ts";
import { Notices } from "../../src/app/notices.ts";
import { LiveHub } from "../../src/server/live.ts";

/** What a test says about the inverter behind the page; every name left out keeps its plausible default. */
export interface Script {
  readonly load?: number;
  readonly pv?: number;
  readonly pv2?: number;
  readonly gridVoltage?: number;
  readonly chargeCurrent?: number;
  readonly dischargeCurrent?: number;
  readonly batteryVoltage?: number;
  readonly soc?: number;
  readonly mode?: string;
  readonly warnings?: readonly string[];
}

const fast: ReadonlySet<string> = new Set(["QPIGS", "QPIGS2", "QMOD"]);

/** Feeds a LiveHub by hand, in place of a session: the page is tested against exactly known values. */
export class ScriptedFeed {
  readonly hub: LiveHub;
  readonly #notices = new Notices();
  info: InverterInfo;
  counters: LinkCounters = {
    requests: 4812,
    accepted: 4790,
    rejected: { timeout: 9, truncated: 4, checksum: 6, noise: 3, echo: 0, foreign: 0, stale: 3, late: 0, nak: 0, malformed: 0 },
    reconnects: 1,
  };
  findings: readonly LinkFinding[] = [];

  /** Several inverters share the `hub` of the first. `staleAfterMs` is that of the fast commands; the others live for hours. */
  constructor(
    options: { readonly simulated?: boolean; readonly staleAfterMs?: number; readonly id?: string; readonly hub?: LiveHub } = {},
  ) {
    this.info = {
      id: options.id ?? "axpert-1",
      device: options.simulated === true ? "sim:" : "hidraw:/dev/hidraw0",
      simulated: options.simulated === true,
      serialNumber: "92931905106458",
      model: "VMIII-5000",
      firmware: "00072.70",
    };
    this.hub =
      options.hub ??
      new LiveHub({
        version: "0.1.0",
        timeZone: "Europe/Berlin",
        now: () => Date.now(),
        counters: () => this.counters,
        staleAfterMs: (_inverter, command) => (fast.has(command) ? (options.staleAfterMs ?? 600_000) : 3 * 3_600_000),
      });
  }

  status(state: LinkStatus["state"], message = "", since = Date.now()): void {
    this.hub.status({ state, since, message }, this.info);
  }

  send(
    command: string,
    values: Values,
    options: { readonly at?: number; readonly derived?: Values; readonly tail?: readonly string[] } = {},
  ): void {
    const { at = Date.now(), derived = {}, tail = [] } = options;
    const reading: Reading = { inverter: this.info.id, at, command, payload: "", values, derived, tail };
    this.hub.reading(this.#notices.added(reading, "max"), this.info);
  }

  general(script: Script = {}, at = Date.now()): void {
    const { load = 823, pv = 1240, gridVoltage = 229.4, chargeCurrent = 8, dischargeCurrent = 0, batteryVoltage = 52.4, soc = 85 } = script;
    const derived = {
      batteryCurrent: dischargeCurrent - chargeCurrent,
      batteryPower: Math.round(batteryVoltage * (dischargeCurrent - chargeCurrent)),
    };
    const values = {
      gridVoltage,
      gridFrequency: gridVoltage > 0 ? 50 : 0,
      outputVoltage: 230.1,
      outputFrequency: 50,
      loadApparentPower: Math.round(load * 1.08),
      loadActivePower: load,
      loadPercent: Math.round(load / 50),
      busVoltage: 398,
      batteryVoltage,
      batteryChargeCurrent: chargeCurrent,
      batterySoc: soc,
      heatSinkTemperature: 41,
      pv1Current: pv > 0 ? Math.round((pv / 312.5) * 10) / 10 : 0,
      pv1Voltage: pv > 0 ? 312.5 : 0,
      scc1BatteryVoltage: pv > 0 ? batteryVoltage : 0,
      batteryDischargeCurrent: dischargeCurrent,
      deviceStatus: ["loadOn", "charging", "solarCharging"],
      fanOffsetVoltage: 0,
      eepromVersion: "10",
      pv1Power: pv,
      chargeStatus: ["switchedOn"],
    };
    this.send("QPIGS", values, { at, derived });
  }

  /** One round of every command. */
  everything(script: Script = {}, at = Date.now()): void {
    this.send("QPI", { protocolId: "PI30" }, { at });
    this.send("QID", { serialNumber: "92931905106458" }, { at });
    this.send("QVFW", { firmwareVersion: "00072.70" }, { at });
    this.send("QMN", { modelName: "VMIII-5000" }, { at });
    this.send("QPIRI", ratings, { at, tail: ["000"] });
    this.send(
      "QFLAG",
      {
        enabledFlags: ["buzzer", "lcdReturnToDefault", "overloadRestart", "lcdBacklight"],
        disabledFlags: ["overloadBypass", "powerSaving"],
      },
      { at },
    );
    this.send("QMCHGCR", { selectableChargeCurrents: [10, 20, 30, 40, 50, 60, 70, 80] }, { at });
    this.send("QPIWS", { warnings: script.warnings ?? [], warningBits: "0".repeat(36) }, { at });
    this.send("QMOD", { operatingMode: script.mode ?? "line" }, { at });
    if (script.pv2 !== undefined) this.send("QPIGS2", { pv2Current: 2.1, pv2Voltage: 240.2, pv2Power: script.pv2 }, { at });
    this.general(script, at);
  }

  parallelUnits(at = Date.now()): void {
    this.send("QPGS0", { ...parallelUnit, serialNumber: "92931905106458", loadActivePower: 323 }, { at });
    this.send("QPGS1", { ...parallelUnit, serialNumber: "92931905106463", loadActivePower: 437, faultCode: "00" }, { at });
  }

  /** Fills the plot with a day's morning: sun, clouds, a cooker, an outage of the link. */
  history(hours: number, until = Date.now()): void {
    const start = until - hours * 3_600_000;
    for (let at = start; at <= until; at += 5_000) {
      const minute = (at - start) / 60_000;
      const part = (at - start) / (until - start);
      if (part > 0.55 && part < 0.6) continue;
      this.general(morning(minute, part), at);
    }
  }
}

function morning(minute: number, part: number): Script {
  const cloud = 0.72 + 0.28 * Math.sin(minute / 7) * Math.sin(minute / 2.3);
  const pv = Math.max(0, Math.round(2900 * Math.sin(Math.PI * (0.06 + 0.5 * part)) * cloud));
  const cooker = part > 0.3 && part < 0.36 ? 1800 : 0;
  const fridge = minute % 42 < 13 ? 110 : 0;
  const load = Math.round(310 + fridge + cooker + 30 * Math.sin(minute / 1.7));
  const amps = Math.round((pv - load) / 52);
  return {
    load,
    pv,
    chargeCurrent: Math.max(0, amps),
    dischargeCurrent: Math.max(0, -amps),
    batteryVoltage: Math.round((50.6 + 2.2 * part + amps * 0.015) * 10) / 10,
    soc: Math.round(52 + 36 * part),
    gridVoltage: Math.round((229 + 2 * Math.sin(minute / 11)) * 10) / 10,
  };
}

const ratings: Values = {
  ratedGridVoltage: 230,
  ratedGridCurrent: 21.7,
  ratedOutputVoltage: 230,
  ratedOutputFrequency: 50,
  ratedOutputCurrent: 21.7,
  ratedApparentPower: 5000,
  ratedActivePower: 5000,
  ratedBatteryVoltage: 48,
  batteryRechargeVoltage: 48,
  batteryCutOffVoltage: 45,
  batteryBulkVoltage: 56.4,
  batteryFloatVoltage: 54,
  batteryType: "userDefined",
  maxAcChargeCurrent: 30,
  maxChargeCurrent: 80,
  inputVoltageRange: "ups",
  outputSourcePriority: "sbu",
  chargerSourcePriority: "solarFirst",
  maxParallelUnits: 9,
  machineType: "offGrid",
  topology: "transformerless",
  outputMode: "single",
  batteryRedischargeVoltage: 54,
  pvOkCondition: "oneUnitWithPv",
  pvPowerBalance: "chargeAndLoad",
};

const parallelUnit: Values = {
  unitExists: true,
  operatingMode: "battery",
  faultCode: "00",
  gridVoltage: 232,
  gridFrequency: 50,
  outputVoltage: 229.3,
  loadApparentPower: 412,
  loadPercent: 8,
  batteryVoltage: 52.2,
  batteryChargeCurrent: 0,
  batterySoc: 30,
  pv1Voltage: 299.6,
  totalLoadActivePower: 713,
  unitStatus: ["solarChargerPresent", "solarCharging", "loadOn"],
  outputMode: "parallel",
  batteryDischargeCurrent: 0,
};
