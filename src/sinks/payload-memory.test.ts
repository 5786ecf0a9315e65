import { expect, test } from "vitest";
import { PayloadMemory } from "./payload-memory.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("the first payload of a topic and every other one than before is new", () => {
  const memory = new PayloadMemory(10);
  expect(["1", "1", "2", "1", ""].map((text) => memory.isNew("a", bytes(text)))).toEqual([true, false, true, true, true]);
  expect(memory.isNew("b", bytes(""))).toBe(true);
  memory.forget("b");
  expect(memory.isNew("b", bytes(""))).toBe(true);
});

test("of too many topics the one not heard of for longest is forgotten", () => {
  const memory = new PayloadMemory(2);
  memory.isNew("a", bytes("1"));
  memory.isNew("b", bytes("1"));
  memory.isNew("a", bytes("1"));
  expect(memory.forgotten).toBe(0);
  memory.isNew("c", bytes("1"));
  expect(memory.forgotten).toBe(1);
  expect(memory.isNew("a", bytes("1"))).toBe(false);
  expect(memory.isNew("b", bytes("1"))).toBe(true);
});

test("long topics are told apart", () => {
  const memory = new PayloadMemory(2);
  const topic = "x".repeat(65_000);
  expect([`${topic}1`, `${topic}2`, `${topic}1`].map((each) => memory.isNew(each, bytes("1")))).toEqual([true, true, false]);
});
