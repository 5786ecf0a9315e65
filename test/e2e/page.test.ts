import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { silentLogger } from "../../src/model/logger.ts";
import { HttpServer } from "../../src/server/http.ts";
import { lowContrast } from "./contrast.ts";
import { ScriptedFeed } from "./scripted-feed.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe.skipIf(executablePath === undefined)("the page in Chromium", () => {
  let webRoot: string;
  let browser: Browser;
  const opened: AsyncDisposable[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    webRoot = await mkdtemp(join(tmpdir(), "sonkrag-page-"));
    const root = fileURLToPath(new URL("../../web", import.meta.url));
    await build({ root, logLevel: "silent", build: { outDir: webRoot, emptyOutDir: true } });
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", ...quiet] });
  });

  afterAll(async () => {
    await browser.close();
    await rm(webRoot, { recursive: true });
  });

  afterEach(async () => {
    for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]();
    expect(complaints.splice(0)).toEqual([]);
  });

  async function serve(feed: ScriptedFeed, port = 0): Promise<HttpServer> {
    const server = await HttpServer.open({ host: "127.0.0.1", port, fallbackPorts: false, hub: feed.hub, webRoot, logger: silentLogger });
    opened.push(server);
    return server;
  }

  /** Opens the page and watches it: a script error, a console error or a request to elsewhere fails the test. */
  async function visit(
    server: HttpServer,
    options: BrowserContextOptions & { readonly serverMayGo?: boolean; readonly before?: (page: Page) => Promise<void> } = {},
  ): Promise<Page> {
    const { serverMayGo = false, before, ...contextOptions } = options;
    const context = await browser.newContext(contextOptions);
    opened.push({ [Symbol.asyncDispose]: () => context.close() });
    const page = await context.newPage();
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`request to ${request.url()}`);
    });
    page.on("pageerror", (error) => complaints.push(`script error: ${error.message}`));
    page.on("console", (message) => {
      const gone = serverMayGo && message.text().includes("net::ERR_");
      if ((message.type() === "error" || message.type() === "warning") && !gone) complaints.push(`console: ${message.text()}`);
    });
    await before?.(page);
    await page.goto(server.url);
    await page.waitForSelector("main");
    return page;
  }

  const tile = (page: Page, name: string) => page.locator(".tile", { has: page.getByRole("heading", { name }) });
  const row = (page: Page, command: string, name: string) => page.locator(`tr[data-command="${command}"][data-name="${name}"]`);

  test("shows values as they come and change", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    const server = await serve(feed);
    const page = await visit(server);
    await eventually(() => tile(page, "Load").innerText()).toContain("not read yet");
    expect(await page.locator("tr[data-name]").count()).toBe(0);
    feed.everything({ load: 823, pv: 1240, soc: 85 });
    await eventually(() => tile(page, "Load").innerText()).toContain("823 W");
    await eventually(() => page.title()).toBe("823 W load · sonkrag");
    expect(await tile(page, "Solar").innerText()).toContain("1240 W");
    expect(await tile(page, "Battery").innerText()).toMatch(/85 %[^]*charging\s419\sW[^]*52\.4\sV/);
    expect(await tile(page, "Grid").innerText()).toMatch(/Present[^]*229\.4\sV/);
    expect(await page.getByRole("status").innerText()).toBe("Online, line mode");
    expect(await row(page, "QPIGS", "batteryVoltage").innerText()).toMatch(/52\.40 V/);
    expect(await row(page, "QPIRI", "outputSourcePriority").innerText()).toContain("SBU");
    expect(await row(page, "QPIGS", "batteryPower").innerText()).toContain("derived");
    feed.general({ load: 2510, pv: 0, gridVoltage: 0, chargeCurrent: 0, dischargeCurrent: 50 });
    await eventually(() => page.title()).toBe("2.5 kW load · sonkrag");
    expect(await tile(page, "Load").innerText()).toContain("2510 W");
    expect(await tile(page, "Grid").innerText()).toContain("Absent");
    expect(await tile(page, "Battery").innerText()).toMatch(/discharging\s2620\sW/);
  });

  test("a reading touches its own nodes only", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything();
    const page = await visit(await serve(feed));
    await page.waitForSelector("tr[data-command=QPIRI]");
    await page.evaluate(() => {
      const touched: string[] = [];
      Object.assign(window, { touched });
      const observer = new MutationObserver((records) => {
        for (const { target } of records) {
          const element = target instanceof Element ? target : target.parentElement;
          if (element?.closest(".age, .foot, .plot, .link") == null)
            touched.push(element?.closest("tr")?.dataset["name"] ?? element?.outerHTML.slice(0, 60) ?? "?");
        }
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    feed.general({ soc: 86 });
    await eventually(() => row(page, "QPIGS", "batterySoc").innerText()).toContain("86 %");
    const touched = await page.evaluate(() => (window as unknown as { touched: string[] }).touched);
    expect(touched.filter((name) => name === "batterySoc").length).toBeGreaterThan(0);
    expect(touched.filter((name) => name !== "batterySoc" && !name.startsWith("<"))).toEqual([]);
  });

  test("counts ages on the server's clock, whatever the reader's clock says", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    const page = await visit(await serve(feed), {
      before: async (fresh) => {
        await fresh.addInitScript(() => {
          const real = Date.now.bind(Date);
          Date.now = () => real() + 3_600_000;
        });
      },
    });
    const at = Date.now() - 100_000;
    feed.send("QPIRI", { batteryType: "agm" }, { at });
    const age = row(page, "QPIRI", "batteryType").locator(".age");
    await eventually(() => age.innerText()).toBe("1 min");
    feed.send("QPIRI", { batteryType: "agm" }, { at: Date.now() - 10_000 });
    await eventually(() => age.innerText()).toMatch(/^1[0-2] s$/);
    const before = Number.parseInt(await age.innerText(), 10);
    await eventually(async () => Number.parseInt(await age.innerText(), 10)).toBeGreaterThan(before + 1);
  });

  test("marks what grows stale, and only that", async () => {
    const feed = new ScriptedFeed({ staleAfterMs: 4_000 });
    feed.status("online");
    const page = await visit(await serve(feed));
    feed.everything();
    await eventually(() => tile(page, "Load").innerText()).toMatch(/823 W[^]*[0-3] s ago/);
    expect(await tile(page, "Load").innerText()).not.toContain("stale");
    await eventually(() => tile(page, "Load").innerText()).toMatch(/stale, last read \d+ s ago/);
    expect(await row(page, "QPIGS", "gridVoltage").innerText()).toMatch(/stale/);
    expect(await row(page, "QPIRI", "batteryType").innerText()).not.toContain("stale");
    expect(await page.title()).toBe("No live values · sonkrag");
    feed.general({ load: 700 });
    await eventually(() => tile(page, "Load").innerText()).toMatch(/700 W[^]*[0-3] s ago/);
  });

  test("nothing looks live once the link is lost, however young", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything();
    const page = await visit(await serve(feed));
    expect(await page.locator("tr.stale").count()).toBe(0);
    feed.status("lost", "The USB port vanished. Check the cable.");
    await eventually(() => page.getByRole("alert").innerText()).toMatch(/Link to the inverter lost for \d+ s\. The USB port vanished/);
    expect(await page.locator("tr[data-name]:not(.stale)").count()).toBe(0);
    expect(await page.locator(".tile:not(.stale)").count()).toBe(0);
    feed.status("online");
    feed.general();
    await eventually(() => page.getByRole("alert").count()).toBe(0);
    expect(await page.locator(".tile.stale").count()).toBe(0);
  });

  test("says so, always in sight, when the inverter is simulated", async () => {
    const feed = new ScriptedFeed({ simulated: true });
    feed.status("online");
    feed.everything();
    const page = await visit(await serve(feed), { viewport: { width: 390, height: 844 } });
    const banner = page.getByRole("note");
    await eventually(() => banner.innerText()).toBe("Simulated inverter: nothing here is real");
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await eventually(async () => (await banner.boundingBox())?.y).toBe(0);
    const real = new ScriptedFeed();
    real.status("online");
    real.everything();
    const other = await visit(await serve(real));
    await eventually(() => other.locator("tr[data-name]").count()).toBeGreaterThan(30);
    expect(await other.getByRole("note").count()).toBe(0);
  });

  test("says how old its values are while sonkrag is away, and comes back by itself", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything({ load: 823 });
    const server = await serve(feed);
    const page = await visit(server, { serverMayGo: true });
    await eventually(() => tile(page, "Load").innerText()).toContain("823 W");
    await server[Symbol.asyncDispose]();
    const alert = page.getByRole("alert");
    await eventually(() => alert.innerText()).toMatch(/Connection to sonkrag lost\. Values are \d+ s old/);
    expect(await page.locator(".tile:not(.stale)").count()).toBe(0);
    await eventually(() => alert.innerText()).toMatch(/Values are ([2-9]|\d\d) s old/);
    expect(await page.title()).toBe("No connection · sonkrag");
    const again = new ScriptedFeed();
    again.status("online");
    again.everything({ load: 411 });
    await serve(again, server.port);
    await eventually(() => tile(page, "Load").innerText()).toContain("411 W");
    again.general({ load: 412 });
    await eventually(() => tile(page, "Load").innerText()).toContain("412 W");
    expect(await alert.count()).toBe(0);
    expect(await page.locator(".tile.stale").count()).toBe(0);
  });

  test("draws the last hours, reads them out under pointer and keys, and leaves gaps open", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.history(6);
    feed.everything({ load: 823 });
    const page = await visit(await serve(feed));
    const readout = page.locator(".readout");
    await eventually(() => readout.innerText()).toContain("latest");
    expect(await readout.innerText()).toMatch(/Solar\s+\d+ W\s+Load\s+\d+ W\s+Battery\s+\S+ W\s+Voltage\s+[\d.]+ V/);
    await page.getByRole("button", { name: "6 h" }).click();
    expect(await page.getByRole("button", { name: "6 h" }).getAttribute("aria-pressed")).toBe("true");
    const over = page.locator(".u-over");
    const box = (await over.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.33, box.y + 50);
    await eventually(() => readout.innerText()).toMatch(/at \d\d:\d\d:\d\d[^]*Load\s+2\d\d\d W/);
    // The scripted history stops from 55 % to 60 % of the six hours.
    expect(await drawn(page, [0.33, 0.575])).toEqual([true, false]);
    await page.mouse.move(0, 0);
    const slider = page.getByRole("slider");
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    await eventually(() => readout.innerText()).toContain("at ");
    const first = await slider.getAttribute("aria-valuetext");
    await page.keyboard.press("PageUp");
    await eventually(() => slider.getAttribute("aria-valuetext")).not.toBe(first);
    await page.keyboard.press("Escape");
    await eventually(() => readout.innerText()).toContain("latest");
  });

  test("shows warnings in words, parallel units apart, defaults apart and counters with their reasons", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything({ load: 823, warnings: ["gridFailed", "pvLoss"] });
    feed.parallelUnits();
    feed.send("QPGS2", { unitExists: false, serialNumber: "00000000000000", loadActivePower: 0 });
    feed.send("QDI", { batteryFloatVoltage: 51 });
    const page = await visit(await serve(feed));
    const warnings = page.getByRole("region", { name: "Warnings" });
    await eventually(() => warnings.innerText()).toMatch(/The inverter warns\s+Grid failed\s+PV loss/);
    const card = (title: string) => page.locator("details", { has: page.getByRole("heading", { name: title, exact: true }) });
    expect(await card("Parallel unit 1").innerText()).toMatch(/92931905106463/);
    expect(await card("Parallel unit 2").count()).toBe(0);
    expect(await card("Output").locator("tr[data-command^=QPGS]").count()).toBe(0);
    expect(await tile(page, "Load").innerText()).toContain("823 W");
    expect(await card("Factory defaults").innerText()).toMatch(/Float charging voltage\s+51\.0 V/);
    expect(await card("Settings").innerText()).toMatch(/Float charging voltage\s+54\.0 V/);
    const report = page.getByRole("region", { name: "Connection and frames" });
    expect(await report.innerText()).toMatch(/Wrong checksum[^]*6/);
    feed.counters = { ...feed.counters, requests: 5_000, rejected: { ...feed.counters.rejected, checksum: 77 } };
    await eventually(() => report.innerText()).toMatch(/Requests\s+5000[^]*77/);
  });

  test("is readable in light and dark: live, warned and stale", async () => {
    const feed = new ScriptedFeed({ simulated: true });
    feed.status("online");
    feed.history(1);
    feed.everything({ warnings: ["overload"] });
    feed.parallelUnits();
    const page = await visit(await serve(feed));
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
    const page = await visit(await serve(feed));
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
    const server = await serve(feed);
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

/** Polls generously: the machine that runs the tests may be busy. */
function eventually<Result>(look: () => Promise<Result>) {
  return expect.poll(look, { timeout: 15_000 });
}

/** Whether the plot has a line of a strong colour at each of these shares of its width. */
async function drawn(page: Page, shares: readonly number[]): Promise<boolean[]> {
  return page.evaluate((parts) => {
    const canvas = document.querySelector<HTMLCanvasElement>(".uplot canvas")!;
    const over = document.querySelector<HTMLElement>(".u-over")!;
    const scale = canvas.width / canvas.clientWidth;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return parts.map((part) => {
      const x = Math.round((over.offsetLeft + over.clientWidth * part) * scale);
      for (let y = 0; y < over.clientHeight * scale; y += 1) {
        const start = (y * canvas.width + x) * 4;
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.slice(start, start + 4);
        if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 80) return true;
      }
      return false;
    });
  }, shares);
}
