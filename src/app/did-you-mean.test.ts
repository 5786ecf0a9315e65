import { expect, it } from "vitest";
import { nearest } from "./did-you-mean.ts";

const keys = ["site", "dataDir", "inverters", "poll", "textLog", "mqtt", "http", "log"];

it.each([
  ["pol", "poll"],
  ["mqqt", "mqtt"],
  ["mtqt", "mqtt"],
  ["data_dir", "dataDir"],
  ["TEXTLOG", "textLog"],
  ["inverter", "inverters"],
  ["lgo", "log"],
])("%s → %s", (word, meant) => {
  expect(nearest(word, keys)).toBe(meant);
});

it.each(["colour", "x", "database", ""])("%j is near nothing", (word) => {
  expect(nearest(word, keys)).toBeUndefined();
});
