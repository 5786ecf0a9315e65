import type { CommandRecord } from "../model/card.ts";
import { requestSentAs } from "../protocol/command.ts";
import { settings } from "../protocol/pi30/settings/catalogue.ts";
import type { Write } from "../protocol/setting.ts";
import type { Answer } from "../session/job.ts";

type Data = Extract<Answer, { readonly kind: "data" }>;

/** The latest answers of one unit, for whoever would rather have what is known at once than wait for the line. */
export class LatestAnswers {
  readonly #answers = new Map<string, Data>();

  learn(command: string, answer: Answer): void {
    // A refusal may be of the moment; the model card knows those that are not.
    if (answer.kind === "data") this.#answers.set(command, answer);
  }

  /** Absent where nothing is known and it has to be asked. */
  of(command: string, record: CommandRecord | undefined): Answer | undefined {
    const isUnknown = record?.support === "refuses" || record?.support === "silent";
    return this.#answers.get(command) ?? (isUnknown ? { kind: "nak", at: record.at } : undefined);
  }

  /** What a command that has left may have changed is not known any more. */
  changedBy({ setting }: Pick<Write, "setting">): void {
    const told = settings.find(({ info }) => info.name === setting)?.readBack?.query;
    for (const command of this.#answers.keys())
      if (told === undefined || requestSentAs(told, command) !== undefined) this.#answers.delete(command);
  }

  /** To be called when another unit may have come. */
  forget(): void {
    this.#answers.clear();
  }
}
