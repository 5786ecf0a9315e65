import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeHidraw, findInverterNodes, listHidrawNodes, listSerialCandidates, type SystemRoots } from "./discover.ts";

let root: string;
let roots: SystemRoots;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sonkrag-test-roots-"));
  roots = { sys: join(root, "sys"), dev: join(root, "dev") };
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

/** As Linux lays it out: the class directory holds links into the device tree. */
function hid(name: string, number: string, id: string, label: string, phys: string): void {
  const device = `sys/devices/${name}`;
  put(`${device}/uevent`, `DRIVER=hid-generic\nHID_ID=${id}\nHID_NAME=${label}\nHID_PHYS=${phys}\nHID_UNIQ=\nMODALIAS=hid:b0003\n`);
  put(`${device}/hidraw/${name}/dev`, `${number}\n`);
  link(`${device}/hidraw/${name}/device`, "../../");
  link(`sys/class/hidraw/${name}`, `../../devices/${name}/hidraw/${name}`);
  link(`sys/dev/char/${number}`, `../../devices/${name}/hidraw/${name}`);
}

describe("hidraw nodes", () => {
  it("are listed by USB socket with what the kernel knows of them, and only inverters are found", async () => {
    hid("hidraw0", "243:0", "0003:0000046D:0000C31C", "Logitech USB Keyboard", "usb-0000:01:00.0-1.1/input0");
    hid("hidraw1", "243:1", "0003:00000665:00005161", "Cypress USB to Serial", "usb-0000:01:00.0-1.10/input0");
    hid("hidraw10", "243:10", "0003:00000665:00005161", "Cypress USB to Serial", "usb-0000:01:00.0-1.2/input0");
    hid("hidraw2", "243:2", "0005:0000045E:00000B13", "Xbox Wireless Controller", "dc:a6:32:00:00:01");
    expect((await listHidrawNodes({ roots })).map(({ path, physicalPath }) => [path.slice(roots.dev.length), physicalPath])).toEqual([
      ["/hidraw2", "dc:a6:32:00:00:01"],
      ["/hidraw0", "usb-0000:01:00.0-1.1"],
      ["/hidraw10", "usb-0000:01:00.0-1.2"],
      ["/hidraw1", "usb-0000:01:00.0-1.10"],
    ]);
    expect(await findInverterNodes({ roots })).toEqual(
      ["hidraw10", "hidraw1"].map((name) => ({
        path: join(roots.dev, name),
        vendorId: 0x0665,
        productId: 0x5161,
        name: "Cypress USB to Serial",
        physicalPath: name === "hidraw1" ? "usb-0000:01:00.0-1.10" : "usb-0000:01:00.0-1.2",
      })),
    );
  });

  it("are described by device number, whatever the node is called", async () => {
    hid("hidraw1", "243:1", "0003:00000665:00005161", "Cypress USB to Serial", "usb-0000:01:00.0-1.3/input0");
    expect(await describeHidraw("243:1", "/dev/inverter", roots)).toMatchObject({
      path: "/dev/inverter",
      physicalPath: "usb-0000:01:00.0-1.3",
    });
    expect(await describeHidraw("136:1", "/dev/pts/1", roots)).toBeUndefined();
  });

  it("are none on a machine without HID devices, or when one leaves while we look", async () => {
    expect(await listHidrawNodes({ roots })).toEqual([]);
    link("sys/class/hidraw/hidraw0", "../../devices/gone");
    expect(await listHidrawNodes({ roots })).toEqual([]);
  });
});

describe("serial candidates", () => {
  it("come once each, under their most lasting name", async () => {
    for (const node of ["ttyUSB0", "ttyUSB10", "ttyUSB2", "ttyACM0", "ttyAMA0", "ttyS0", "tty1", "null"]) put(`dev/${node}`);
    link("dev/serial0", "ttyAMA0");
    link("dev/serial/by-id/usb-FTDI_FT232R_A1-if00-port0", "../../ttyUSB2");
    link("dev/serial/by-id/usb-gone-port0", "../../ttyUSB7");
    const found = await listSerialCandidates({ roots });
    expect(found.map(({ path, node }) => [path, node].map((name) => name.slice(roots.dev.length)))).toEqual([
      ["/serial/by-id/usb-FTDI_FT232R_A1-if00-port0", "/ttyUSB2"],
      ["/serial0", "/ttyAMA0"],
      ["/ttyACM0", "/ttyACM0"],
      ["/ttyUSB0", "/ttyUSB0"],
      ["/ttyUSB10", "/ttyUSB10"],
    ]);
  });

  it("are none where there are none", async () => {
    expect(await listSerialCandidates({ roots })).toEqual([]);
  });
});
