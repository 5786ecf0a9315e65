import { describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { WorkQueue, type Question, type Work } from "./work-queue.ts";

const answer = { kind: "nak", at: 0 } as const;
const any = () => true;
const signal = () => new AbortController().signal;
/** The next question; absent when the next is none. */
const shift = (queue: WorkQueue, mayGo: (work: Question) => boolean = any): Question | undefined => {
  const work: Work | undefined = queue.shift((each) => each.kind === "question" && mayGo(each));
  return work?.kind === "question" ? work : undefined;
};
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
  const out = ["", "", ""].map(() => shift(queue));
  expect(out.map((work) => work?.request.command)).toEqual(["QPIGS", "QMOD", "QID"]);
  expect(shift(queue)).toBeUndefined();
  expect(queue.empty).toBe(true);
  for (const work of out) work?.resolve(answer);
  expect(await Promise.all(asked)).toEqual([answer, answer, answer]);
});

test("one that may not go yet is passed over", () => {
  const queue = new WorkQueue();
  putIn(queue, "QPIGS");
  putIn(queue, "QMOD");
  const mayGo = ({ request }: { readonly request: { readonly command: string } }): boolean => request.command !== "QPIGS";
  expect(shift(queue, mayGo)?.request.command).toBe("QMOD");
  expect(shift(queue, mayGo)).toBeUndefined();
  expect(queue.empty).toBe(false);
});

test("a second attempt comes first, unless nobody waits for it any more", async () => {
  const queue = new WorkQueue();
  const patience = new AbortController();
  const first = queue.ask(findRequest("QPIGS"), patience.signal);
  putIn(queue, "QMOD");
  const work = shift(queue)!;
  queue.again(work);
  expect(shift(queue)).toBe(work);
  patience.abort(new Error("enough"));
  await expect(first).rejects.toThrow("enough");
  queue.again(work);
  expect(shift(queue)?.request.command).toBe("QMOD");
  expect(queue.empty).toBe(true);
});

test("a question that was met with silence waits behind the others for its second attempt", () => {
  const queue = new WorkQueue();
  putIn(queue, "QPIGS2");
  putIn(queue, "QPIGS");
  queue.again(shift(queue)!, { last: true });
  expect(shift(queue)?.request.command).toBe("QPIGS");
  expect(shift(queue)?.request.command).toBe("QPIGS2");
});

describe("giving up", () => {
  test("takes away the questions of that signal only, those on their way too", async () => {
    const queue = new WorkQueue();
    const patience = new AbortController();
    const mine = [queue.ask(findRequest("QPIGS"), patience.signal), queue.ask(findRequest("QMOD"), patience.signal)];
    const other = queue.ask(findRequest("QID"), signal());
    shift(queue);
    patience.abort(new Error("enough"));
    for (const each of mine) await expect(each).rejects.toThrow("enough");
    expect(shift(queue)?.request.command).toBe("QID");
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
    const work = shift(queue)!;
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
      (queue) => void shift(queue),
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
    const work = shift(queue)!;
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

describe("what a person waits for", () => {
  test("goes before what is polled, in the order in which it came, second attempts of polling included", () => {
    const queue = new WorkQueue();
    putIn(queue, "QPIGS");
    queue.again(shift(queue)!);
    putIn(queue, "QMOD");
    queue.ask(findRequest("QID"), signal(), { urgent: true }).catch(() => undefined);
    queue.ask(findRequest("QVFW"), signal(), { urgent: true }).catch(() => undefined);
    const order = ["", "", "", ""].map(() => shift(queue)?.request.command);
    expect(order).toEqual(["QID", "QVFW", "QPIGS", "QMOD"]);
  });

  test("does not count as room taken by the poller", async () => {
    const queue = new WorkQueue();
    for (const command of ["QID", "QVFW", "QMN"]) queue.ask(findRequest(command), signal(), { urgent: true }).catch(() => undefined);
    await expect(queue.room({ signal: signal() })).resolves.toBeUndefined();
  });
});

describe("a command that changes something", () => {
  const write = { kind: "write", setting: "outputSourcePriority", value: "sbu", command: "POP02" } as const;

  test("can be given up while it waits", async () => {
    const queue = new WorkQueue();
    const patience = new AbortController();
    const told = queue.tell(write, false, patience.signal);
    patience.abort(new Error("enough"));
    await expect(told).rejects.toThrow("enough");
    expect(queue.empty).toBe(true);
  });

  test("cannot be given up once it is on its way", async () => {
    const queue = new WorkQueue();
    const patience = new AbortController();
    const told = queue.tell(write, false, patience.signal);
    const work = queue.shift(any)!;
    work.attempts = 1;
    patience.abort(new Error("enough"));
    if (work.kind === "telling") work.resolve({ answer: "ack", sent: new Uint8Array(), at: 7 });
    expect(await told).toMatchObject({ answer: "ack", at: 7 });
  });
});
