import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../model/logger.ts";
import { loadConfig, type ConfigFlags } from "./config-file.ts";
import { examine, type Finding } from "./doctor.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-doctor-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function findings(flags: ConfigFlags): Promise<Finding[]> {
  const { config } = loadConfig({ flags: { dataDir: folder, ...flags }, env: { HOME: folder }, cwd: folder });
  const roots = { sys: join(folder, "sys"), dev: join(folder, "dev") };
  const all: Finding[] = [];
  for await (const finding of examine({ config, logger: silentLogger, roots }, { signal: new AbortController().signal })) all.push(finding);
  return all;
}

const about = (all: readonly Finding[], check: string) => all.filter((finding) => finding.check === check);

async function hidDevice(name: string, id: string, socket: string): Promise<void> {
  const device = join(folder, "sys/class/hidraw", name, "device");
  await mkdir(device, { recursive: true });
  await writeFile(join(device, "uevent"), `HID_ID=0003:${id}\nHID_NAME=Device ${name}\nHID_PHYS=${socket}/input0\n`);
}

it("lists what is plugged in, and does not touch serial ports unasked", async () => {
  await hidDevice("hidraw0", "0000046D:0000C31C", "usb-0000:00:14.0-1");
  await mkdir(join(folder, "dev/serial/by-id"), { recursive: true });
  await writeFile(join(folder, "dev/ttyUSB0"), "");
  const all = await findings({ device: ["auto"] });
  expect(about(all, "usb").map(({ says }) => says)).toEqual([`${folder}/dev/hidraw0: Device hidraw0 (046d:c31c) at usb-0000:00:14.0-1`]);
  expect(about(all, "serial").map(({ says }) => says)).toEqual([
    `${folder}/dev/ttyUSB0: not tried unasked; try it with --device serial:${folder}/dev/ttyUSB0`,
  ]);
  expect(about(all, "device")).toEqual([
    expect.objectContaining({
      state: "problem",
      says: expect.stringMatching(/^expected an inverter on USB \(0665:5161\), found none; but there are serial ports/) as string,
    }),
  ]);
});

it("asks to choose between two inverters", async () => {
  await hidDevice("hidraw0", "00000665:00005161", "usb-0000:00:14.0-1");
  await hidDevice("hidraw1", "00000665:00005161", "usb-0000:00:14.0-2");
  const [device] = about(await findings({ device: ["auto"] }), "device");
  expect(device?.says).toBe(
    "expected one inverter on USB, found 2; choose one with --device: hidraw:usb-0000:00:14.0-1, hidraw:usb-0000:00:14.0-2",
  );
});

it("looks whether the broker can be reached", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const flags = { device: ["sim:"], mqtt: `mqtt://127.0.0.1:${port}` };
  expect(about(await findings(flags), "broker")).toEqual([{ check: "broker", state: "ok", says: `127.0.0.1:${port} takes connections` }]);
  await new Promise((resolve) => server.close(resolve));
  expect(about(await findings(flags), "broker")).toEqual([
    expect.objectContaining({ state: "problem", says: expect.stringContaining("ECONNREFUSED") as string }),
  ]);
});

it("makes no folder", async () => {
  const dataDir = join(folder, "a/b");
  expect(about(await findings({ device: ["sim:"], dataDir }), "data folder")).toEqual([
    { check: "data folder", state: "ok", says: `${dataDir} (to be made in ${folder}) can be written` },
  ]);
});
