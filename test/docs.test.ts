import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { faultKinds } from "../src/sim/faults.ts";
import { loadConfig } from "../src/app/config-file.ts";
import { blocks, page, root } from "./support/markdown.ts";

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs"), { recursive: true }).map((name) => `docs/${String(name)}`),
].filter((path) => path.endsWith(".md"));

/** As GitHub makes them: lower case, without punctuation, hyphens for spaces. */
const anchors = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

describe.each(pages)("%s", (path) => {
  const text = page(path);
  const withoutBlocks = text.replaceAll(/^```[^]*?^```$/gm, "");

  it("has links that lead somewhere", () => {
    const links = [...withoutBlocks.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(([, markdown, html]) => (markdown ?? html)!);
    const dead = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchors(page(target)).includes(anchor));
    });
    expect(dead).toEqual([]);
  });

  it("names files that are there", () => {
    const named = [...withoutBlocks.matchAll(/`((?:src|web|test|scripts|share|docs|bench)\/[\w./-]*\w)\/?`/g)].map(([, name]) => name!);
    expect(named.filter((name) => !name.startsWith("web/dist") && !existsSync(join(root, name)))).toEqual([]);
  });

  it("names nothing of the machine it was written on", () => {
    expect(text).not.toMatch(/\/work\/|\/root\b|\/home\/\w/);
  });
});

it("every page of docs/ is listed in docs/README.md", () => {
  const listed = [...page("docs/README.md").matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => join("docs", link!));
  expect(pages.filter((path) => path.startsWith("docs/") && path !== "docs/README.md").filter((path) => !listed.includes(path))).toEqual(
    [],
  );
});

it("docs/dependencies.md has a line for each package of package.json, and for no other", () => {
  const manifest = JSON.parse(page("package.json")) as Record<
    "dependencies" | "optionalDependencies" | "devDependencies",
    Record<string, string>
  >;
  const section = (title: string) => {
    const text = page("docs/dependencies.md").split(`## ${title}\n`)[1]!.split("\n## ")[0]!;
    return [...text.matchAll(/^\| `([^`]+)` /gm)].map(([, name]) => name!);
  };
  expect(section("In the program").toSorted()).toEqual(
    Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).toSorted(),
  );
  expect([...section("In the page"), ...section("For development")].toSorted()).toEqual(Object.keys(manifest.devDependencies).toSorted());
});

describe("docs/simulator.md", () => {
  const firstCells = (title: string) =>
    [
      ...page("docs/simulator.md")
        .split(`## ${title}\n`)[1]!
        .split("\n## ")[0]!
        .matchAll(/^\| `([^`]+)`/gm),
    ].map(([, cell]) => cell!);

  it("has every option of `sonkrag simulate`, and no other", () => {
    const help = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), "simulate", "--help"], { encoding: "utf8" }).stdout;
    const options = [...help.matchAll(/^ {2}(?:-h, )?(--[\w-]+)/gm)].map(([, name]) => name!).filter((name) => name !== "--help");
    expect(firstCells("Options").map((cell) => cell.split(" ")[0])).toEqual(options);
  });

  it("has every kind of fault, and no other", () => {
    expect(firstCells("Faults")).toEqual(faultKinds);
  });
});

it("the configuration in docs/install.md is valid", async () => {
  const [text] = blocks("docs/install.md", "yaml");
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-install-"));
  try {
    const file = join(folder, "sonkrag.yaml");
    await writeFile(file, text!);
    expect(loadConfig({ file, env: {} }).config).toMatchObject({ dataDir: "/var/lib/sonkrag", http: { host: "0.0.0.0" } });
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("share/systemd/sonkrag.service", () => {
  const unit = "share/systemd/sonkrag.service";

  it("starts without privileges and may do no more than it has to", () => {
    for (const line of [
      "User=sonkrag",
      "NoNewPrivileges=yes",
      "CapabilityBoundingSet=",
      "ProtectSystem=strict",
      "ProtectHome=yes",
      "DevicePolicy=closed",
    ])
      expect(page(unit).split("\n")).toContain(line);
  });

  it("runs a command line that there is", () => {
    const [, args = ""] = /^ExecStart=sonkrag (.*)$/m.exec(page(unit))!;
    const { status, stdout } = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), ...args.split(" "), "--help"], {
      encoding: "utf8",
    });
    expect([status, stdout.split("\n")[0]]).toEqual([0, "Usage: sonkrag run [options]"]);
  });

  const systemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
  it.skipIf(!systemd)("is understood by systemd", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sonkrag-unit-"));
    try {
      // The program itself need not be installed here.
      const file = join(folder, "sonkrag.service");
      await writeFile(file, readFileSync(join(root, unit), "utf8").replace(/^ExecStart=sonkrag /m, `ExecStart=${process.execPath} `));
      const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
      expect([status, stdout, stderr]).toEqual([0, "", ""]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
