import { expect, test } from "vitest";
import { ConfigError } from "../model/errors.ts";
import { checkTopicFilter, withoutCovered } from "./topic-filter.ts";

test.each(["a", "#", "+", "a/#", "a/+/b", "$SYS/#", "/", "a b/ä"])("%s is a topic to subscribe to", (filter) => {
  expect(() => checkTopicFilter(filter)).not.toThrow();
});

test.each(["", "a#", "#/a", "a/#/b", "a+", "a/+b", "a\0", "ä".repeat(33_000)])("%j is none", (filter) => {
  expect(() => checkTopicFilter(filter)).toThrow(ConfigError);
});

test.each([
  [["a/b", "a/#"], ["a/#"]],
  [["a", "a/#"], ["a/#"]],
  [
    ["a/+", "a/b", "a/b/c"],
    ["a/+", "a/b/c"],
  ],
  [["a/+", "a/#", "a/+/c"], ["a/#"]],
  [
    ["#", "$SYS/#", "power/x"],
    ["#", "$SYS/#"],
  ],
  [["a", "a"], ["a"]],
  [
    ["a/+/c", "a/b/+"],
    ["a/+/c", "a/b/+"],
  ],
])("of %j remain %j", (given, left) => {
  expect(withoutCovered(given)).toEqual(left);
});
