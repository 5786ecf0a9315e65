import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { hidrawMedium, PseudoTerminal } from "../../test/contract/media.ts";
import { recordingLogger } from "../../test/support/readings.ts";
import type { Transport } from "../session/transport.ts";
import type { SystemRoots } from "../transport/discover.ts";
import { deviceNumber } from "../transport/holders.ts";
import type { Config } from "./config.ts";
import { configSchema } from "./config.ts";
import { systemClock } from "./system-clock.ts";
import { targetsOf } from "./targets.ts";

const never = new AbortController().signal;
const inverterId = "00000665:00005161";
const upsId = "0000051D:00000002";
const keyboardId = "0000046D:0000C31C";

let root: string;
let roots: SystemRoots;
let told: string[];
let logger: ReturnType<typeof recordingLogger>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sonkrag-targets-"));
  roots = { sys: join(root, "sys"), dev: join(root, "dev") };
  mkdirSync(roots.dev);
  told = [];
  logger = recordingLogger();
});
afterEach(() => rmSync(root, { recursive: true }));

/** Makes sysfs say that there is such a HID device; `node` is what its node leads to, a plain file by default, which can be told from an opened one. */
function plug(name: string, id: string, socket: string, node?: string): void {
  const device = join(roots.sys, "class/hidraw", name, "device");
  mkdirSync(device, { recursive: true });
  writeFileSync(join(device, "uevent"), `HID_ID=0003:${id}\nHID_NAME=some device\nHID_PHYS=${socket}/input0\n`);
  if (node === undefined) {
    writeFileSync(join(roots.dev, name), "");
    return;
  }
  symlinkSync(node, join(roots.dev, name));
  mkdirSync(join(roots.sys, "dev/char"), { recursive: true });
  symlinkSync(join(roots.sys, "class/hidraw", name), join(roots.sys, "dev/char", deviceNumber(statSync(node))));
}

function unplug(name: string): void {
  rmSync(join(roots.sys, "class/hidraw", name), { recursive: true });
  rmSync(join(roots.sys, "dev"), { recursive: true, force: true });
  rmSync(join(roots.dev, name));
}

const targets = (...inverters: readonly { readonly device: string; readonly id?: string }[]) => {
  const parsed = configSchema.parse(inverters.length === 0 ? {} : { inverters });
  const config = { inverters: parsed.inverters, simulator: parsed.simulator } as Config;
  return targetsOf(config, { clock: systemClock, logger, tell: (line) => told.push(line), roots });
};

describe("auto", () => {
  test("without any inverter is the simulated one, which is said, and serial ports are listed but not tried", async () => {
    plug("hidraw0", keyboardId, "usb-0000:01:00.0-1.1");
    plug("hidraw1", upsId, "usb-0000:01:00.0-1.2");
    for (const name of ["ttyUSB0", "ttyS0"]) writeFileSync(join(roots.dev, name), "");
    const [target, ...others] = await targets();
    expect(others).toEqual([]);
    expect(target).toMatchObject({ device: "sim:", simulated: true, location: "sim", wantedId: undefined, provisionalId: "inverter-1" });
    expect(told).toEqual([
      "No inverter found on USB: running the built-in SIMULATED inverter. Nothing it shows is real.",
      "Serial ports are never tried unasked. If the inverter is on one of these, start again with:",
      `  --device serial:${join(roots.dev, "ttyUSB0")}`,
    ]);
  });

  test("is the one inverter there is, by its socket; other devices are no targets", async () => {
    plug("hidraw0", keyboardId, "usb-0000:01:00.0-1.1");
    plug("hidraw1", upsId, "usb-0000:01:00.0-1.2");
    plug("hidraw2", inverterId, "usb-0000:01:00.0-1.3");
    const found = await targets({ device: "auto", id: "garage" });
    expect(found).toMatchObject([
      { device: "hidraw:usb-0000:01:00.0-1.3", simulated: false, location: "usb-0000:01:00.0-1.3", wantedId: "garage" },
    ]);
    expect(found).toHaveLength(1);
    expect(told).toEqual([]);
  });

  test("is each of two inverters, in the order of their sockets; one configured name cannot be for both", async () => {
    plug("hidraw0", inverterId, "usb-0000:01:00.0-1.4");
    plug("hidraw1", upsId, "usb-0000:01:00.0-1.2");
    plug("hidraw3", inverterId, "usb-0000:01:00.0-1.3");
    const found = await targets({ device: "auto", id: "garage" });
    expect(found.map(({ device, wantedId, provisionalId }) => [device, wantedId, provisionalId])).toEqual([
      ["hidraw:usb-0000:01:00.0-1.3", undefined, "inverter-1"],
      ["hidraw:usb-0000:01:00.0-1.4", undefined, "inverter-2"],
    ]);
  });

  test("beside named ones is only what they leave, and never the simulated one", async () => {
    plug("hidraw0", inverterId, "usb-0000:01:00.0-1.3");
    const named = { device: "hidraw:usb-0000:01:00.0-1.3", id: "garage" };
    expect((await targets({ device: "auto" }, named)).map(({ device }) => device)).toEqual([named.device]);
    plug("hidraw1", inverterId, "usb-0000:01:00.0-1.4");
    expect((await targets({ device: "auto" }, named)).map(({ device }) => device)).toEqual([named.device, "hidraw:usb-0000:01:00.0-1.4"]);
    expect(told).toEqual([]);
  });
});

test("named devices are taken as they are, there or not", async () => {
  const found = await targets({ device: "tcp://192.168.1.20:8899" }, { device: "serial:/dev/ttyUSB7", id: "shed" }, { device: "sim" });
  expect(
    found.map(({ device, location, wantedId, provisionalId, simulated }) => [device, location, wantedId, provisionalId, simulated]),
  ).toEqual([
    ["tcp://192.168.1.20:8899", "192.168.1.20:8899", undefined, "inverter-1", false],
    ["serial:/dev/ttyUSB7", "/dev/ttyUSB7", "shed", "inverter-2", false],
    ["sim:", "sim", undefined, "inverter-3", true],
  ]);
});

describe.skipIf(hidrawMedium.unavailable !== undefined)("an inverter found on USB", () => {
  const terminals = [new PseudoTerminal(), new PseudoTerminal()] as const;
  const open: Transport[] = [];
  beforeEach(async () => {
    await terminals[0].plugIn();
    await terminals[1].plugIn();
  });
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport[Symbol.asyncDispose]();
    await terminals[0].unplug();
    await terminals[1].unplug();
  });
  afterAll(async () => {
    for (const terminal of terminals) await terminal[Symbol.asyncDispose]();
  });
  const opened = async (opening: Promise<Transport>): Promise<Transport> => {
    const transport = await opening;
    open.push(transport);
    return transport;
  };
  const close = async (): Promise<void> => {
    for (const transport of open.splice(0)) await transport[Symbol.asyncDispose]();
  };

  test("is found again under another number; the UPS that has got the old number is not touched", async () => {
    plug("hidraw1", inverterId, "usb-1", terminals[0].link);
    const [target] = await targets();
    expect((await opened(target!.open({ signal: never }))).address).toBe("hidraw:usb-1");
    await close();
    unplug("hidraw1");
    await expect(target!.open({ signal: never })).rejects.toMatchObject({
      code: "transport-open",
      context: { errno: "ENOENT" },
      message: expect.stringMatching(
        /expected an inverter \(0665:5161\) at hidraw:usb-1 .*found none; is the cable plugged in\?/,
      ) as string,
    });
    plug("hidraw1", upsId, "usb-2", terminals[1].link);
    await expect(target!.open({ signal: never })).rejects.toThrow(/found none/);
    plug("hidraw7", inverterId, "usb-1", terminals[0].link);
    expect((await opened(target!.open({ signal: never }))).address).toBe("hidraw:usb-1");
    expect([target!.device, target!.location]).toEqual(["hidraw:usb-1", "usb-1"]);
  });

  test("is followed to another socket", async () => {
    plug("hidraw1", inverterId, "usb-1", terminals[0].link);
    const [target] = await targets();
    unplug("hidraw1");
    plug("hidraw0", inverterId, "usb-5", terminals[0].link);
    expect((await opened(target!.open({ signal: never }))).address).toBe("hidraw:usb-5");
    expect([target!.device, target!.location]).toEqual(["hidraw:usb-5", "usb-5"]);
    expect(logger.texts("info")).toEqual(["The inverter at hidraw:usb-1 is gone; one has come up at hidraw:usb-5"]);
    await close();
    // From now on this is its place.
    expect((await opened(target!.open({ signal: never }))).address).toBe("hidraw:usb-5");
    expect(logger.texts("info")).toHaveLength(1);
  });

  test("is not taken for one that belongs to another, named or found", async () => {
    plug("hidraw0", inverterId, "usb-1", terminals[0].link);
    plug("hidraw1", inverterId, "usb-2", terminals[1].link);
    const [first, second] = await targets();
    unplug("hidraw0");
    await expect(first!.open({ signal: never })).rejects.toThrow(/found none/);
    expect((await opened(second!.open({ signal: never }))).address).toBe("hidraw:usb-2");
    await close();
    plug("hidraw0", inverterId, "usb-1", terminals[0].link);
    const [named, found] = await targets({ device: "auto" }, { device: "hidraw:usb-1" });
    expect([named!.device, found!.device]).toEqual(["hidraw:usb-1", "hidraw:usb-2"]);
    unplug("hidraw1");
    await expect(found!.open({ signal: never })).rejects.toThrow(/found none/);
  });
});
