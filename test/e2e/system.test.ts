import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { InverterInfo } from "../../src/model/reading.ts";
import { record, serials, status, SystemBench } from "../support/system-bench.ts";
import { lowContrast } from "./contrast.ts";
import { ScriptedFeed } from "./scripted-feed.ts";
import { eventually, executablePath, PageVisits, tile } from "./visits.ts";

const modes = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;
const a = `axpert-${serials.a}`;
const b = `axpert-${serials.b}`;
const c = `axpert-${serials.c}`;

/** Three units, one a phase: two with cables of their own, the third told of by the first. */
async function house(): Promise<
  AsyncDisposable & { readonly feed: ScriptedFeed; readonly bench: SystemBench; tell(loads: readonly number[], agoMs?: number): void }
> {
  const bench = await SystemBench.open();
  bench.now = Date.now();
  const feed = new ScriptedFeed({ id: a });
  const other = new ScriptedFeed({ id: b, hub: feed.hub });
  for (const [each, load] of [
    [feed, 323],
    [other, 437],
  ] as const) {
    each.status("online");
    each.history(1);
    each.everything({ load });
  }
  const cables: readonly InverterInfo[] = [bench.plug("usb-1", serials.a), bench.plug("usb-2", serials.b)];
  const tell = (loads: readonly number[], agoMs = 1500): void => {
    bench.now = Date.now() - agoMs;
    bench.tell(
      cables[0]!,
      [serials.a, serials.b, serials.c].map((serial, n) =>
        loads[n] === undefined ? undefined : record(serial, loads[n], { outputMode: modes[n]! }),
      ),
    );
    for (const [n, info] of cables.entries()) bench.say(info, "QPIGS", status(loads[n] ?? 0));
    feed.hub.system(bench.system.state());
  };
  return { feed, bench, tell, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

const strip = (page: Page) => page.getByRole("region", { name: "All units" });
const unit = (page: Page, id: string) => strip(page).locator(`tr[data-unit="${id}"]`);
/** For people who want to look at it. */
const pictures = process.env["SONKRAG_PICTURES"];
async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

describe.skipIf(executablePath === undefined)("several units on the page", () => {
  let visits: PageVisits;
  beforeAll(async () => {
    visits = await PageVisits.open();
  });
  afterAll(() => visits[Symbol.asyncDispose]());
  afterEach(() => visits.endTest());

  test("are a row each with phase, mode and powers, a total, and the choice of what is shown below", async () => {
    await using site = await house();
    site.tell([323, 437, 240]);
    const page = await visits.visit(await visits.serve(site.feed));
    await eventually(() => strip(page).innerText()).toContain("3 of 3 answer");
    expect(await page.getByRole("navigation", { name: "Inverter" }).count()).toBe(0);
    expect(await unit(page, c).innerText()).toMatch(
      /through axpert-92931905106458, unit 2[^]*L3\s+Battery\s+240\sW\s+–\s+↑\s*(discharging\s+)?520\sW/,
    );
    expect(await strip(page).locator("tfoot").innerText()).toMatch(
      /Total\s+1000\sW\s+1000\sW\s+2 of 3 units\s+↑\s*(discharging\s+)?1560\sW/,
    );
    expect(await strip(page).getByRole("list", { name: "Load by phase" }).innerText()).toMatch(/L1 323\sW\s+L2 437\sW\s+L3 240\sW/);
    expect(await unit(page, c).getByRole("button").count()).toBe(0);
    await unit(page, b).getByRole("button", { name: b }).click();
    await eventually(() => tile(page, "Load").innerText()).toContain("437 W");
    site.tell([333, 437, 240]);
    await eventually(() => unit(page, a).innerText()).toMatch(/333\sW/);
  });

  test("one that is missing is told in words, its row is stale, and the total says of how many it is", async () => {
    await using site = await house();
    site.tell([323, 437, 240], 300_000);
    const page = await visits.visit(await visits.serve(site.feed));
    await eventually(() => strip(page).innerText()).toContain("3 of 3 answer");
    site.tell([323, 437]);
    await eventually(() => strip(page).getByRole("list", { name: "What is the matter" }).innerText()).toContain(`${c} (L3) is missing.`);
    expect(await unit(page, c).innerText()).toMatch(/stale, 4 min|stale, 5 min/);
    expect(await strip(page).locator("tfoot").innerText()).toMatch(/760\sW\s+2 of 3 units/);
    expect(await strip(page).innerText()).toContain("2 of 3 answer");
    expect(await strip(page).innerText()).toContain("L3 no unit answers");
  });

  test("go when one is left, and are not there for a single unit", async () => {
    await using site = await house();
    site.tell([323, 437, 240]);
    const page = await visits.visit(await visits.serve(site.feed));
    await eventually(() => strip(page).count()).toBe(1);
    site.feed.hub.system({ ...site.bench.system.state(), expected: 1 });
    await eventually(() => strip(page).count()).toBe(0);
  });

  test.each<readonly [string, BrowserContextOptions]>([
    ["desktop", { viewport: { width: 1440, height: 900 }, colorScheme: "light" }],
    ["desktop-dark", { viewport: { width: 1440, height: 900 }, colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "light" }],
    ["phone-dark", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "dark" }],
    ["small-phone", { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, colorScheme: "light" }],
  ])("fit a %s", async (name, options) => {
    await using site = await house();
    site.tell([323, 437, 240], 300_000);
    const page = await visits.visit(await visits.serve(site.feed), options);
    await eventually(() => strip(page).count()).toBe(1);
    await picture(page, `system-${name}`);
    site.tell([323, 437]);
    await eventually(() => strip(page).locator(".notice").count()).toBeGreaterThan(0);
    await picture(page, `system-${name}-missing`);
    expect(await page.evaluate(lowContrast)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
  });
});
