import { spawn } from "node:child_process";

/** How a helper program ended; `missing` when it is not installed. */
type ToolResult = { readonly status: number; readonly stderr: string } | "missing";

/**
 * Runs a small system program that acts on a file we have open: it finds that file as its descriptor 3 (`/proc/self/fd/3`).
 * Descriptor 3, not 0: on 0 to 2 the child's start-up code would switch the file, which it shares with us, back to blocking.
 */
export function runTool(name: string, args: readonly string[], fd: number, { signal }: { signal: AbortSignal }): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(name, args, { stdio: ["ignore", "ignore", "pipe", fd], signal, env: { ...process.env, LC_ALL: "C" } });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (error.code === "ENOENT") resolve("missing");
      else reject(error);
    });
    child.on("close", (status) => resolve({ status: status ?? -1, stderr: stderr.trim() }));
  });
}
