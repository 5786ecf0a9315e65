/**
 * `npm start`: gets ready, then becomes `sonkrag run` in this same process, so that signals reach it directly. (The script in
 * package.json says `exec` for the same reason: a shell in between would keep to itself what npm passes on.)
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readyOrExit, root } from "./ready.mjs";

await readyOrExit();
const program = join(root, "dist", "cli", "main.js");
process.argv.splice(1, 1, program, "run");
await import(pathToFileURL(program).href);
