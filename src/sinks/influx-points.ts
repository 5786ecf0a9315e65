import { findMetric } from "../model/metric.ts";
import type { InverterInfo, LinkStatus, Reading, Value } from "../model/reading.ts";
import { pointLine, type FieldValue } from "./line-protocol.ts";

export interface PointNames {
  /** Of the values; that of states and of the link begin with it. */
  readonly measurement: string;
  readonly inverterTag: string;
  readonly commandTag: string;
  /** `fields`: words are text fields; `tags`: a point for each word, for databases that keep numbers only. */
  readonly words: "fields" | "tags";
}

/** The points of one reading; none when it carries no value. The same reading always makes the same points. */
export function pointsOfReading(reading: Reading, { id, simulated }: InverterInfo, names: PointNames): string[] {
  const tags = { [names.commandTag]: reading.command, [names.inverterTag]: id, ...(simulated && { simulated: "true" }) };
  const values: [string, FieldValue][] = [];
  const words: [string, readonly string[]][] = [];
  for (const [name, value] of [...Object.entries(reading.values), ...Object.entries(reading.derived)]) {
    if (typeof value === "number" || typeof value === "boolean") values.push([name, value]);
    else if (names.words === "fields") values.push([name, typeof value === "string" ? value : value.join(",")]);
    else if (findMetric(name)?.passing !== true) words.push([name, wordsOf(value)]);
  }
  // A value that is not to be taken for measured must not look like one.
  if (reading.estimated !== undefined && reading.estimated.length > 0) {
    if (names.words === "fields") values.push(["estimated", reading.estimated.join(",")]);
    else words.push(["estimated", reading.estimated]);
  }
  return lines([
    pointLine(names.measurement, tags, values, reading.at),
    ...words.flatMap(([name, list]) => list.map((word) => statePoint(names, { ...tags, name, value: word }, reading.at))),
  ]);
}

/** The point of a change of the link. */
export function pointsOfStatus({ state, message, since }: LinkStatus, { id, simulated }: InverterInfo, names: PointNames): string[] {
  const tags = { [names.inverterTag]: id, ...(simulated && { simulated: "true" }) };
  const online: [string, FieldValue] = ["online", state === "online"];
  if (names.words === "fields") {
    const words: [string, FieldValue][] = [
      ["state", state],
      ["message", message],
    ];
    return lines([pointLine(`${names.measurement}_link`, tags, [online, ...words], since)]);
  }
  return lines([
    pointLine(`${names.measurement}_link`, tags, [online], since),
    statePoint(names, { ...tags, name: "linkState", value: state }, since),
  ]);
}

/** The point of the energy counters, Wh by flow; of the whole site where no inverter is given. */
export function pointsOfEnergy(
  at: number,
  wattHours: Readonly<Record<string, number>>,
  inverter: string | undefined,
  names: PointNames,
): string[] {
  return lines([pointLine(`${names.measurement}_energy`, { [names.inverterTag]: inverter ?? "" }, Object.entries(wattHours), at)]);
}

function statePoint({ measurement }: PointNames, tags: Readonly<Record<string, string>>, at: number): string | undefined {
  return tags["value"] === "" ? undefined : pointLine(`${measurement}_state`, tags, [["active", 1]], at);
}

function wordsOf(value: Exclude<Value, number | boolean>): readonly string[] {
  return typeof value === "string" ? [value] : value.map(String);
}

function lines(points: readonly (string | undefined)[]): string[] {
  return points.filter((point) => point !== undefined);
}
