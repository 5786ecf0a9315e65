import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Sandbox extends AsyncDisposable {
  readonly directory: string;
  /** Runs a tool of the project's node_modules in the sandbox. */
  tool(path: string, ...args: readonly string[]): { readonly status: number | null; readonly output: string };
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
    tool(path, ...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules", path), ...args], {
        cwd: directory,
        encoding: "utf8",
      });
      return { status, output: `${stdout}${stderr}` };
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true });
    },
  };
}
