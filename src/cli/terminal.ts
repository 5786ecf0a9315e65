import { once } from "node:events";

/** What a subcommand may use of the process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by SIGINT, SIGTERM, or when nobody reads stdout any more. */
  readonly signal: AbortSignal;
}

/** Writes to stdout and waits until there is room for more. */
export async function print(terminal: Terminal, text: string): Promise<void> {
  terminal.signal.throwIfAborted();
  if (!terminal.stdout.write(text)) await once(terminal.stdout, "drain", { signal: terminal.signal });
}

/** Columns padded to their widest cell; cells of `right` columns stand at the right. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
