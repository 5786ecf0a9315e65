/** One after the other, in the order of asking. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Works that wait or run. */
  get size(): number {
    return this.#waiting;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#last.then(work);
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  /** Resolves when everything that was asked for has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}
