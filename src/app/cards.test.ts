import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { emptyCard, observe, withFact } from "../protocol/pi30/card.ts";
import { CardStore } from "./cards.ts";

let folder = "";
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "sonkrag-cards-")), "cards");
});
afterEach(async () => {
  await rm(join(folder, ".."), { recursive: true, force: true });
});

const opened = async (logger = recordingLogger()) => ({ logger, store: await CardStore.open(folder, { logger }) });
const begun = observe(
  emptyCard({ protocol: "PI30", serialNumber: "92931905106458", firmware: "00079.70" }, 1000),
  { command: "QMN", support: "answers", payload: "MKS2-8000" },
  1001,
);
const complete = withFact(begun, "complete", true, 1002);

test("a complete card is on the disk at once and known after a restart", async () => {
  const { store } = await opened();
  expect(store.recall("axpert-1")).toBeUndefined();
  store.keep("axpert-1", complete);
  expect(store.recall("axpert-1")).toBe(complete);
  await store.saved();
  const again = await opened();
  expect(again.store.recall("axpert-1")).toEqual(complete);
  expect(again.logger.texts("warn")).toEqual([]);
  expect(await readdir(folder)).toEqual(["axpert-1.json"]);
});

test("a card that is still being made is written at the end at the latest", async () => {
  const { store } = await opened();
  store.keep("axpert-1", begun);
  await store.saved();
  expect((await opened()).store.recall("axpert-1")).toEqual(begun);
});

test("of many changes in a row the last one stays", async () => {
  const { store } = await opened();
  let card = complete;
  for (let failures = 0; failures < 3; failures++) {
    card = observe(card, { command: "QPIGS2", support: "refuses" }, 2000 + failures);
    store.keep("axpert-1", card);
  }
  await store.saved();
  expect((await opened()).store.recall("axpert-1")).toEqual(card);
  expect(card.commands["QPIGS2"]).toMatchObject({ support: "refuses", failures: 3 });
});

test.each([
  ["torn", '{"version":1,"protocol":'],
  ["of something else", '{"version":1,"inverters":[]}'],
  ["empty", ""],
])("a file that is %s is moved aside and told of, and others are read", async (_, text) => {
  const { store } = await opened();
  store.keep("axpert-1", complete);
  store.keep("axpert-2", complete);
  await store.saved();
  await writeFile(join(folder, "axpert-1.json"), text);
  const again = await opened();
  expect(again.store.recall("axpert-1")).toBeUndefined();
  expect(again.store.recall("axpert-2")).toEqual(complete);
  expect(again.logger.texts("warn")[0]).toMatch(
    /axpert-1\.json: expected a model card, got something else .* is now .*\.damaged, and the inverter is asked anew/,
  );
  expect(await readFile(join(folder, "axpert-1.json.damaged"), "utf8")).toBe(text);
});

test("a folder that cannot be written is told of and ends nothing", async () => {
  const { store, logger } = await opened();
  await writeFile(folder, "in the way");
  await chmod(folder, 0o600);
  store.keep("axpert-1", complete);
  await store.saved();
  expect(logger.texts("error")[0]).toMatch(/the model card of axpert-1 could not be written/);
  expect(store.recall("axpert-1")).toBe(complete);
});
