import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ModelCard } from "../model/card.ts";
import type { Logger } from "../model/logger.ts";

const habit = z.enum(["plain", "zeroBumped", "unknown"]);
const cardSchema = z.object({
  version: z.literal(1),
  protocol: z.string(),
  serialNumber: z.string().optional(),
  firmware: z.string().optional(),
  firmwares: z.array(z.object({ version: z.string(), since: z.number() })),
  complete: z.boolean(),
  commands: z.record(
    z.string(),
    z.object({
      support: z.enum(["answers", "hasNothing", "refuses", "silent", "unreadable"]),
      failures: z.number().int().min(0),
      fields: z.number().int().optional(),
      length: z.number().int().optional(),
      oddity: z.object({ index: z.number().int().min(0), form: z.string(), seen: z.number().int().min(1) }).optional(),
      payload: z.string().optional(),
      at: z.number(),
    }),
  ),
  requestChecksum: habit,
  replyChecksum: habit,
  updatedAt: z.number(),
});
const ending = ".json";

/** The model cards of the inverters that were met, one file each: `<id>.json`. */
export class CardStore {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #cards: Map<string, ModelCard>;
  /** Not on the disk yet, by id. */
  readonly #unsaved = new Set<string>();
  #saving: Promise<void> | undefined;

  private constructor(folder: string, logger: Logger, cards: Map<string, ModelCard>) {
    this.#folder = folder;
    this.#logger = logger;
    this.#cards = cards;
  }

  /** A damaged file is moved aside and told of: a card can be made anew, and no inverter waits for it. */
  static async open(folder: string, { logger }: { readonly logger: Logger }): Promise<CardStore> {
    const cards = new Map<string, ModelCard>();
    for (const name of await filesOf(folder)) {
      const path = join(folder, name);
      const parsed = cardSchema.safeParse(parseJson(await readFile(path, "utf8")));
      if (parsed.success) cards.set(name.slice(0, -ending.length), withoutUndefined(parsed.data));
      else await moveAside(path, parsed.error.issues[0]?.message ?? "no JSON", logger);
    }
    return new CardStore(folder, logger, cards);
  }

  /** The card of the inverter with this id, whatever firmware it was made with. */
  recall(id: string): ModelCard | undefined {
    return this.#cards.get(id);
  }

  /** Keeps a card. It is written when it is complete: one that is being made changes with every answer. */
  keep(id: string, card: ModelCard): void {
    if (this.#cards.get(id) === card) return;
    this.#cards.set(id, card);
    this.#unsaved.add(id);
    if (card.complete) this.#saving ??= this.#save();
  }

  /** Resolves when everything is on the disk, or could not be written. */
  async saved(): Promise<void> {
    if (this.#unsaved.size > 0) this.#saving ??= this.#save();
    await this.#saving;
  }

  async #save(): Promise<void> {
    for (const id of this.#unsaved) {
      this.#unsaved.delete(id);
      try {
        await this.#write(join(this.#folder, id + ending), this.#cards.get(id));
      } catch (error) {
        // Without the file the unit is asked anew after a restart; that is no reason to stop reading it.
        this.#logger.error(`${this.#folder}: the model card of ${id} could not be written: ${String(error)}`);
      }
    }
    this.#saving = undefined;
  }

  /** Whole or not at all: a power cut leaves the old file. */
  async #write(path: string, card: ModelCard | undefined): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const part = `${path}.part`;
    const file = await open(part, "w");
    try {
      await file.writeFile(`${JSON.stringify(card, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[a-z0-9-]+\.json$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function moveAside(path: string, problem: string, logger: Logger): Promise<void> {
  const aside = `${path}.damaged`;
  await rename(path, aside);
  logger.warn(`${path}: expected a model card, got something else (${problem}); it is now ${aside}, and the inverter is asked anew`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The schema's optional keys are absent here, never undefined. */
function withoutUndefined(card: z.output<typeof cardSchema>): ModelCard {
  return JSON.parse(JSON.stringify(card)) as ModelCard;
}
