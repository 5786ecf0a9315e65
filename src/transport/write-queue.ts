/** Writes to one medium one after the other; whoever waits is let go at once when the signal fires or the medium is closed. */
export class WriteQueue {
  #tail: Promise<void> = Promise.resolve();
  readonly #waiters = new Set<(reason: Error) => void>();

  /** Runs the job after all earlier ones. A job that is under way when the signal fires runs to its end unattended: the kernel cannot be stopped. */
  run(job: () => Promise<void>, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(reject);
      this.#tail = this.#tail
        .then(() => (signal.aborted ? undefined : job()))
        .then(resolve, reject)
        .finally(() => {
          signal.removeEventListener("abort", onAbort);
          this.#waiters.delete(reject);
        });
    });
  }

  /** Rejects everyone who waits. */
  close(reason: Error): void {
    for (const reject of this.#waiters) reject(reason);
  }
}
