import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { ConfigError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";

/** The location of the built-in simulated inverter, which no real one is ever taken for. */
const simulatedPlace = "sim";

const knownSchema = z.object({
  id: z.string().regex(/^[a-z0-9-]+$/),
  /** Where it was last seen: USB socket, serial device or address. */
  location: z.string(),
  serialNumber: z.string().optional(),
});
const fileSchema = z.object({ version: z.literal(1), inverters: z.array(knownSchema) });
type Known = z.output<typeof knownSchema>;

/**
 * Our own stable ids. Serial numbers are not enough: clones share one (`55355535553555`), some units have none, and a
 * port may get another inverter. So an id belongs to a serial number at a place; a unit that has moved is recognised
 * only while no other unit could be meant.
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
    { wanted, prefix }: { readonly wanted?: string | undefined; readonly prefix: string },
  ): string {
    this.gone(location);
    this.#expected.delete(location);
    const entry = this.#find(location, serialNumber) ?? this.#add(location, serialNumber, wanted, prefix);
    const before = JSON.stringify(this.#known);
    entry.location = location;
    entry.id = wanted ?? entry.id;
    if (serialNumber !== undefined) entry.serialNumber = serialNumber;
    this.#known.push(...this.#known.splice(this.#known.indexOf(entry), 1));
    this.#present.add(entry);
    if (JSON.stringify(this.#known) !== before) this.#saving = this.#saving.then(() => this.#trySave());
    return entry.id;
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

  #find(location: string, serialNumber: string | undefined): Known | undefined {
    const here = this.#known.filter((each) => each.location === location);
    if (serialNumber === undefined) return here.at(-1);
    const same = here.findLast((each) => each.serialNumber === serialNumber);
    if (same !== undefined) return same;
    const elsewhere = this.#known.filter((each) => each.serialNumber === serialNumber && this.#mayHaveMoved(each, location));
    if (elsewhere.length > 0) return elsewhere.length === 1 ? elsewhere[0] : undefined;
    // It did not tell its number before.
    return here.findLast((each) => each.serialNumber === undefined);
  }

  #mayHaveMoved(entry: Known, to: string): boolean {
    if (this.#present.has(entry) || (entry.location === simulatedPlace) !== (to === simulatedPlace)) return false;
    // A number that many units share proves nothing while the unit that it may belong to can still answer at its own place.
    return !(this.#expected.has(entry.location) && isFactoryDefault(entry.serialNumber));
  }

  #add(location: string, serialNumber: string | undefined, wanted: string | undefined, prefix: string): Known {
    const base = wanted ?? `${prefix}-${slug(serialNumber ?? location)}`;
    let id = base;
    for (let copy = 2; wanted === undefined && this.#known.some((each) => each.id === id); copy++) id = `${base}-${copy}`;
    // `location: ""` makes the caller see a change and save.
    const entry: Known = { id, location: "", serialNumber };
    this.#known.push(entry);
    return entry;
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

/** Such as `55355535553555` of the clones: no more than two different digits. */
function isFactoryDefault(serialNumber: string | undefined): boolean {
  return new Set(serialNumber).size <= 2;
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
