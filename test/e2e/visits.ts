import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { build } from "vite";
import { expect } from "vitest";
import type { LinkReport } from "../../src/api/link.ts";
import { silentLogger } from "../../src/model/logger.ts";
import { HttpServer } from "../../src/server/http.ts";
import type { ScriptedFeed } from "./scripted-feed.ts";

/** Undefined where no Chromium is installed; the tests of the page are skipped there. */
export const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

const quiet = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

interface Visit extends BrowserContextOptions {
  readonly serverMayGo?: boolean;
  readonly before?: (page: Page) => Promise<void>;
}

/** The built page, a browser, and what each test opened with them. */
export class PageVisits {
  readonly #webRoot: string;
  readonly #browser: Browser;
  readonly #opened: AsyncDisposable[] = [];
  readonly #complaints: string[] = [];

  private constructor(webRoot: string, browser: Browser) {
    this.#webRoot = webRoot;
    this.#browser = browser;
  }

  static async open(): Promise<PageVisits> {
    const webRoot = await mkdtemp(join(tmpdir(), "sonkrag-page-"));
    const root = fileURLToPath(new URL("../../web", import.meta.url));
    await build({ root, logLevel: "silent", build: { outDir: webRoot, emptyOutDir: true } });
    return new PageVisits(webRoot, await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox", ...quiet] }));
  }

  async serve(feed: ScriptedFeed, port = 0): Promise<HttpServer> {
    const server = await HttpServer.open({
      host: "127.0.0.1",
      port,
      fallbackPorts: false,
      hub: feed.hub,
      webRoot: this.#webRoot,
      logger: silentLogger,
      diagnosis: {
        link: (id) => linkOf(feed, id),
        traffic: () => undefined,
        bundle: async () => new Uint8Array(0),
      },
    });
    this.#opened.push(server);
    return server;
  }

  /** Opens the page and watches it: a script error, a console error or a request to elsewhere fails the test. */
  async visit(server: HttpServer, options: Visit = {}): Promise<Page> {
    const { serverMayGo = false, before, ...contextOptions } = options;
    const context = await this.#browser.newContext(contextOptions);
    this.#opened.push({ [Symbol.asyncDispose]: () => context.close() });
    const page = await context.newPage();
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) this.#complaints.push(`request to ${request.url()}`);
    });
    page.on("pageerror", (error) => this.#complaints.push(`script error: ${error.message}`));
    page.on("console", (message) => {
      const gone = serverMayGo && message.text().includes("net::ERR_");
      if ((message.type() === "error" || message.type() === "warning") && !gone) this.#complaints.push(`console: ${message.text()}`);
    });
    await before?.(page);
    await page.goto(server.url);
    await page.waitForSelector("main");
    return page;
  }

  /** After each test. */
  async endTest(): Promise<void> {
    for (const resource of this.#opened.splice(0).reverse()) await resource[Symbol.asyncDispose]();
    expect(this.#complaints.splice(0)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await rm(this.#webRoot, { recursive: true });
  }
}

function linkOf(feed: ScriptedFeed, id: string): LinkReport | undefined {
  const { now, inverters } = feed.hub.snapshot();
  const found = inverters.find(({ info }) => info.id === id);
  if (found === undefined) return undefined;
  const { status, counters } = found;
  const latencyMs = { p50: 480.2, p95: 491.7, p99: 502.4, max: 510.1, answers: 256 };
  const commands = { QPIGS: { requests: 2400, accepted: 2391, rejected: { timeout: 6, stale: 3 }, latencyMs } };
  return { inverter: id, now, status, counters, commands, findings: feed.findings };
}

export function tile(page: Page, name: string): Locator {
  return page.locator(".tile", { has: page.getByRole("heading", { name }) });
}

export function row(page: Page, command: string, name: string): Locator {
  return page.locator(`tr[data-command="${command}"][data-name="${name}"]`);
}

export function sectionCard(page: Page, title: string): Locator {
  return page.locator("details", { has: page.getByRole("heading", { name: title, exact: true }) });
}

/** Polls generously: the machine that runs the tests may be busy. */
export function eventually<Result>(look: () => Promise<Result>) {
  return expect.poll(look, { timeout: 15_000 });
}

/** Whether the plot has a line of a strong colour at each of these shares of its width. */
export async function drawn(page: Page, shares: readonly number[]): Promise<boolean[]> {
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
