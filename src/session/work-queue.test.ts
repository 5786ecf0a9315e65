import { describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { WorkQueue } from "./work-queue.ts";

const answer = { kind: "nak", at: 0 } as const;
const any = () => true;
const signal = () => new AbortController().signal;
/** A question whose answer does not matter. */
const putIn = (queue: WorkQueue, command: string): void => {
  queue.ask(findRequest(command), signal()).catch(() => undefined);
};
/** True when it settles before everything that is already settled has been followed up. */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  void promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
};

test("questions come out in the order in which they went in, one after the other", async () => {
  const queue = new WorkQueue();
  const asked = ["QPIGS", "QMOD", "QID"].map((command) => queue.ask(findRequest(command), signal()));
  const out = ["", "", ""].map(() => queue.shift(any));
  expect(out.map((work) => work?.request.command)).toEqual(["QPIGS", "QMOD", "QID"]);
  expect(queue.shift(any)).toBeUndefined();
  expect(queue.empty).toBe(true);
  for (const work of out) work?.resolve(answer);
  expect(await Promise.all(asked)).toEqual([answer, answer, answer]);
});

test("one that may not go yet is passed over", () => {
  const queue = new WorkQueue();
  putIn(queue, "QPIGS");
  putIn(queue, "QMOD");
  const mayGo = ({ request }: { readonly request: { readonly command: string } }): boolean => request.command !== "QPIGS";
  expect(queue.shift(mayGo)?.request.command).toBe("QMOD");
  expect(queue.shift(mayGo)).toBeUndefined();
  expect(queue.empty).toBe(false);
});

test("a second attempt comes first, unless nobody waits for it any more", async () => {
  const queue = new WorkQueue();
  const patience = new AbortController();
  const first = queue.ask(findRequest("QPIGS"), patience.signal);
  putIn(queue, "QMOD");
  const work = queue.shift(any)!;
  queue.again(work);
  expect(queue.shift(any)).toBe(work);
  patience.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  queue.again(work);
  expect(queue.shift(any)?.request.command).toBe("QMOD");
  expect(queue.empty).toBe(true);
});

test("a question that was met with silence waits behind the others for its second attempt", () => {
  const queue = new WorkQueue();
  putIn(queue, "QPIGS2");
  putIn(queue, "QPIGS");
  queue.again(queue.shift(any)!, { last: true });
  expect(queue.shift(any)?.request.command).toBe("QPIGS");
  expect(queue.shift(any)?.request.command).toBe("QPIGS2");
});

describe("giving up", () => {
  test("takes away the questions of that signal only, those on their way too", async () => {
    const queue = new WorkQueue();
    const patience = new AbortController();
    const mine = [queue.ask(findRequest("QPIGS"), patience.signal), queue.ask(findRequest("QMOD"), patience.signal)];
    const other = queue.ask(findRequest("QID"), signal());
    queue.shift(any);
    patience.abort(new Error("enough"));
    for (const each of mine) await expect(each).rejects.toThrow("enough");
    expect(queue.shift(any)?.request.command).toBe("QID");
    expect(await isSettled(other)).toBe(false);
  });

  test("a reason that is no Error becomes one", async () => {
    const queue = new WorkQueue();
    const patience = new AbortController();
    const mine = queue.ask(findRequest("QPIGS"), patience.signal);
    patience.abort("tired");
    await expect(mine).rejects.toThrow(new Error("tired"));
  });

  test("an answer that comes after it changes nothing", async () => {
    const queue = new WorkQueue();
    const patience = new AbortController();
    const mine = queue.ask(findRequest("QPIGS"), patience.signal);
    const work = queue.shift(any)!;
    patience.abort(new Error("enough"));
    work.resolve(answer);
    await expect(mine).rejects.toThrow("enough");
  });
});

describe("waiting", () => {
  test("for a question ends when there is one", async () => {
    const queue = new WorkQueue();
    const filled = queue.filled({ signal: signal() });
    expect(await isSettled(filled)).toBe(false);
    putIn(queue, "QPIGS");
    await filled;
  });

  test("for a question, or for room, ends with the signal", async () => {
    const queue = new WorkQueue();
    const stop = new AbortController();
    const filled = failureOf(queue.filled({ signal: stop.signal }));
    const full = new WorkQueue();
    putIn(full, "QPIGS");
    putIn(full, "QMOD");
    const room = failureOf(full.room({ signal: stop.signal }));
    stop.abort(new Error("stop"));
    expect([await filled, await room]).toEqual([stop.signal.reason, stop.signal.reason]);
    await expect(queue.filled({ signal: stop.signal })).rejects.toThrow("stop");
  });

  test("for room ends when one of two has gone out, was given up or rejected; a second attempt takes no room", async () => {
    const leave: readonly ((queue: WorkQueue, patience: AbortController) => void)[] = [
      (queue) => void queue.shift(any),
      (_, patience) => patience.abort(new Error("enough")),
      (queue) => queue.rejectAll(new Error("down")),
    ];
    for (const one of leave) {
      const queue = new WorkQueue();
      const patience = new AbortController();
      const asked = ["QPIGS", "QMOD"].map((command) => queue.ask(findRequest(command), patience.signal).catch(String));
      const room = queue.room({ signal: signal() });
      expect(await isSettled(room)).toBe(false);
      one(queue, patience);
      await room;
      patience.abort(new Error("over"));
      await Promise.all(asked);
    }
    const queue = new WorkQueue();
    putIn(queue, "QPIGS");
    const work = queue.shift(any)!;
    work.attempts += 1;
    queue.again(work);
    putIn(queue, "QMOD");
    await queue.room({ signal: signal() });
  });
});

test("once closed it rejects whoever waits and whoever comes", async () => {
  const queue = new WorkQueue();
  const waiting = queue.ask(findRequest("QPIGS"), signal());
  queue.close(new Error("first"));
  queue.close(new Error("second"));
  await expect(waiting).rejects.toThrow("first");
  await expect(queue.ask(findRequest("QPIGS"), signal())).rejects.toThrow("first");
});
