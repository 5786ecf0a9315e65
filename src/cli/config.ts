import { fileURLToPath } from "node:url";
import { configJsonSchema, exampleConfig } from "../app/config-docs.ts";
import { loadConfig } from "../app/config-file.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

/** Says that the configuration is valid and which file it is; mistakes end in a ConfigError that lists them all. */
export async function checkConfig(file: string | undefined, terminal: Terminal): Promise<Exit> {
  const loaded = loadConfig({ file, env: terminal.env, cwd: terminal.cwd });
  await print(terminal, loaded.file === undefined ? "No configuration file; the defaults are in use.\n" : `${loaded.file}: valid\n`);
  return "ok";
}

/** Prints the JSON Schema of the configuration file. */
export async function printSchema(terminal: Terminal): Promise<Exit> {
  await print(terminal, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return "ok";
}

/** Prints a configuration file with every key, for a start. */
export async function printExample(terminal: Terminal): Promise<Exit> {
  const schemaPath = fileURLToPath(new URL("../../share/sonkrag.schema.json", import.meta.url));
  await print(terminal, exampleConfig({ schemaPath }));
  return "ok";
}
