/**
 * Writes what is derived from declarations in the source: the JSON Schema for editors, the dashboards for Grafana, and in
 * each page of docs/ the part between its `generated` marks. `--check` changes nothing and fails if something is not as it
 * would be written. Works on the build, so build first.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format } from "prettier";
import { findingTexts } from "../dist/app/findings.js";
import { configJsonSchema, configTable, exampleConfig } from "../dist/app/config-docs.js";
import { exits } from "../dist/cli/exit.js";
import { createProgram } from "../dist/cli/program.js";
import { errorCodes } from "../dist/model/errors.js";
import { profiles } from "../dist/sim/profiles.js";
import { grafanaDashboards } from "./grafana-dashboards.mjs";
import { pi30Faults, pi30Models, pi30Overview, pi30Reference, pi30Warnings } from "./protocol-docs.mjs";
import { pi30Families, pi30Forbidden, pi30Settings } from "./settings-docs.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const errorTable = () =>
  ["| Code | Meaning |", "| --- | --- |", ...Object.entries(errorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)].join(
    "\n",
  );

const exitTable = () =>
  ["| Code | Meaning |", "| --- | --- |", ...Object.values(exits).map(({ code, meaning }) => `| ${code} | ${meaning} |`)].join("\n");

const simulatedModels = () =>
  [
    "| `--model` | What it is | Its forms come from |",
    "| --- | --- | --- |",
    ...profiles.map(({ name, title, source }) => `| \`${name}\` | ${title} | ${source} |`),
  ].join("\n");

const findings = () =>
  [
    "| Code | Title | What to do |",
    "| --- | --- | --- |",
    ...Object.entries(findingTexts).map(([code, { title, whatToDo }]) => `| \`${code}\` | ${title} | ${whatToDo} |`),
  ].join("\n");

/** The help of every subcommand, as printed. */
function help() {
  let text = "";
  const unused = process.stdin;
  const stdout = Object.assign(Object.create(process.stdout), {
    /** @param {string} chunk */
    write: (chunk) => {
      text += chunk;
      return true;
    },
  });
  const { program } = createProgram({
    stdin: unused,
    stdout,
    stderr: stdout,
    env: {},
    cwd: root,
    signal: new AbortController().signal,
  });
  return [program, ...program.commands]
    .map((command) => {
      text = "";
      command.outputHelp();
      const name = command === program ? "sonkrag" : `sonkrag ${command.name()}`;
      return `## \`${name}\`\n\n\`\`\`text\n${text.trim()}\n\`\`\``;
    })
    .join("\n\n");
}

/** @type {Record<string, Record<string, () => string>>} file of docs/ → mark → content */
const parts = {
  "configuration.md": {
    keys: configTable,
    example: () => `\`\`\`yaml\n${exampleConfig({ schemaPath: "./share/sonkrag.schema.json" })}\`\`\``,
  },
  "errors.md": { codes: errorTable },
  "cli.md": { exits: exitTable, help },
  "simulator.md": { models: simulatedModels },
  "diagnosis.md": { findings },
  "protocol/pi30.md": { overview: pi30Overview, commands: pi30Reference, warnings: pi30Warnings, faults: pi30Faults, models: pi30Models },
  "protocol/pi30-settings.md": { families: pi30Families, settings: pi30Settings, forbidden: pi30Forbidden },
};

/** Every derived file as it has to be, by its path from the root. */
async function derived() {
  /** @type {Map<string, string>} */
  const files = new Map();
  const pretty = (/** @type {string} */ text, /** @type {string} */ parser) => format(text, { parser, printWidth: 140 });
  files.set("share/sonkrag.schema.json", await pretty(JSON.stringify(configJsonSchema()), "json"));
  for (const [name, dashboard] of Object.entries(grafanaDashboards()))
    files.set(`share/grafana/${name}`, await pretty(JSON.stringify(dashboard), "json"));
  for (const [name, marks] of Object.entries(parts)) {
    const path = `docs/${name}`;
    let page = readFileSync(join(root, path), "utf8");
    for (const [mark, content] of Object.entries(marks)) {
      const [open, close] = [`<!-- generated: ${mark} -->`, "<!-- /generated -->"];
      const start = page.indexOf(open);
      const end = page.indexOf(close, start);
      if (start === -1 || end === -1) throw new Error(`${path}: expected "${open}" and "${close}" after it`);
      page = `${page.slice(0, start + open.length)}\n\n${content()}\n\n${page.slice(end)}`;
    }
    files.set(path, await pretty(page, "markdown"));
  }
  return files;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const stale = [...(await derived())].filter(([path, text]) => {
    try {
      return readFileSync(join(root, path), "utf8") !== text;
    } catch {
      return true;
    }
  });
  if (process.argv.includes("--check")) {
    for (const [path] of stale) console.error(`${path} is not as its source declares it; run: node scripts/generate-docs.mjs`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const [path, text] of stale) writeFileSync(join(root, path), text);
  }
}
