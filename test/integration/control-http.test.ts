import { request } from "node:http";
import { expect, test } from "vitest";
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
  const { port } = new URL(unit.url);
  const status = await new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, method: "PUT", path: "/api/v1/inverters/garage/settings/buzzer", headers: { ...json, host } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    asked.on("error", reject);
    asked.end(JSON.stringify({ value: true }));
  });
  expect(status).toBe(expected);
});
