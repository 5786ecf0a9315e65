import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Sandbox extends AsyncDisposable {
  readonly directory: string;
  /** Runs a tool of the project's node_modules in the sandbox. */
  tool(path: string, ...args: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }>;
}

/** A directory of its own with the given files. */
export async function sandbox(files: Readonly<Record<string, string>>): Promise<Sandbox> {
  const directory = await mkdtemp(join(tmpdir(), "sonkrag-checks-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return {
    directory,
    async tool(path, ...args) {
      // Through a file: into a pipe that is full for a moment, oxlint fails to write.
      const file = `${directory}.txt`;
      const out = await open(file, "w+");
      try {
        const { status } = spawnSync(process.execPath, [join(root, "node_modules", path), ...args], {
          cwd: directory,
          stdio: ["ignore", out.fd, out.fd],
        });
        return { status, output: await readFile(file, "utf8") };
      } finally {
        await out.close();
        await rm(file);
      }
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true });
    },
  };
}
