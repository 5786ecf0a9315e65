import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export const page = (path: string): string => readFileSync(join(root, path), "utf8");

/** The contents of a page's fenced blocks of one language. */
export function blocks(path: string, language: string): string[] {
  return [...page(path).matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(([, text]) => text!);
}

/** Every command of a page's `sh` blocks, a line each, without the comment behind it. */
export function commands(path: string): string[] {
  return blocks(path, "sh").flatMap((block) =>
    block
      .split("\n")
      .map((line) => line.replace(/ +# .*$/, "").trim())
      .filter((line) => line !== ""),
  );
}
