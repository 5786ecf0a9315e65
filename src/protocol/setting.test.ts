import { describe, expect, test } from "vitest";
import { factsOf } from "../../test/protocol/settings-support.ts";
import type { PlanItem } from "../session/poller.ts";
import type { Line } from "../session/line.ts";
import { request, type Request } from "./command.ts";
import { QPIRI } from "./pi30/ratings.ts";
import { findSetting } from "./pi30/settings/catalogue.ts";
import { describeAllowed, isAllowed, meantFor, writes } from "./setting.ts";

describe("asking and changing are two things to the compiler", () => {
  const [write] = writes(findSetting("outputSourcePriority"), "sbu", factsOf("max"));
  if (write === undefined) throw new Error("expected a write");
  const ask: (what: Parameters<Line["ask"]>[0]) => string = (what) => what.command;
  const tell: (what: Parameters<Line["tell"]>[0]) => string = (what) => what.command;
  const plan = (item: Pick<PlanItem, "request">): string => item.request.command;

  test("a write can be told, a question can be asked, and neither the other way round", () => {
    const question: Request = request(QPIRI);
    expect([tell(write), ask(question), plan({ request: question })]).toEqual(["POP02", "QPIRI", "QPIRI"]);
    // @ts-expect-error a write is no request: the poller and the line cannot ask it
    ask(write);
    // @ts-expect-error nor can it stand in a poll plan
    plan({ request: write });
    // @ts-expect-error a question changes nothing
    tell(question);
    // @ts-expect-error a setting is no query of which a request could be made
    const made: Parameters<typeof request>[0] = findSetting("outputSourcePriority");
    expect(made).toMatchObject({ kind: "setting" });
  });
});

describe("isAllowed, describeAllowed", () => {
  test("a range takes its steps, its ends and what stands beside it", () => {
    const range = { kind: "range", min: 44, max: 51, step: 0.1, also: [0] } as const;
    expect([44, 51, 0, 47.3, 44.30000000000001].map((value) => isAllowed(range, value))).toEqual([true, true, true, true, true]);
    expect([43.9, 51.1, 47.35, Number.NaN, "44", true].map((value) => isAllowed(range, value))).toEqual(Array(6).fill(false));
    expect(describeAllowed(range, "V")).toBe("44 to 51 V in steps of 0.1, or 0");
  });

  test("a list takes what it names, a text what has its form", () => {
    expect(isAllowed({ kind: "list", values: [true, false] }, 1)).toBe(false);
    const text = { kind: "text", form: "two hours like 08-18", pattern: "^[0-2][0-9]-[0-2][0-9]$" } as const;
    expect(["08-18", "8-18", "08-18 "].map((value) => isAllowed(text, value))).toEqual([true, false, false]);
    expect(describeAllowed(text)).toBe("two hours like 08-18");
  });

  test("a switch is told as on and off, and given in any of their words", () => {
    expect(describeAllowed({ kind: "list", values: [true, false] })).toBe("on, off");
    const words = ["on", "Yes", "true", "off", "no", "FALSE", true, "maybe", 1];
    expect(words.map((word) => meantFor({ form: "switch" }, word))).toEqual([true, true, true, false, false, false, true, "maybe", 1]);
    expect(meantFor({}, "on")).toBe("on");
  });
});
