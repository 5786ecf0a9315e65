import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, sandbox } from "./sandbox.ts";

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[];
  };
}

/** Packages as they would be installed; their names are what counts. */
const packages = Object.fromEntries(
  ["zod", "hono", "vitest"].flatMap((name) => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", type: "module", exports: "./index.js" })],
    [`node_modules/${name}/index.js`, ""],
  ]),
);

/** What dependency-cruiser, with the project's rules, finds in a tree of the given files: `rule: from -> to`. */
async function cruise(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly seen: readonly string[]; readonly found: readonly string[] }> {
  await using box = await sandbox({ "package.json": await readFile(join(root, "package.json"), "utf8"), ...packages, ...files });
  const rules = join(root, ".dependency-cruiser.mjs");
  const { output } = await box.tool(
    "dependency-cruiser/bin/dependency-cruise.mjs",
    "src",
    "web",
    "--config",
    rules,
    "--output-type",
    "json",
  );
  const { modules, summary } = JSON.parse(output) as Cruise;
  return {
    seen: modules.map(({ source }) => source),
    found: summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`).sort(),
  };
}

/** A small tree in which every import is allowed, types included. */
const clean = {
  "src/index.ts": `export * from "./model/a.ts";\nexport { p } from "./protocol/p.ts";`,
  "src/model/a.ts": `export const a = 1;\nexport interface A { readonly a: number }`,
  "src/protocol/p.ts": `import { a } from "../model/a.ts";\nexport const p = a;`,
  "src/session/transport.ts": `import type { A } from "../model/a.ts";\nexport interface Transport { readonly a: A }`,
  "src/session/line.ts": `import type { Transport } from "./transport.ts";\nimport { p } from "../protocol/p.ts";\nexport const line = (t: Transport) => [t, p];`,
  "src/session/line.test.ts": `import { sim } from "../sim/sim.ts";\nimport { line } from "./line.ts";\nline(sim);`,
  "src/sim/sim.ts": `import type { Transport } from "../session/transport.ts";\nexport const sim: Transport = { a: { a: 1 } };`,
  "src/transport/tcp.ts": `import { connect } from "node:net";\nimport type { Transport } from "../session/transport.ts";\nexport const open = (t: Transport) => [t, connect];`,
  "src/api/live.ts": `import * as z from "zod";\nimport type { A } from "../model/a.ts";\nexport const live = (a: A) => z.literal(a.a);`,
  "src/sinks/log.ts": `import type { A } from "../model/a.ts";\nimport { live } from "../api/live.ts";\nexport const log = (a: A) => live(a);`,
  "src/server/http.ts": `import { Hono } from "hono";\nimport { live } from "../api/live.ts";\nexport const http = [live, Hono];`,
  "src/app/run.ts": `import { line } from "../session/line.ts";\nimport { open } from "../transport/tcp.ts";\nimport { log } from "../sinks/log.ts";\nimport { http } from "../server/http.ts";\nexport const run = [line, open, log, http];`,
  "src/cli/main.ts": `import { run } from "../app/run.ts";\nimport { sim } from "../sim/sim.ts";\nconsole.log(run, sim);`,
  "web/src/main.ts": `import { a } from "../../src/model/a.ts";\nimport type { live } from "../../src/api/live.ts";\nexport const page = (l: typeof live) => [a, l];`,
};

test("a tree that keeps to the table passes, and is really looked at", async () => {
  const { seen, found } = await cruise(clean);
  expect(found).toEqual([]);
  expect(seen).toEqual(expect.arrayContaining(Object.keys(clean)));
});

test("each planted violation is named", async () => {
  const { found } = await cruise({
    ...clean,
    "src/model/upward.ts": `import { p } from "../protocol/p.ts";\nexport const upward = p;`,
    "src/protocol/to-session.ts": `import type { Transport } from "../session/transport.ts";\nexport type T = Transport;`,
    "src/protocol/to-node.ts": `import { readFileSync } from "node:fs";\nexport const read = readFileSync;`,
    "src/session/to-transport.ts": `import { open } from "../transport/tcp.ts";\nexport const o = open;`,
    "src/sim/to-package.ts": `import * as z from "zod";\nexport const n = z.number();`,
    "src/transport/to-line.ts": `import { line } from "../session/line.ts";\nexport const l = line;`,
    "src/api/to-server.ts": `import { http } from "../server/http.ts";\nexport const h = http;`,
    "src/api/to-package.ts": `import { Hono } from "hono";\nexport const h = Hono;`,
    "src/sinks/to-session.ts": `import { line } from "../session/line.ts";\nexport const l = line;`,
    "src/server/to-sinks.ts": `import { log } from "../sinks/log.ts";\nexport const l = log;`,
    "src/app/to-cli.ts": `import "../cli/main.ts";`,
    "src/cli/to-transport.ts": `import { open } from "../transport/tcp.ts";\nexport const o = open;`,
    "src/sinks/round.ts": `import type { Trip } from "./trip.ts";\nexport type Round = Trip;`,
    "src/sinks/trip.ts": `import type { Round } from "./round.ts";\nexport type Trip = Round;`,
    "src/protocol/barrel.ts": `export { p } from "./p.ts";`,
    "src/protocol/index.ts": `import { p } from "./p.ts";\nexport const q = p;`,
    "src/protocol/to-index.ts": `import { q } from "./index.ts";\nexport const r = q;`,
    "src/app/to-entry.ts": `import { p } from "../index.ts";\nexport const q = p;`,
    "src/app/orphan.ts": `export const alone = 1;`,
    "src/app/to-test.ts": `import "../session/line.test.ts";`,
    "src/app/to-dev.ts": `import { test } from "vitest";\nexport const t = test;`,
    "src/app/to-nowhere.ts": `import "./not-there.ts";`,
    "src/novel/n.ts": `import { a } from "../model/a.ts";\nexport const n = a;`,
    "src/app/to-novel.ts": `import { n } from "../novel/n.ts";\nexport const m = n;`,
    "web/src/to-server.ts": `import { http } from "../../src/server/http.ts";\nexport const h = http;`,
    "web/src/to-api.ts": `import { live } from "../../src/api/live.ts";\nexport const l = live;`,
  });
  expect(found).toEqual(
    [
      "model-imports-only-what-it-may: src/model/upward.ts -> src/protocol/p.ts",
      "protocol-imports-only-what-it-may: src/protocol/to-session.ts -> src/session/transport.ts",
      "pure-code-stands-alone: src/protocol/to-node.ts -> fs",
      "session-imports-only-what-it-may: src/session/to-transport.ts -> src/transport/tcp.ts",
      "pure-code-stands-alone: src/sim/to-package.ts -> node_modules/zod/index.js",
      "transport-imports-only-what-it-may: src/transport/to-line.ts -> src/session/line.ts",
      "api-imports-only-what-it-may: src/api/to-server.ts -> src/server/http.ts",
      "api-needs-only-zod: src/api/to-package.ts -> node_modules/hono/index.js",
      "sinks-imports-only-what-it-may: src/sinks/to-session.ts -> src/session/line.ts",
      "server-imports-only-what-it-may: src/server/to-sinks.ts -> src/sinks/log.ts",
      "app-imports-only-what-it-may: src/app/to-cli.ts -> src/cli/main.ts",
      "cli-imports-only-what-it-may: src/cli/to-transport.ts -> src/transport/tcp.ts",
      "no-cycle: src/sinks/round.ts -> src/sinks/trip.ts",
      "no-barrel: src/protocol/barrel.ts -> src/protocol/p.ts",
      "no-index-file: src/protocol/to-index.ts -> src/protocol/index.ts",
      "nothing-imports-the-entry: src/app/to-entry.ts -> src/index.ts",
      "app-imports-only-what-it-may: src/app/to-entry.ts -> src/index.ts",
      "no-orphan: src/app/orphan.ts -> src/app/orphan.ts",
      "no-test-in-the-program: src/app/to-test.ts -> src/session/line.test.ts",
      "no-development-package-in-the-program: src/app/to-dev.ts -> node_modules/vitest/index.js",
      "no-unresolvable: src/app/to-nowhere.ts -> ./not-there.ts",
      "no-folder-outside-the-table: src/app/to-novel.ts -> src/novel/n.ts",
      "app-imports-only-what-it-may: src/app/to-novel.ts -> src/novel/n.ts",
      "web-imports-only-what-it-may: web/src/to-server.ts -> src/server/http.ts",
      "web-takes-only-types-of-the-api: web/src/to-api.ts -> src/api/live.ts",
    ].sort(),
  );
});

test("every folder of the source is compiled behind its own wall", async () => {
  const entries = await readdir(join(root, "src"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `./src/${name}`);
  const { references } = JSON.parse(await readFile(join(root, "tsconfig.build.json"), "utf8")) as {
    readonly references: readonly { readonly path: string }[];
  };
  expect(references.map(({ path }) => path).sort()).toEqual(["./src", ...folders].sort());
});
