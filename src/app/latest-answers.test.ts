import { expect, it } from "vitest";
import type { Answer } from "../session/job.ts";
import { LatestAnswers } from "./latest-answers.ts";

const data = (command: string, at: number): Answer => ({ kind: "data", command, payload: "", values: {}, tail: [], at });

function known(): LatestAnswers {
  const answers = new LatestAnswers();
  for (const command of ["QPIRI", "QFLAG", "QPGS0"]) answers.learn(command, data(command, 1000));
  return answers;
}
const commandsOf = (answers: LatestAnswers) => ["QPIRI", "QFLAG", "QPGS0"].filter((command) => answers.of(command, undefined));

it("gives the latest answer, and keeps it over a refusal of the moment", () => {
  const answers = known();
  answers.learn("QPIRI", data("QPIRI", 2000));
  answers.learn("QPIRI", { kind: "nak", at: 3000 });
  expect(answers.of("QPIRI", undefined)).toMatchObject({ kind: "data", at: 2000 });
});

it("takes what the card says the unit does not know for a refusal, and knows nothing of the rest", () => {
  const answers = known();
  expect(answers.of("QBEQI", { support: "silent", failures: 3, at: 7 })).toEqual({ kind: "nak", at: 7 });
  expect(answers.of("QBEQI", { support: "answers", failures: 0, at: 7 })).toBeUndefined();
  expect(answers.of("QBEQI", undefined)).toBeUndefined();
});

it("forgets what a change has touched: the answer that tells it, and everything where none does", () => {
  const answers = known();
  answers.changedBy({ setting: "buzzer" });
  expect(commandsOf(answers)).toEqual(["QPIRI", "QPGS0"]);
  answers.changedBy({ setting: "factoryReset" });
  expect(commandsOf(answers)).toEqual([]);
  const others = known();
  others.changedBy({ setting: "command" });
  expect(commandsOf(others)).toEqual([]);
});
