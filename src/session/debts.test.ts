import { expect, test } from "vitest";
import { encodePayload } from "../protocol/encode.ts";
import { FrameDecoder, type Frame } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { Debts } from "./debts.ts";

function frame(payload: string): Frame {
  const [part] = new FrameDecoder().push(encodePayload(payload));
  if (part?.kind !== "frame") throw new Error(`expected a frame of ${payload}, got ${part?.kind}`);
  return part;
}

const QMOD = findRequest("QMOD");
const QID = findRequest("QID");

test("nothing is owed at first", () => {
  const debts = new Debts();
  expect([debts.owed > 0, debts.covers("QMOD", 0), debts.quarantines("QMOD", 0), debts.pay(frame("B"))]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("a spoilt answer needs a fence of another shape, and no more", () => {
  const debts = new Debts();
  debts.spoilt(QMOD);
  expect([debts.owed > 0, debts.covers("QMOD", 0), debts.covers("QID", 0)]).toEqual([true, true, false]);
  expect(debts.quarantines("QMOD", 0)).toBe(false);
  expect(debts.pay(frame("B"))).toBe(false);
  debts.fenced();
  expect([debts.owed > 0, debts.covers("QMOD", 0)]).toEqual([false, false]);
});

test("a missing answer quarantines its shape, fence or not, until patience is over", () => {
  const debts = new Debts();
  debts.missing(QMOD, 3000);
  debts.fenced();
  expect(debts.owed).toBe(0);
  expect([debts.quarantines("QMOD", 2999), debts.covers("QMOD", 2999), debts.quarantines("QID", 2999)]).toEqual([true, true, false]);
  expect(debts.quarantines("QMOD", 3000)).toBe(false);
  expect(debts.pay(frame("B"))).toBe(false);
});

test("its late answer pays it, once; an answer of another form does not", () => {
  const debts = new Debts();
  debts.missing(QMOD, 3000);
  debts.missing(QID, 3000);
  expect([debts.pay(frame("PI30")), debts.pay(frame("NAK"))]).toEqual([false, false]);
  expect([debts.pay(frame("B")), debts.pay(frame("B"))]).toEqual([true, false]);
  expect([debts.quarantines("QMOD", 0), debts.quarantines("QID", 0)]).toEqual([false, true]);
  debts.clear();
  expect([debts.owed > 0, debts.quarantines("QID", 0)]).toEqual([false, false]);
});
