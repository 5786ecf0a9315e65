import { request, type OutgoingHttpHeaders } from "node:http";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/app/config-file.ts";
import type { BudgetDocument, JournalDocument, LeasesDocument, SettingsDocument } from "../../src/api/control.ts";
import { controlledUnit } from "../support/controlled-unit.ts";

const json = { "content-type": "application/json" };

test("settings, a lease, its end, undo, budget and journal over HTTP", async () => {
  await using unit = await controlledUnit();
  const get = async <T>(path: string): Promise<T> => (await (await fetch(new URL(path, unit.url))).json()) as T;
  const before = await get<SettingsDocument>("/api/v1/inverters/garage/settings");
  expect(before).toMatchObject({ inverter: "garage", enabled: true, level: "expert" });
  const buzzer = before.settings.find(({ info }) => info.name === "buzzer")?.value;
  expect(typeof buzzer).toBe("boolean");

  const until = { at: new Date(unit.clock.now() + 86_400_000).toISOString().replace("Z", "+00:00"), next: buzzer };
  const change = await unit.viaApi("buzzer", { value: buzzer === false, until, id: "evening:1", by: "tablet" });
  expect(await change.json()).toMatchObject({
    kind: "applied",
    change: { id: "evening:1", actor: { via: "http", name: expect.stringMatching(/^tablet \(.*127\.0\.0\.1\)$/) as string } },
  });
  expect(await get<LeasesDocument>("/api/v1/leases")).toMatchObject({ leases: [{ id: "evening:1", next: buzzer, overdue: false }] });
  expect(await get<BudgetDocument>("/api/v1/budget?inverter=garage")).toMatchObject({
    budget: [{ setting: "buzzer", lastHour: 1, perHour: 6 }],
  });
  expect(await get<BudgetDocument>("/api/v1/budget?inverter=shed")).toEqual({ budget: [] });

  const ended = await fetch(new URL("/api/v1/leases/evening:1", unit.url), { method: "DELETE" });
  expect(ended.status).toBe(200);
  expect(await get<LeasesDocument>("/api/v1/leases")).toEqual({ leases: [] });
  const undone = await fetch(new URL("/api/v1/inverters/garage/undo", unit.url), { method: "POST", headers: json, body: "{}" });
  expect(await undone.json()).toMatchObject({ kind: "applied", after: buzzer });
  const again = await fetch(new URL("/api/v1/inverters/garage/undo", unit.url), { method: "POST", headers: json, body: "{}" });
  expect(again.status).toBe(409);

  const { entries } = await get<JournalDocument>("/api/v1/journal?inverter=garage&limit=2");
  expect(entries).toMatchObject([{ kind: "outcome", outcome: { change: { actor: { via: "undo" } } } }, { kind: "intent" }]);
  const older = await get<JournalDocument>(`/api/v1/journal?before=${entries.at(-1)?.n}`);
  expect(older.entries.map(({ kind }) => kind)).toEqual(["leaseEnd", "outcome", "intent"]);
  expect((await fetch(new URL("/api/v1/inverters/shed/settings", unit.url))).status).toBe(404);
});

test.each([
  ["192.168.1.20:8480", 200],
  ["sonkrag.local:8480", 200],
  ["raspberrypi", 200],
  ["evil.example:8480", 421],
])("on the network, a change under the name %s is answered with %i", async (host, expected) => {
  await using unit = await controlledUnit({ host: "0.0.0.0", control: { enabled: true, level: "expert", allowRemote: true } });
  expect(await statusOf(unit.url, { headers: { ...json, host } })).toBe(expected);
});

describe("a web page that the user happens to visit changes nothing", () => {
  const own = (url: string): string => new URL(url).host;
  test.each<[string, (url: string) => OutgoingHttpHeaders, number]>([
    ["by a name of its own that it points here", () => ({ ...json, host: "evil.example" }), 421],
    ["nor with the port behind it", (url) => ({ ...json, host: `evil.example:${new URL(url).port}` }), 421],
    ["nor by a name that begins like ours", () => ({ ...json, host: "localhost.evil.example" }), 421],
    ["nor by one that ends like ours", () => ({ ...json, host: "evil-localhost" }), 421],
    ["nor by a number that is no address", () => ({ ...json, host: "127.0.0.1.evil.example" }), 421],
    ["from its own origin", () => ({ ...json, origin: "https://evil.example" }), 403],
    ["from an origin that hides itself", () => ({ ...json, origin: "null" }), 403],
    ["from another program's page on this machine", () => ({ ...json, origin: "http://127.0.0.1:1" }), 403],
    ["from our name at another port", (url) => ({ ...json, origin: `http://${new URL(url).hostname}` }), 403],
    ["with a browser that tells only where it comes from", () => ({ ...json, "sec-fetch-site": "cross-site" }), 403],
    ["nor from a neighbour of our site", () => ({ ...json, "sec-fetch-site": "same-site" }), 403],
    ["as a form, which needs no leave", () => ({ "content-type": "application/x-www-form-urlencoded" }), 415],
    ["as plain text, which needs none either", () => ({ "content-type": "text/plain;charset=UTF-8" }), 415],
    ["without a type", () => ({}), 415],
    ["with a type that only begins like ours", () => ({ "content-type": "application/json-seq" }), 415],
  ])("%s", async (_, headers, expected) => {
    await using unit = await controlledUnit();
    expect(await statusOf(unit.url, { headers: headers(unit.url) })).toBe(expected);
    const origin = `http://${own(unit.url)}`;
    expect(await statusOf(unit.url, { path: "/api/v1/inverters/garage/undo", method: "POST", headers: headers(unit.url) })).toBe(expected);
    if (expected !== 415)
      expect(await statusOf(unit.url, { path: "/api/v1/leases/x", method: "DELETE", headers: headers(unit.url) })).toBe(expected);
    expect(unit.simulation.journal.setters).toBe(0);
    // Our own page does.
    expect(await statusOf(unit.url, { headers: { ...json, origin, "sec-fetch-site": "same-origin" } })).toBe(200);
  });

  test("for it is told nothing when its browser asks whether it may", async () => {
    await using unit = await controlledUnit();
    const asked = await fetch(new URL("/api/v1/inverters/garage/settings/buzzer", unit.url), {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "PUT", "access-control-request-headers": "content-type" },
    });
    expect(asked.status).toBe(405);
    expect([...asked.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

test("without configuration only this machine reaches the page", async () => {
  const { config } = loadConfig({ file: undefined, flags: {}, env: { HOME: "/nowhere" }, cwd: "/" });
  expect(config.http.host).toBe("127.0.0.1");
  expect(config.control).toMatchObject({ enabled: false, allowRemote: false });
  const elsewhere = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4");
  if (elsewhere === undefined) return;
  await using unit = await controlledUnit({ host: config.http.host });
  const url = new URL(unit.url);
  url.hostname = elsewhere.address;
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

/** What a request that sets the buzzer, or another one, is answered with. */
async function statusOf(
  url: string,
  {
    path = "/api/v1/inverters/garage/settings/buzzer",
    method = "PUT",
    headers,
  }: { readonly path?: string; readonly method?: string; readonly headers: OutgoingHttpHeaders },
): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: new URL(url).port, method, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject);
    asked.end(method === "DELETE" ? undefined : JSON.stringify(path.endsWith("/undo") ? {} : { value: true }));
  });
}
