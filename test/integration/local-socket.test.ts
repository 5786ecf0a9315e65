import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventually } from "../support/readings.ts";
import { Service, temporaryFolder } from "../support/service.ts";
import { cli } from "./cli.ts";

it("the command line reaches a program without an HTTP interface, and finds out when it was killed", async () => {
  await using folder = await temporaryFolder();
  const where = ["--data-dir", join(folder.path, "data")];
  const socket = join(folder.path, "data", "run", "sonkrag.sock");
  const start = async (): Promise<Service> =>
    await Service.start(["run", "--device", "sim:", "--http", "off", "--mqtt", "off", ...where], /Ctrl-C/);

  {
    await using program = await start();
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    await eventually("its values", async () => (await cli(["status", ...where])).stdout.includes("Battery voltage"), 20_000);
    const { exit, stdout } = await cli(["query", "QID", "--json", ...where]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ inverter: "simulated-99999999000001", simulated: true, kind: "data" });
    await program.stop("SIGKILL");
  }
  const status = await cli(["status", ...where]);
  expect(status).toMatchObject({ exit: 4, stdout: "" });
  expect(status.stderr).toMatch(/found that it has ended \(process \d+\)/);

  // The socket that was left behind is no hindrance, and a clean end leaves none.
  await using program = await start();
  expect(await cli(["query", "QPI", ...where])).toMatchObject({ exit: 0 });
  await program.stop();
  expect(await readdir(join(folder.path, "data", "run"))).toEqual(["lock"]);
}, 60_000);
