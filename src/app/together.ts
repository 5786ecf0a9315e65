/** Waits for all; the first that fails stops the others, and its error is the one that counts. */
export async function together(tasks: readonly Promise<void>[], stop: AbortController): Promise<void> {
  const errors: unknown[] = [];
  await Promise.all(
    tasks.map((task) =>
      task.catch((error: unknown) => {
        errors.push(error);
        stop.abort();
      }),
    ),
  );
  if (errors.length > 0) throw errors[0];
}
