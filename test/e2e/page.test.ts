import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ScriptedFeed } from "./scripted-feed.ts";
import { drawn, eventually, executablePath, PageVisits, row, sectionCard, tile } from "./visits.ts";

describe.skipIf(executablePath === undefined)("the page in Chromium", () => {
  let visits: PageVisits;

  beforeAll(async () => {
    visits = await PageVisits.open();
  });

  afterAll(() => visits[Symbol.asyncDispose]());

  afterEach(() => visits.endTest());

  test("shows values as they come and change", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    const server = await visits.serve(feed);
    const page = await visits.visit(server);
    await eventually(() => tile(page, "Load").innerText()).toContain("not read yet");
    expect(await page.locator("tr[data-name]").count()).toBe(0);
    feed.everything({ load: 823, pv: 1240, soc: 85 });
    await eventually(() => tile(page, "Load").innerText()).toContain("823 W");
    await eventually(() => page.title()).toBe("823 W load · sonkrag");
    expect(await tile(page, "Solar").innerText()).toContain("1240 W");
    expect(await tile(page, "Battery").innerText()).toMatch(/85 %[^]*charging\s+419\sW[^]*52\.4\sV/);
    expect(await tile(page, "Grid").innerText()).toMatch(/Present[^]*229\.4\sV/);
    expect(await page.getByRole("status").innerText()).toBe("Online, line mode");
    expect(await row(page, "QPIGS", "batteryVoltage").innerText()).toMatch(/52\.40 V/);
    expect(await row(page, "QPIRI", "outputSourcePriority").innerText()).toContain("SBU");
    expect(await row(page, "QPIGS", "batteryPower").innerText()).toContain("derived");
    feed.general({ load: 2510, pv: 0, gridVoltage: 0, chargeCurrent: 0, dischargeCurrent: 50 });
    await eventually(() => page.title()).toBe("2.5 kW load · sonkrag");
    expect(await tile(page, "Load").innerText()).toContain("2510 W");
    expect(await tile(page, "Grid").innerText()).toContain("Absent");
    expect(await tile(page, "Battery").innerText()).toMatch(/discharging\s+2620\sW/);
  });

  test("a reading touches its own nodes only", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything();
    const page = await visits.visit(await visits.serve(feed));
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
    const page = await visits.visit(await visits.serve(feed), {
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
    const page = await visits.visit(await visits.serve(feed));
    feed.everything();
    await eventually(() => tile(page, "Load").innerText()).toMatch(/823 W[^]*(just now|[2-4] s ago)/);
    expect(await tile(page, "Load").innerText()).not.toContain("stale");
    await eventually(() => tile(page, "Load").innerText()).toMatch(/stale, last read \d+ s ago/);
    expect(await row(page, "QPIGS", "gridVoltage").innerText()).toMatch(/stale/);
    expect(await row(page, "QPIRI", "batteryType").innerText()).not.toContain("stale");
    expect(await page.title()).toBe("No live values · sonkrag");
    feed.general({ load: 700 });
    await eventually(() => tile(page, "Load").innerText()).toMatch(/700 W[^]*(just now|[2-4] s ago)/);
  });

  test("nothing looks live once the link is lost, however young", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything();
    const page = await visits.visit(await visits.serve(feed));
    expect(await page.locator("tr.stale").count()).toBe(0);
    feed.status("lost", "The USB port vanished. Check the cable.");
    await eventually(() => page.getByRole("alert").innerText()).toMatch(/Link to the inverter lost\s*for \d+ s\s+The USB port vanished/);
    expect(await page.locator("tr[data-name]:not(.stale)").count()).toBe(0);
    expect(await page.locator(".tile:not(.stale)").count()).toBe(0);
    feed.status("online");
    feed.general();
    await eventually(() => page.getByRole("alert").count()).toBe(0);
    expect(await page.locator(".tile.stale").count()).toBe(0);
  });

  test("says how old its values are while sonkrag is away, and comes back by itself", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.everything({ load: 823 });
    const server = await visits.serve(feed);
    const page = await visits.visit(server, { serverMayGo: true });
    await eventually(() => tile(page, "Load").innerText()).toContain("823 W");
    await server[Symbol.asyncDispose]();
    const alert = page.getByRole("alert");
    await eventually(() => alert.innerText()).toMatch(/Connection to sonkrag lost\s*for \d+ s\s+These are the last values/);
    expect(await page.locator(".tile:not(.stale)").count()).toBe(0);
    await eventually(() => alert.innerText()).toMatch(/for ([2-9]|\d\d) s/);
    expect(await page.title()).toBe("No connection · sonkrag");
    const again = new ScriptedFeed();
    again.status("online");
    again.everything({ load: 411 });
    await visits.serve(again, server.port);
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
    const page = await visits.visit(await visits.serve(feed));
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
    const page = await visits.visit(await visits.serve(feed));
    const warnings = page.getByRole("region", { name: "Warnings" });
    await eventually(() => warnings.innerText()).toMatch(
      /The inverter warns\s+Grid failed There is no grid[^]*input breaker\.\s+No PV power/,
    );
    const card = (title: string) => sectionCard(page, title);
    expect(await page.locator(".identity").innerText()).toMatch(/One of 2 parallel units/);
    expect(await card("Parallel unit 1 92931905106463").innerText()).toMatch(/Load\s+437 W/);
    expect(await page.getByRole("heading", { name: "Parallel unit 2" }).count()).toBe(0);
    expect(await card("Output").locator("tr[data-command^=QPGS]").count()).toBe(0);
    expect(await tile(page, "Load").innerText()).toContain("823 W");
    await card("Factory defaults").locator("summary").click();
    expect(await card("Factory defaults").innerText()).toMatch(/Float charging voltage\s+51\.0 V/);
    expect(await card("Settings").innerText()).toMatch(/Float charging voltage\s+54\.0 V/);
    const report = page.getByRole("region", { name: "Connection and frames" });
    expect(await report.innerText()).toMatch(/Wrong checksum[^]*6/);
    feed.counters = { ...feed.counters, requests: 5_000, rejected: { ...feed.counters.rejected, checksum: 77 } };
    await eventually(() => report.innerText()).toMatch(/Requests\s+5000[^]*77/);
  });

  test("tells what was found on the line, the counters of every command, and offers the diagnosis file", async () => {
    const feed = new ScriptedFeed();
    feed.status("online");
    feed.general();
    const page = await visits.visit(await visits.serve(feed));
    const report = page.getByRole("region", { name: "Connection and frames" });
    await eventually(() => report.innerText()).toContain("Nothing is wrong with it.");
    feed.findings = [{ code: "echo", severity: "problem", title: "Our bytes come back.", whatToDo: "Look at the wiring." }];
    await page.reload();
    await eventually(() => report.innerText()).toMatch(/Problem:\s*Our bytes come back\.\s+Look at the wiring\./);
    await report.getByText("By command").click();
    expect(await report.getByRole("row", { name: /QPIGS/ }).innerText()).toMatch(
      /2391 of 2400\s+480 to 502 ms\s+No answer 6, Old answer 3/,
    );
    const file = report.getByRole("link", { name: "Download diagnosis file" });
    expect(await file.getAttribute("href")).toBe("/api/v1/bundle");
  });

  test("shows one of several inverters, all of them at hand, and the same one after a reload", async () => {
    const house = new ScriptedFeed({ id: "house" });
    const garage = new ScriptedFeed({ id: "garage", hub: house.hub });
    for (const [feed, load] of [
      [house, 100],
      [garage, 200],
    ] as const) {
      feed.status("online");
      feed.history(1);
      feed.everything({ load });
    }
    const page = await visits.visit(await visits.serve(house));
    const choice = page.getByRole("navigation", { name: "Inverter" });
    await eventually(() => tile(page, "Load").innerText()).toContain("100 W");
    await choice.getByRole("button", { name: "garage (Online)" }).click();
    await eventually(() => tile(page, "Load").innerText()).toContain("200 W");
    expect(await page.title()).toBe("200 W load · sonkrag");
    house.general({ load: 111 });
    garage.general({ load: 222 });
    await eventually(() => page.locator(".readout").innerText()).toContain("222 W");
    expect(await page.locator("body").innerText()).not.toContain("111 W");
    house.status("lost", "Check the cable.");
    await eventually(() => choice.getByRole("button", { name: "house (Link to the inverter lost)" }).count()).toBe(1);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(await page.locator(".tile.stale").count()).toBe(0);
    await page.reload();
    await eventually(() => tile(page, "Load").innerText()).toContain("222 W");
    await choice.getByRole("button", { name: /house/ }).click();
    await eventually(() => page.getByRole("alert").innerText()).toContain("Check the cable.");
  });
});
