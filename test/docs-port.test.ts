import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { configJsonSchema } from "../src/app/config-docs.ts";
import { loadConfig } from "../src/app/config-file.ts";
import { controlMethods } from "../src/app/control/control-methods.ts";
import type { ControlService } from "../src/app/control/service.ts";
import { daemonMethods } from "../src/app/daemon-methods.ts";
import { blocks, page } from "./support/markdown.ts";

const firstCells = (text: string): string[] => [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, cell]) => cell!);

it("docs/shared-port.md has every key of sharedPort with its default, and no other", () => {
  const { sharedPort } = configJsonSchema().properties!;
  const rows = [...page("docs/shared-port.md").matchAll(/^\| `sharedPort\.(\w+)` +\| (?:`([^`]+)`)? +\|/gm)];
  const shown = Object.fromEntries(rows.map(([, key, value]) => [key!, value]));
  const declared = Object.entries(sharedPort!.properties!).map(([key, { default: value }]) => [key, value]);
  // What is absent refuses.
  const expected = declared.map(([key, value]) => [
    key,
    key === "settings" ? "refuse" : value === undefined ? undefined : JSON.stringify(value).replaceAll('"', ""),
  ]);
  expect(shown).toEqual(Object.fromEntries(expected));
});

it("the configuration in docs/shared-port.md is valid", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-shared-"));
  try {
    const file = join(folder, "sonkrag.yaml");
    await writeFile(file, blocks("docs/shared-port.md", "yaml")[0]!);
    expect(loadConfig({ file, env: {} }).config.sharedPort).toMatchObject({ pty: "/run/sonkrag/inverter", tcp: 8899, maxAgeMs: 5000 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

const nothing = (): never => {
  throw new Error("not asked");
};

it("docs/local-socket.md has every method", () => {
  const table = page("docs/local-socket.md").split("## Methods\n")[1]!;
  const methods = {
    ...daemonMethods({ inverters: () => [], snapshot: nothing, diagnosis: { link: nothing, traffic: nothing, bundle: nothing } }),
    ...controlMethods({} as ControlService, () => [], nothing),
  };
  expect(firstCells(table).toSorted()).toEqual(["hello", ...Object.keys(methods)].toSorted());
});
