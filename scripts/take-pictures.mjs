/**
 * Takes the pictures of the page in docs/images: `node scripts/take-pictures.mjs`. The whole program from the simulated
 * inverter to the browser, on a clock that runs a morning in seconds; only the outputs other than the page are left out.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { readyOrExit, root } from "./ready.mjs";

await readyOrExit();
const { LiveInverter } = await import("../dist/app/live-inverter.js");
const { planOf, staleAfterMs } = await import("../dist/app/plan.js");
const { InverterRegistry } = await import("../dist/app/registry.js");
const { packageVersion } = await import("../dist/app/version.js");
const { silentLogger } = await import("../dist/model/logger.js");
const { HttpServer } = await import("../dist/server/http.js");
const { LiveHub } = await import("../dist/server/live.js");
const { Simulation } = await import("../dist/sim/transport.js");
const { VirtualClock } = await import("../dist/sim/virtual-clock.js");

const timeZone = "Africa/Johannesburg";
const end = Date.parse("2026-11-20T08:50:00+02:00");
const seed = 1;
/** The plot keeps six hours. */
const hours = 6.1;

const pictures = [
  { file: "page-desktop.png", viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
  { file: "page-phone.png", viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
];

const time = new VirtualClock(end - hours * 3_600_000);
const forever = Number.POSITIVE_INFINITY;
/** Stands still at the end, so that the pictures find everything as it is then. */
const clock = {
  now: () => time.now(),
  monotonic: () => time.monotonic(),
  /** @type {import("../src/session/clock.ts").Clock["sleep"]} */
  sleep: (ms, options) => time.sleep(time.now() + ms >= end ? forever : ms, options),
};
const plan = planOf({ fastMs: 5_000, mediumMs: 15_000, slowMs: 60_000 });
const directory = await mkdtemp(join(tmpdir(), "sonkrag-pictures-"));
/** @type {import("../src/server/live.ts").LiveHub} */
const hub = new LiveHub({
  version: packageVersion(),
  timeZone,
  now: () => clock.now(),
  /** @returns {import("../src/model/reading.ts").LinkCounters} */
  counters: () => inverter.counters,
  staleAfterMs: (_, command) => staleAfterMs(command, plan),
});
const [line] = new Simulation({ clock, seed }).lines;
if (line === undefined) throw new Error("expected a simulated unit, got none");
const inverter = new LiveInverter({
  target: {
    open: line.open,
    device: "sim:",
    simulated: true,
    location: "sim",
    wantedId: undefined,
    provisionalId: "inverter-1",
  },
  plan,
  registry: await InverterRegistry.open(join(directory, "inverters.json"), { logger: silentLogger }),
  clock,
  logger: silentLogger,
  outputs: hub,
  page: hub,
});

const stop = new AbortController();
const running = inverter.run({ signal: stop.signal });
await time.sleep(end - time.now(), { signal: stop.signal });

const server = await HttpServer.open({
  host: "127.0.0.1",
  port: 0,
  fallbackPorts: false,
  hub,
  webRoot: join(root, "web", "dist"),
  logger: silentLogger,
});
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const { file, ...options } of pictures) {
  const page = await browser.newPage({ ...options, colorScheme: "light" });
  await page.goto(server.url);
  await page.getByRole("button", { name: "6 h" }).click();
  // The range and the plot are drawn in the next frame.
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(root, "docs", "images", file) });
  console.log(`docs/images/${file}`);
}
await browser.close();
await server[Symbol.asyncDispose]();
stop.abort(new Error("The pictures are taken"));
await running.catch((/** @type {unknown} */ error) => {
  if (error !== stop.signal.reason) throw error;
});
await rm(directory, { recursive: true });
