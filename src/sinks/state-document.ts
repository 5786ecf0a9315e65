import { findMetric } from "../model/metric.ts";
import { originOf, type InverterInfo, type LinkStatus, type Reading, type Values } from "../model/reading.ts";

interface Member {
  /** Which reading wrote it, so that a value which a later answer lacks disappears. */
  generation: number;
  command: string;
  json: string;
}

// An answer about one unit of several, and factory defaults, carry the same metrics as the live status without being it.
const nests: readonly (readonly [nest: string, command: RegExp])[] = [
  ["parallel", /^Q(?:PGS|P2GS|2PGS)\d$/],
  ["defaults", /^QDI$/],
];

/**
 * What is known of one inverter, as one JSON document: every value with its unit, time, command and origin. Members are
 * kept as JSON text, so that a publish only joins them.
 */
export class StateDocument {
  readonly #values = new Map<string, Member>();
  readonly #nested = new Map<string, Map<string, string>>();
  #generation = 0;
  #latestAt = Number.NEGATIVE_INFINITY;
  #inverter: InverterInfo;
  #status: LinkStatus | undefined;

  constructor(inverter: InverterInfo) {
    this.#inverter = inverter;
  }

  setReading(reading: Reading, inverter: InverterInfo): void {
    this.#inverter = inverter;
    this.#latestAt = Math.max(this.#latestAt, reading.at);
    const { command } = reading;
    const nest = nests.find(([, pattern]) => pattern.test(command))?.[0];
    if (nest !== undefined) {
      const members: string[] = [];
      eachMember(reading, (key, json) => members.push(`${JSON.stringify(key)}:${json}`));
      this.#nest(nest).set(command, `{${members.join(",")}}`);
      return;
    }
    const generation = ++this.#generation;
    eachMember(reading, (key, json) => this.#values.set(key, { generation, command, json }));
    for (const [key, member] of this.#values) {
      if (member.command === command && member.generation !== generation) this.#values.delete(key);
    }
  }

  setStatus(status: LinkStatus, inverter: InverterInfo): void {
    this.#inverter = inverter;
    this.#status = status;
  }

  toJson(): string {
    const { id, simulated, serialNumber, model, firmware } = this.#inverter;
    const status = this.#status;
    const head = JSON.stringify({
      inverter: id,
      simulated,
      serialNumber,
      model,
      firmware,
      status: status && { state: status.state, since: new Date(status.since).toISOString(), message: status.message },
      at: Number.isFinite(this.#latestAt) ? new Date(this.#latestAt).toISOString() : undefined,
    });
    const values = [...this.#values].map(([key, { json }]) => `${JSON.stringify(key)}:${json}`);
    const nested = [...this.#nested].map(([nest, commands]) => {
      return `,"${nest}":{${[...commands].map(([command, json]) => `${JSON.stringify(command)}:${json}`).join(",")}}`;
    });
    return `${head.slice(0, -1)},"values":{${values.join(",")}}${nested.join("")}}`;
  }

  #nest(name: string): Map<string, string> {
    let nest = this.#nested.get(name);
    if (nest === undefined) this.#nested.set(name, (nest = new Map<string, string>()));
    return nest;
  }
}

function eachMember(reading: Reading, take: (key: string, json: string) => void): void {
  const at = new Date(reading.at).toISOString();
  const source = `"at":"${at}","command":${JSON.stringify(reading.command)},"origin":`;
  const each = (values: Values): void => {
    for (const [key, value] of Object.entries(values)) {
      const unit = findMetric(key)?.unit;
      take(key, `{"value":${JSON.stringify(value)},${unit === undefined ? "" : `"unit":"${unit}",`}${source}"${originOf(reading, key)}"}`);
    }
  };
  each(reading.values);
  each(reading.derived);
}
