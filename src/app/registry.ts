import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { isSharedSerialNumber } from "../protocol/identify.ts";

/** The location of the built-in simulated inverter, which no real one is ever taken for. */
const simulatedPlace = "sim";

const knownSchema = z.object({
  id: z.string().regex(/^[a-z0-9-]+$/),
  /** Where it was last seen on a cable of its own: USB socket, serial device or address; empty while it never had one. */
  location: z.string(),
  serialNumber: z.string().optional(),
  /** Its output mode, where that tells units with one serial number apart. */
  phase: z.string().optional(),
  /** The inverter at whose cable it was last seen, and under which number (`QPGSn`). */
  through: z.object({ inverter: z.string(), position: z.number().int() }).optional(),
});
const fileSchema = z.object({ version: z.literal(1), inverters: z.array(knownSchema) });
type Known = z.output<typeof knownSchema>;

/** What a unit has said that tells it from others. */
export interface Marks {
  readonly serialNumber?: string | undefined;
  /** What QPIRI or QPGSn says; only the three-phase and split-phase modes tell units apart. */
  readonly outputMode?: string | undefined;
}

/** A unit that one inverter's cable has told of. */
export interface KnownMember extends Marks {
  readonly id: string;
}

/**
 * Our own stable ids. Serial numbers are not enough: clones share one (`55355535553555`), some units have none, and a
 * port may get another inverter. So an id belongs to a serial number at a place; a unit that has moved is recognised
 * only while no other unit could be meant. Of clones that feed a phase each, the phase says which is which, on whatever
 * cable they are.
 */
export class InverterRegistry {
  readonly #path: string;
  readonly #logger: Logger;
  /** The one seen last comes last. */
  readonly #known: Known[];
  /** Places where a unit is looked for and none has answered yet. */
  readonly #expected = new Set<string>();
  /** Units that have answered and whose link has held since. */
  readonly #present = new Set<Known>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, logger: Logger, known: Known[]) {
    this.#path = path;
    this.#logger = logger;
    this.#known = known;
  }

  /** Throws ConfigError when the file is there but is not ours. */
  static async open(path: string, { logger }: { readonly logger: Logger }): Promise<InverterRegistry> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new InverterRegistry(path, logger, []);
      throw error;
    }
    const parsed = fileSchema.safeParse(parseJson(text));
    if (!parsed.success)
      throw new ConfigError(
        `${path}: expected the list of known inverters, got something else (${parsed.error.issues[0]?.message ?? "no JSON"}); ` +
          "mend it or move it away (ids are then given anew)",
        { cause: parsed.error, context: { path } },
      );
    return new InverterRegistry(path, logger, parsed.data.inverters);
  }

  /** Says that a unit is looked for at this place; gives the one that was seen there last, if any was. */
  expect(location: string): { readonly id: string; readonly serialNumber?: string | undefined } | undefined {
    this.#expected.add(location);
    return this.#known.findLast((each) => each.location === location);
  }

  /** The id of the unit that has answered at this place; `wanted` is the id the configuration gives it. */
  identify(
    location: string,
    serialNumber: string | undefined,
    {
      wanted,
      outputMode,
      prefix,
    }: { readonly wanted?: string | undefined; readonly outputMode?: string | undefined; readonly prefix: string },
  ): string {
    this.gone(location);
    this.#expected.delete(location);
    const phase = isSharedSerialNumber(serialNumber) ? phaseOf(outputMode) : undefined;
    const before = JSON.stringify(this.#known);
    const entry = this.#find(location, serialNumber, phase) ?? this.#add(serialNumber, { base: serialNumber ?? location, wanted, prefix });
    if (wanted !== undefined && wanted !== entry.id) this.#rename(entry, wanted);
    entry.location = location;
    if (serialNumber !== undefined) entry.serialNumber = serialNumber;
    if (phase !== undefined) entry.phase = phase;
    this.#known.push(...this.#known.splice(this.#known.indexOf(entry), 1));
    this.#present.add(entry);
    this.#saveIfChanged(before);
    return entry.id;
  }

  /**
   * The id of a unit that another inverter's cable tells of; `taken` are the ids of units that this one cannot be. What
   * tells clones apart is the phase, and where they have none the number under which they are told of.
   */
  member(
    { serialNumber, outputMode }: Marks,
    {
      inverter,
      position,
      taken,
      prefix,
    }: { readonly inverter: string; readonly position: number; readonly taken: ReadonlySet<string>; readonly prefix: string },
  ): string {
    const phase = isSharedSerialNumber(serialNumber) ? phaseOf(outputMode) : undefined;
    const before = JSON.stringify(this.#known);
    const free = this.#known.filter((each) => each.serialNumber === serialNumber && !taken.has(each.id));
    const samePlace = free.findLast(({ through }) => through?.inverter === inverter && through.position === position);
    const samePhase = phase === undefined ? undefined : free.findLast((each) => each.phase === phase);
    const entry =
      samePhase ??
      (phase === undefined || samePlace?.phase === undefined ? samePlace : undefined) ??
      free.find((each) => !this.#present.has(each) && (phase === undefined || each.phase === undefined)) ??
      samePlace ??
      this.#add(serialNumber, { base: serialNumber ?? `${inverter}-unit-${position}`, prefix });
    entry.through = { inverter, position };
    if (phase !== undefined) entry.phase = phase;
    this.#saveIfChanged(before);
    return entry.id;
  }

  /** The units that this inverter's cable has told of, in this run or an earlier one. */
  membersOf(inverter: string): KnownMember[] {
    return this.#known
      .filter(({ through }) => through?.inverter === inverter)
      .map(({ id, serialNumber, phase }) => ({ id, serialNumber, outputMode: phase }));
  }

  /** True while a unit of this id is known: one that the configuration has given another id is not. */
  knows(id: string): boolean {
    return this.#known.some((each) => each.id === id);
  }

  /** What is known of the unit of this id. */
  marksOf(id: string): Marks {
    const entry = this.#known.find((each) => each.id === id);
    return { serialNumber: entry?.serialNumber, outputMode: entry?.phase };
  }

  /** To be called when the link to a place is lost: its unit may turn up elsewhere. */
  gone(location: string): void {
    for (const entry of this.#present) if (entry.location === location) this.#present.delete(entry);
  }

  /** True when the unit of this id answers at another place. */
  isElsewhere(id: string, location: string): boolean {
    return [...this.#present].some((entry) => entry.id === id && entry.location !== location);
  }

  /** Resolves when everything is on the disk, or could not be written. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #find(location: string, serialNumber: string | undefined, phase: string | undefined): Known | undefined {
    const here = this.#known.filter((each) => each.location === location);
    if (serialNumber === undefined) return here.at(-1);
    const same = here.filter((each) => each.serialNumber === serialNumber);
    const elsewhere = this.#known.filter((each) => each.serialNumber === serialNumber && each.location !== location);
    if (phase !== undefined) {
      const samePhase = same.findLast((each) => each.phase === phase);
      if (samePhase !== undefined) return samePhase;
      // A phase has one unit as a rule: that cables have changed places is likelier than that another unit feeds it.
      const moved = elsewhere.filter((each) => each.phase === phase && this.#isAway(each, location));
      if (moved.length > 0) return theOne(moved);
    }
    const isOtherPhase = (each: Known): boolean => phase !== undefined && each.phase !== undefined && each.phase !== phase;
    const stayed = same.findLast((each) => !isOtherPhase(each));
    if (stayed !== undefined) return stayed;
    const candidates = elsewhere.filter((each) => !isOtherPhase(each) && this.#mayHaveMoved(each, location));
    if (candidates.length > 1) return theOne(candidates);
    // It did not tell its number before.
    return candidates[0] ?? here.findLast((each) => each.serialNumber === undefined);
  }

  #mayHaveMoved(entry: Known, to: string): boolean {
    // A number that many units share proves nothing while the unit that it may belong to can still answer at its own place.
    return this.#isAway(entry, to) && !(this.#expected.has(entry.location) && isSharedSerialNumber(entry.serialNumber));
  }

  #isAway(entry: Known, to: string): boolean {
    const from = entry.location === "" ? this.#known.find(({ id }) => id === entry.through?.inverter)?.location : entry.location;
    return !this.#present.has(entry) && (from === simulatedPlace) === (to === simulatedPlace);
  }

  #add(
    serialNumber: string | undefined,
    { base, wanted, prefix }: { readonly base: string; readonly wanted?: string | undefined; readonly prefix: string },
  ): Known {
    const plain = `${prefix}-${slug(base)}`;
    let id = wanted ?? plain;
    for (let copy = 2; wanted === undefined && this.knows(id); copy++) id = `${plain}-${copy}`;
    const entry: Known = { id, location: "", serialNumber };
    this.#known.push(entry);
    return entry;
  }

  #rename(entry: Known, id: string): void {
    for (const { through } of this.#known) if (through?.inverter === entry.id) through.inverter = id;
    entry.id = id;
  }

  #saveIfChanged(before: string): void {
    if (JSON.stringify(this.#known) !== before) this.#saving = this.#saving.then(() => this.#trySave());
  }

  /** Without the file ids are given anew after a restart; that is no reason to stop reading inverters. */
  async #trySave(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      this.#logger.error(`${this.#path}: the known inverters could not be written: ${String(error)}`);
    }
  }

  /** Whole or not at all: a power cut leaves the old file. */
  async #save(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const part = `${this.#path}.part`;
    const file = await open(part, "w");
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, inverters: this.#known }, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, this.#path);
  }
}

/** Only these modes are of one unit alone, at least in a system of three. */
function phaseOf(outputMode: string | undefined): string | undefined {
  return outputMode?.startsWith("phase") === true ? outputMode : undefined;
}

/** Of several that never had a cable one is as good as another; of several that had, none is guessed. */
function theOne(candidates: readonly Known[]): Known | undefined {
  return candidates.length === 1 ? candidates[0] : candidates.find((each) => each.location === "");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}
