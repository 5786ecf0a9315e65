import type { Clock } from "../session/clock.ts";

interface Sleeper {
  readonly deadline: number;
  readonly order: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal;
  done: boolean;
}

/**
 * A clock that runs as fast as the machine: time stands still while anything runs and jumps to the next deadline once
 * every settled promise has been followed up. Sleepers wake one at a time, by deadline and then in the order in which
 * they went to sleep, so a program on this clock does the same in every run.
 */
export class VirtualClock implements Clock {
  readonly #epoch: number;
  readonly #turnMs: number;
  #elapsed = 0;
  #order = 0;
  #scheduled = false;
  /** A binary heap by deadline, then order; woken and aborted sleepers leave it lazily. */
  readonly #sleepers: Sleeper[] = [];
  readonly #bySignal = new WeakMap<AbortSignal, Set<Sleeper>>();
  readonly #laterTurn = laterTurn();

  /**
   * Starts at `epoch`, UTC epoch ms. `turnMs` is what a `sleep(0)` costs: above 0, a loop that only gives way
   * (a busy poll) still makes time pass.
   */
  constructor(epoch: number, { turnMs = 0 }: { readonly turnMs?: number } = {}) {
    this.#epoch = epoch;
    this.#turnMs = turnMs;
  }

  now(): number {
    return Math.floor(this.#epoch + this.#elapsed);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const deadline = this.#elapsed + (ms > 0 ? ms : this.#turnMs);
      const sleeper: Sleeper = { deadline, order: this.#order++, resolve, reject, signal, done: false };
      this.#waitersOf(signal).add(sleeper);
      // Who sleeps for ever is woken by the signal alone; time must not jump there.
      if (deadline === Number.POSITIVE_INFINITY) return;
      push(this.#sleepers, sleeper);
      this.#schedule();
    });
  }

  /** One abort listener a signal, not one a sleep: adding and removing listeners would cost more than the sleep. */
  #waitersOf(signal: AbortSignal): Set<Sleeper> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const waiters = new Set<Sleeper>();
    this.#bySignal.set(signal, waiters);
    signal.addEventListener(
      "abort",
      () => {
        for (const sleeper of waiters) {
          sleeper.done = true;
          sleeper.reject(signal.reason);
        }
        waiters.clear();
      },
      { once: true },
    );
    return waiters;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#laterTurn(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    let next = pop(this.#sleepers);
    while (next?.done === true) next = pop(this.#sleepers);
    if (next === undefined) return;
    if (next.deadline > this.#elapsed) this.#elapsed = next.deadline;
    next.done = true;
    this.#bySignal.get(next.signal)?.delete(next);
    next.resolve();
    if (this.#sleepers.length > 0) this.#schedule();
  };
}

/**
 * A macrotask: it comes after every promise that is already settled has been followed up. `setImmediate` where there
 * is one, because it also lets real I/O in and does not keep a channel open; else a message to ourselves.
 */
function laterTurn(): (callback: () => void) => void {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate !== undefined) return (callback) => void setImmediate(callback);
  return (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      callback();
    };
    port2.postMessage(undefined);
  };
}

function before(a: Sleeper, b: Sleeper): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}

function push(heap: Sleeper[], sleeper: Sleeper): void {
  let index = heap.push(sleeper) - 1;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || !before(sleeper, parent)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = sleeper;
}

function pop(heap: Sleeper[]): Sleeper | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let childIndex = 2 * index + 1;
    let child = heap[childIndex];
    if (child === undefined) break;
    const right = heap[childIndex + 1];
    if (right !== undefined && before(right, child)) {
      child = right;
      childIndex += 1;
    }
    if (!before(child, last)) break;
    heap[index] = child;
    index = childIndex;
  }
  heap[index] = last;
  return first;
}
