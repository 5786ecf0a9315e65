import { lstat, mkdtemp, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventually } from "../../test/support/readings.ts";
import type { Clock } from "../session/clock.ts";
import { PtyOutlet } from "./pty-outlet.ts";
import { systemClock } from "./system-clock.ts";

/** So that what is looked at every few seconds is looked at at once. */
const hasty: Clock = { ...systemClock, sleep: async (ms, how) => await systemClock.sleep(Math.min(ms, 20), how) };

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

it("makes the pseudo-terminal anew when somebody has removed its link", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sonkrag-pty-"));
  const path = join(folder, "inverter");
  const stop = new AbortController();
  let times = 0;
  const running = new PtyOutlet(path, hasty, () => undefined).run({ ready: () => (times += 1), signal: stop.signal });
  await eventually("the first one", () => times === 1);
  expect(await readlink(path)).toMatch(/^\/dev\/pts\/\d+$/);
  await rm(path);
  await eventually("the second one", async () => times === 2 && (await isThere(path)));
  stop.abort();
  await running;
  await eventually("its end", async () => !(await isThere(path)));
  await rm(folder, { recursive: true });
});
