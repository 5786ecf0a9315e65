import type {
  CardDocument,
  CardFacts,
  CardSetting,
  CommandRecord,
  MalformedField,
  ModelCard,
  Support,
  UnknownField,
} from "../../model/card.ts";
import { metric, type Metric } from "../../model/metric.ts";
import type { Value, Values } from "../../model/reading.ts";
import { exampleOf, findLayout, type Request, type Slot } from "../command.ts";
import type { ChecksumHabit } from "../crc.ts";
import { decodeReply, fieldsOf, textsOf } from "../decode.ts";
import { derive } from "../reading.ts";
import type { UnitMake } from "../setting.ts";
import { findRequest } from "./dialect.ts";
import { familyOf } from "./families.ts";
import { unknownFamily } from "./family-list.ts";
import { HABIT_AFTER, oddFormIn, tolerating } from "./oddity.ts";
import { settings } from "./settings/catalogue.ts";

/** What one question to the unit brought. */
export type Observation =
  | { readonly command: string; readonly support: "answers"; readonly payload: string; readonly zeroChecksum?: ChecksumHabit | undefined }
  | { readonly command: string; readonly support: Exclude<Support, "answers">; readonly payload?: string | undefined };

/** More failures in a row than this tell nothing more. */
const MOST_FAILURES = 3;

/** Who the card is about, as far as the unit has told. */
export interface CardIdentity {
  readonly protocol: string;
  readonly serialNumber?: string | undefined;
  readonly firmware?: string | undefined;
}

/** A card of a unit that was just met; `before` is its card under another firmware. */
export function emptyCard({ protocol, serialNumber, firmware }: CardIdentity, at: number, before?: ModelCard): ModelCard {
  const met = before?.firmwares ?? [];
  return {
    version: 1,
    protocol,
    ...(serialNumber !== undefined && { serialNumber }),
    ...(firmware !== undefined && { firmware }),
    firmwares: firmware === undefined || met.at(-1)?.version === firmware ? met : [...met, { version: firmware, since: at }],
    complete: false,
    commands: {},
    requestChecksum: "unknown",
    replyChecksum: "unknown",
    updatedAt: at,
  };
}

/** True when this is the card of the unit that has told this, under this firmware. */
export function isCardOf(card: ModelCard, { protocol, serialNumber, firmware }: CardIdentity): boolean {
  return card.protocol === protocol && card.serialNumber === serialNumber && card.firmware === firmware;
}

/**
 * The card with what this observation adds to it; the same card when it adds nothing. Live values are no news: of an
 * answer only its form, and what is fixed or set, is kept.
 */
export function observe(card: ModelCard, observation: Observation, at: number): ModelCard {
  const { command } = observation;
  const before = card.commands[command];
  const after = recordOf(observation, before, at);
  const zeroChecksum = observation.support === "answers" ? observation.zeroChecksum : undefined;
  const isLearnt = zeroChecksum !== undefined && card.replyChecksum !== zeroChecksum;
  if (after === before && !isLearnt) return card;
  return {
    ...card,
    ...(isLearnt && { replyChecksum: zeroChecksum }),
    commands: { ...card.commands, [command]: after },
    updatedAt: at,
  };
}

/** The card with one of its other facts changed; the same card when it is so already. */
export function withFact<K extends "complete" | "requestChecksum">(card: ModelCard, key: K, value: ModelCard[K], at: number): ModelCard {
  return card[key] === value ? card : { ...card, [key]: value, updatedAt: at };
}

function recordOf(observation: Observation, before: CommandRecord | undefined, at: number): CommandRecord {
  const { command, support, payload } = observation;
  if (support !== "answers") {
    const failures = Math.min(MOST_FAILURES, (before?.failures ?? 0) + 1);
    if (before?.support === support && before.failures === failures && before.payload === payload) return before;
    return { support, failures, ...(payload !== undefined && { ...oddityOf(command, payload, before), ...formOf(command, payload) }), at };
  }
  if (before?.support === "answers" && before.payload !== undefined && !isNews(command, before.payload, payload)) return before;
  // What is known for a habit may be away for a while.
  const habit = isHabit(before) && { oddity: before.oddity };
  return { support, failures: 0, ...habit, ...formOf(command, payload), at };
}

function oddityOf(command: string, payload: string, before: CommandRecord | undefined): Pick<CommandRecord, "oddity"> {
  const odd = oddFormIn(findRequest(command), payload);
  if (odd === undefined) return {};
  const last = before?.oddity;
  const isSame = last?.index === odd.index && last.form === odd.form;
  return { oddity: { ...odd, seen: isSame ? Math.min(HABIT_AFTER, last.seen + 1) : 1 } };
}

function isHabit(record: CommandRecord | undefined): record is CommandRecord & Required<Pick<CommandRecord, "oddity">> {
  return record?.oddity !== undefined && record.oddity.seen >= HABIT_AFTER;
}

/** How an answer of this unit is to be read: as documented, but for a field that is known to have a form of its own. */
export function asTold<V>(request: Request<V>, card: ModelCard | undefined, family: string | undefined): Request<V> {
  const record = card?.commands[request.command];
  // What a known family sends is documented: there an odd field is a fault.
  return isHabit(record) && family === unknownFamily.key ? tolerating(request, record.oddity) : request;
}

/** True where an odd field of this command has been seen, and the next answer is one more towards a habit or can be read: worth asking again soon. */
export function isLearning(card: ModelCard | undefined, command: string, family: string | undefined): boolean {
  const record = card?.commands[command];
  return record?.oddity !== undefined && (!isHabit(record) || family === unknownFamily.key);
}

function formOf(command: string, payload: string): Pick<CommandRecord, "fields" | "length" | "payload"> {
  const isWhole = findRequest(command).query.whole !== undefined;
  return { ...(!isWhole && { fields: textsOf(payload).length }), length: payload.length, payload };
}

function isNews(command: string, before: string, after: string): boolean {
  if (before === after) return false;
  if (before.length !== after.length) return true;
  const { query } = findRequest(command);
  if (query.whole !== undefined) {
    const [older, newer] = [query.whole.codec.decode(before) ?? {}, query.whole.codec.decode(after) ?? {}];
    return Object.keys({ ...older, ...newer }).some((name) => isLasting(name) && String(older[name]) !== String(newer[name]));
  }
  // By the texts: this is looked at with every answer, and decoding costs more.
  const [older, newer] = [textsOf(before), textsOf(after)];
  const slots = findLayout(query, newer)?.fields ?? [];
  return older.length !== newer.length || slots.some((slot, index) => older[index] !== newer[index] && isLastingSlot(slot));
}

function isLastingSlot(slot: Slot): boolean {
  return fieldsOf(slot).some(({ name }) => isLasting(name));
}

/** True of what is fixed for the unit, or changes when a person changes it. */
function isLasting(name: string): boolean {
  const kind = (metric as Readonly<Record<string, Metric | undefined>>)[name]?.kind;
  return kind === "fact" || kind === "setting";
}

function read(
  command: string,
  { payload: body, ...record }: CommandRecord,
): { readonly values: Values; readonly tail: readonly string[] } | undefined {
  if (body === undefined) return undefined;
  const asked = findRequest(command);
  try {
    const reply = decodeReply(isHabit(record) ? tolerating(asked, record.oddity) : asked, { body });
    return reply.kind === "data" ? reply : undefined;
  } catch {
    return undefined;
  }
}

/** What follows from a card; worked out anew each time, so that a card of an earlier version gains from what was learnt since. */
export function derived(card: ModelCard): CardFacts {
  const answers = answersOf(card);
  const text = (command: string, name: string): string | undefined => {
    const value = answers.get(command)?.values[name];
    return typeof value === "string" ? value : undefined;
  };
  const modelName = text("QMN", "modelName");
  const modelNumber = text("QGMN", "modelNumber");
  const secondFirmware = text("QVFW2", "secondFirmwareVersion");
  const family = familyOf({
    modelName,
    modelNumber,
    firmware: card.firmware,
    fields: Object.fromEntries(
      Object.entries(card.commands).flatMap(([command, { fields }]) => (fields === undefined ? [] : [[command, fields]])),
    ),
    answers: (command) => card.commands[command]?.support === "answers",
    lacks: (command) => ["refuses", "silent"].includes(card.commands[command]?.support ?? ""),
    payload: (command) => card.commands[command]?.payload,
  });
  const parallel = parallelOf(card, answers);
  return {
    ...(modelName !== undefined && { modelName }),
    ...(modelNumber !== undefined && { modelNumber }),
    ...(secondFirmware !== undefined && { secondFirmware }),
    family: family.key,
    familyTitle: family.title,
    pvInputs: pvInputsOf(answers),
    pvPower: pvPowerOf(answers),
    parallel,
    settings: settingsOf(answers, { family: family.key, unit: parallel.number, wide: false }),
    unknownFields: unknownFieldsOf(card, answers),
    malformedFields: malformedFieldsOf(card),
  };
}

type Answers = ReadonlyMap<string, { readonly values: Values; readonly tail: readonly string[] }>;

function answersOf({ commands }: ModelCard): Answers {
  return new Map(
    Object.entries(commands).flatMap(([command, record]) => {
      const answer = record.support === "answers" ? read(command, record) : undefined;
      return answer === undefined ? [] : [[command, answer]];
    }),
  );
}

/** Records of a numbered unit of a parallel system, by number. */
function unitsOf(answers: Answers): ReadonlyMap<number, Values> {
  const units = [...answers].flatMap(([command, { values }]) => {
    const number = /^QPGS(\d)$/.exec(command)?.[1];
    return number === undefined || !isThere(values) ? [] : [[Number(number), values] as const];
  });
  return new Map(units.toSorted(([one], [other]) => one - other));
}

/** The record of a unit that is not there has a serial number of zeros; a single MAX says "exists: no" with valid data. */
export function isThere({ serialNumber }: Values): boolean {
  return typeof serialNumber === "string" && !/^0+$/.test(serialNumber);
}

function parallelOf({ serialNumber }: ModelCard, answers: Answers): CardFacts["parallel"] {
  const units = unitsOf(answers);
  const serialNumbers = [...units.values()].map((values) => String(values["serialNumber"]));
  const ownMode = answers.get("QPIRI")?.values["outputMode"];
  const own = [...units].filter(([, values]) => values["serialNumber"] === serialNumber);
  // Clones share a serial number; the phase they feed tells them apart.
  const [number = 0] = own.find(([, values]) => values["outputMode"] === ownMode) ?? own[0] ?? [];
  const modes = [...units.values(), answers.get("QPIRI")?.values ?? {}].map((values) => String(values["outputMode"] ?? ""));
  const isSplit = [...answers.values()].some(({ values }) => Object.keys(values).some((name) => name.startsWith("l2")));
  const phases = modes.some((mode) => /^phase\dOf3$/.test(mode)) ? 3 : isSplit || modes.some((mode) => /^phase\dOf2/.test(mode)) ? 2 : 1;
  return {
    units: Math.max(1, units.size),
    number,
    serialNumbers,
    phases,
  };
}

/** Commands that tell of this unit's own inputs; of a parallel system the first record, which has as many. */
const pvSources = ["QPIGS", "QPIGS2", "QPGS0", "QP2GS0"];

/** Two and three trackers have a machine type of their own (D15), and the form of the reply has room for three. */
const trackers: Readonly<Record<string, number>> = { offGrid2Trackers: 2, offGrid3Trackers: 3 };

function pvInputsOf(answers: Answers): number {
  const names = pvSources.flatMap((command) => Object.keys(answers.get(command)?.values ?? {}));
  const inputs = names.flatMap((name) => /^pv(\d)(?:Voltage|Current|Power)$/.exec(name)?.[1] ?? []);
  const most = trackers[String(answers.get("QPIRI")?.values["machineType"])] ?? Infinity;
  return Math.min(most, Math.max(0, ...inputs.map(Number)));
}

function pvPowerOf(answers: Answers): CardFacts["pvPower"] {
  const all = pvSources.map((command) => answers.get(command)?.values ?? {});
  if (all.some((values) => "pv1Power" in values || "pvPower" in values)) return "reported";
  const status = answers.get("QPIGS")?.values;
  return status !== undefined && "pv1Power" in derive(status) ? "computed" : "unknown";
}

function settingsOf(answers: Answers, make: UnitMake): Record<string, CardSetting> {
  const found: Record<string, CardSetting> = {};
  for (const setting of settings) {
    const queries = [...setting.needs, ...(setting.readBack ? [setting.readBack.query] : [])];
    const values = merged(queries.map((query) => answers.get(exampleOf(query).command)?.values ?? {}));
    const allowed = setting.allowed({ ...make, values });
    if (allowed.kind !== "none") found[setting.info.name] = allowed;
    else if (allowed.because === "locked") found[setting.info.name] = { kind: "locked", reason: allowed.reason };
  }
  return found;
}

function merged(all: readonly Values[]): Values {
  const values: Record<string, Value> = {};
  for (const each of all) Object.assign(values, each);
  return values;
}

function unknownFieldsOf({ commands }: ModelCard, answers: Answers): Record<string, readonly UnknownField[]> {
  const found: Record<string, readonly UnknownField[]> = {};
  for (const [command, { support, payload = "" }] of Object.entries(commands)) {
    const texts = textsOf(payload);
    const tail = support === "unreadable" ? texts : (answers.get(command)?.tail ?? []);
    if (tail.length > 0) found[command] = tail.map((text, place) => ({ index: texts.length - tail.length + place, text }));
  }
  return found;
}

function malformedFieldsOf({ commands }: ModelCard): Record<string, MalformedField> {
  const found: Record<string, MalformedField> = {};
  for (const [command, record] of Object.entries(commands)) {
    const { payload, oddity } = record;
    if (payload === undefined || oddity === undefined) continue;
    const texts = textsOf(payload);
    const [first] = fieldsOf(findLayout(findRequest(command).query, texts)?.fields[oddity.index] ?? []);
    if (first) found[command] = { index: oddity.index, text: texts[oddity.index] ?? "", name: first.name, isHabit: isHabit(record) };
  }
  return found;
}

/** A card with what follows from it. */
export function documentOf(card: ModelCard): CardDocument {
  return { card, facts: derived(card) };
}
