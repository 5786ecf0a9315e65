import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { ConfigError } from "../model/errors.ts";

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
  readonly #known: Known[];
  readonly #present = new Map<string, string>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, known: Known[]) {
    this.#path = path;
    this.#known = known;
  }

  /** Throws ConfigError when the file is there but is not ours. */
  static async open(path: string): Promise<InverterRegistry> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new InverterRegistry(path, []);
      throw error;
    }
    const parsed = fileSchema.safeParse(parseJson(text));
    if (!parsed.success)
      throw new ConfigError(
        `${path}: expected the list of known inverters, got something else (${parsed.error.issues[0]?.message ?? "no JSON"}); ` +
          "mend it or move it away (ids are then given anew)",
        { cause: parsed.error, context: { path } },
      );
    return new InverterRegistry(path, parsed.data.inverters);
  }

  /** The id of the unit that was last seen at this place; absent for a new place. */
  at(location: string): string | undefined {
    return this.#known.findLast((each) => each.location === location)?.id;
  }

  /** The id of the unit that has answered at this place; `wanted` is the id the configuration gives it. */
  identify(
    location: string,
    serialNumber: string | undefined,
    { wanted, prefix }: { readonly wanted?: string | undefined; readonly prefix: string },
  ): string {
    const entry = this.#find(location, serialNumber) ?? this.#add(location, serialNumber, wanted, prefix);
    const id = wanted ?? entry.id;
    const changed = entry.location !== location || entry.serialNumber !== serialNumber || entry.id !== id;
    entry.location = location;
    entry.id = id;
    if (serialNumber !== undefined) entry.serialNumber = serialNumber;
    this.#present.set(location, id);
    if (changed) this.#saving = this.#saving.then(() => this.#save());
    return id;
  }

  /** Resolves when everything is on the disk. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #find(location: string, serialNumber: string | undefined): Known | undefined {
    const here = this.#known.filter((each) => each.location === location);
    const same = here.find((each) => each.serialNumber === serialNumber || serialNumber === undefined || each.serialNumber === undefined);
    if (same !== undefined || serialNumber === undefined) return same;
    const elsewhere = this.#known.filter((each) => each.serialNumber === serialNumber && !this.#present.has(each.location));
    return elsewhere.length === 1 ? elsewhere[0] : undefined;
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
