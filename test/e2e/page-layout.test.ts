import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { lowContrast } from "./contrast.ts";
import { ScriptedFeed } from "./scripted-feed.ts";
import { drawn, eventually, executablePath, PageVisits, sectionCard, tile } from "./visits.ts";

describe.skipIf(executablePath === undefined)("the look of the page in Chromium", () => {
  let visits: PageVisits;

  beforeAll(async () => {
    visits = await PageVisits.open();
  });

  afterAll(() => visits[Symbol.asyncDispose]());

  afterEach(() => visits.endTest());

  test("says so, always in sight, when the inverter is simulated", async () => {
    const feed = new ScriptedFeed({ simulated: true });
    feed.status("online");
    feed.everything();
    const page = await visits.visit(await visits.serve(feed), { viewport: { width: 390, height: 844 } });
    const banner = page.getByRole("note");
    await eventually(() => banner.innerText()).toBe("Simulated inverter: nothing here is real");
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await eventually(async () => (await banner.boundingBox())?.y).toBe(0);
    const real = new ScriptedFeed();
    real.status("online");
    real.everything();
    const other = await visits.visit(await visits.serve(real));
    await eventually(() => other.locator("tr[data-name]").count()).toBeGreaterThan(30);
    expect(await other.getByRole("note").count()).toBe(0);
  });

  test("keeps what a household does not need out of the way: raw fields, a single unit's parallel data, the sun's absence at night", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything({ warnings: ["pvLoss"] });
    feed.send("QPGS0", { unitExists: false, serialNumber: "92931905106458", loadActivePower: 822 });
    const page = await visits.visit(await visits.serve(feed));
    await eventually(() => page.locator(".identity").innerText()).toContain("Note: No PV power");
    expect(await page.locator(".notice").count()).toBe(0);
    expect(await page.locator(".identity").innerText()).not.toContain("parallel");
    const hidden = [
      { title: "Technical", text: /Warning bits[^]*QPIWS/ },
      { title: "Parallel data (QPGS0)", text: /Load\s+822 W/ },
    ];
    for (const { title, text } of hidden) {
      expect(await sectionCard(page, title).innerText()).not.toMatch(text);
      await sectionCard(page, title).locator("summary").click();
      expect(await sectionCard(page, title).innerText()).toMatch(text);
    }
    expect(await sectionCard(page, "Technical").locator("tr[data-name]").count()).toBe(4);
    feed.send("QPGS0", { unitExists: true, serialNumber: "92931905106458", loadActivePower: 822 });
    await eventually(() => sectionCard(page, "Parallel unit 0 92931905106458").innerText()).toMatch(/Load\s+822 W/);
  });

  test("fills the plot from the start, and says which time it shows", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    const since = Date.now() - 10 * 60_000;
    feed.history(10 / 60);
    const page = await visits.visit(await visits.serve(feed));
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" });
    const heading = page.locator("#plot-title");
    await eventually(() => heading.innerText()).toBe(`Since ${clock.format(since)}`);
    // Ten minutes of values fill the width although an hour is chosen.
    await eventually(() => drawn(page, [0.05, 0.95])).toEqual([true, true]);
    await page.getByRole("button", { name: "15 min" }).click();
    expect(await heading.innerText()).toBe(`Since ${clock.format(since)}`);
    feed.history(6);
    await page.reload();
    await eventually(() => heading.innerText()).toBe("Last hour");
    await page.getByRole("button", { name: "6 h" }).click();
    await eventually(() => heading.innerText()).toBe("Last 6 h");
  });

  test("nothing moves while values change their width", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.history(1);
    feed.everything({ load: 9, pv: 0, chargeCurrent: 0, soc: 9, pv2: 0 });
    const page = await visits.visit(await visits.serve(feed));
    for (const width of [1440, 1000, 390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      const places = (): Promise<string[]> =>
        page.evaluate(() =>
          [...document.querySelectorAll(".tile, .plot, .plot-area, .readout li, .values")].map((element) => {
            const { x, y, width: across, height } = element.getBoundingClientRect();
            return `${element.className} ${x} ${y + window.scrollY} ${across} ${height}`;
          }),
        );
      feed.general({ load: 9, pv: 0, chargeCurrent: 0, soc: 9 });
      await eventually(() => tile(page, "Load").innerText()).toContain("9 W");
      const before = await places();
      feed.general({ load: 6543, pv: 0, chargeCurrent: 0, dischargeCurrent: 99, soc: 100 });
      await eventually(() => tile(page, "Load").innerText()).toContain("6543 W");
      expect(await places(), `at ${width}`).toEqual(before);
    }
  });

  test("a phone's first screen has the banner, the state, the four tiles and the top of the plot", async () => {
    const feed = new ScriptedFeed({ simulated: true });
    feed.status("online");
    feed.history(1);
    feed.everything({ load: 2345, pv: 3456, pv2: 2345, warnings: ["pvLoss"] });
    const page = await visits.visit(await visits.serve(feed), { viewport: { width: 390, height: 844 } });
    await eventually(() => page.locator(".tile:not(.stale)").count()).toBe(4);
    const bottom = async (selector: string): Promise<number> => {
      const box = (await page.locator(selector).last().boundingBox())!;
      return box.y + box.height;
    };
    for (const part of [".simulated", ".state", ".tile", ".readout"]) expect(await bottom(part), `bottom of ${part}`).toBeLessThan(700);
  });

  test("is readable in light and dark: live, warned and stale", async () => {
    const feed = new ScriptedFeed({ simulated: true });
    feed.status("online");
    feed.history(1);
    feed.everything({ warnings: ["overload"] });
    feed.parallelUnits();
    const page = await visits.visit(await visits.serve(feed));
    await eventually(() => page.locator("tr[data-name]").count()).toBeGreaterThan(30);
    for (const state of ["online", "lost"] as const) {
      feed.status(state, state === "lost" ? "Check the cable." : "");
      await eventually(() => page.locator(state === "lost" ? "tr.stale" : "tr:not(.stale)").count()).toBeGreaterThan(30);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await page.evaluate(lowContrast), `${state} in ${colorScheme}`).toEqual([]);
      }
    }
  });

  test("fits every screen", async () => {
    const feed = new ScriptedFeed({ simulated: true });
    feed.status("online");
    feed.history(1);
    feed.everything({
      load: 12_345,
      pv: 10_450,
      pv2: 9_800,
      chargeCurrent: 0,
      dischargeCurrent: 150,
      warnings: ["batteryUnderVoltageShutdown", "highAcInputAtSoftStart"],
    });
    feed.parallelUnits();
    const page = await visits.visit(await visits.serve(feed));
    await eventually(() => page.locator("tr[data-name]").count()).toBeGreaterThan(30);
    for (const width of [1440, 768, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      const beyond = (): Promise<string[]> =>
        page.evaluate(() =>
          [...document.querySelectorAll("body *")]
            .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 0.5)
            .map((element) => `${element.tagName} ${element.textContent?.slice(0, 40) ?? ""}`),
        );
      // The plot is drawn anew one frame after the change of size.
      await eventually(beyond).toEqual([]);
    }
  });

  test("weighs less than 60 kB on the wire", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    const server = await visits.serve(feed);
    const index = await (await fetch(server.url)).text();
    let bytes = 0;
    for (const [, path] of index.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      const response = await fetch(new URL(path!, server.url), { headers: { "accept-encoding": "gzip" } });
      bytes += Number(response.headers.get("content-length"));
    }
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(60_000);
  });
});
