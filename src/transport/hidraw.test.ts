import fc from "fast-check";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { hidrawMedium, PseudoTerminal, withoutReportNumbers } from "../../test/contract/media.ts";
import { until } from "../../test/contract/transport.contract.ts";
import type { SystemRoots } from "./discover.ts";
import { openHidraw, reportsOf } from "./hidraw.ts";
import { deviceNumber } from "./holders.ts";

const never = new AbortController().signal;
const usbId = "0665:5161";
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("reportsOf", () => {
  it("splits QPIGS2 as the protocol reference shows", () => {
    const frame = Buffer.from("QPIGS2\x68\x2d\r", "latin1");
    expect(reportsOf(frame).map(hex)).toEqual(["00515049475332682d", "000d00000000000000"]);
  });

  it("carries any bytes, whole reports only, each numbered 0", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const reports = reportsOf(bytes);
        expect(reports).toHaveLength(Math.ceil(bytes.length / 8));
        for (const report of reports) expect([report.length, report[0]]).toEqual([9, 0]);
        const carried = withoutReportNumbers(Buffer.concat(reports));
        expect(hex(carried.subarray(0, bytes.length))).toBe(hex(bytes));
        expect(carried.subarray(bytes.length).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });
});

describe.skipIf(hidrawMedium.unavailable !== undefined)("openHidraw", () => {
  const terminal = new PseudoTerminal();
  afterAll(() => terminal[Symbol.asyncDispose]());
  let root: string;
  let roots: SystemRoots;

  beforeEach(async () => {
    await terminal.plugIn();
    root = mkdtempSync(join(tmpdir(), "sonkrag-test-roots-"));
    roots = { sys: join(root, "sys"), dev: join(root, "dev") };
  });
  afterEach(async () => {
    rmSync(root, { recursive: true });
    await terminal.unplug();
  });

  /** Makes sysfs say that the stand-in is this HID device, under this name. */
  function describeAs(name: string, id: string, label: string, port: string): void {
    const device = join(roots.sys, "class/hidraw", name, "device");
    mkdirSync(device, { recursive: true });
    writeFileSync(join(device, "uevent"), `HID_ID=0003:0000${id.replace(":", ":0000")}\nHID_NAME=${label}\nHID_PHYS=${port}/input0\n`);
    mkdirSync(join(roots.sys, "dev/char"), { recursive: true });
    symlinkSync(join(roots.sys, "class/hidraw", name), join(roots.sys, "dev/char", deviceNumber(statSync(terminal.link))));
    mkdirSync(roots.dev, { recursive: true });
    symlinkSync(terminal.link, join(roots.dev, name));
  }

  it("brings commands of 3 to 24 characters over, one after the other, the reports of one frame 50 ms apart", async () => {
    await using transport = await openHidraw({ kind: "hidraw", path: terminal.link, usbId }, { signal: never });
    expect(transport.wire).toEqual({ byteMs: 10_000 / 2400, certain: true, chunkBytes: 8 });
    let expected = "";
    for (let length = 3; length <= 24; length++) {
      const frame = Uint8Array.from({ length: length + 3 }, (_, index) => (index === length + 2 ? 13 : 33 + length + index));
      const before = performance.now();
      await transport.write(frame, { signal: never });
      // A timer may fire up to a millisecond early.
      expect(performance.now() - before).toBeGreaterThanOrEqual((Math.ceil(frame.length / 8) - 1) * 49);
      expected += hex(frame).padEnd(Math.ceil(frame.length / 8) * 16, "0");
    }
    await until(() => hex(withoutReportNumbers(terminal.received())).length >= expected.length, "all reports");
    expect(hex(withoutReportNumbers(terminal.received()))).toBe(expected);
  });

  it("stops between two reports when the signal fires", async () => {
    await using transport = await openHidraw({ kind: "hidraw", path: terminal.link, usbId }, { signal: never });
    const controller = new AbortController();
    const write = transport.write(new Uint8Array(24).fill(7), { signal: controller.signal });
    await until(() => terminal.received().length >= 9, "the first report");
    controller.abort();
    await expect(write).rejects.toBe(controller.signal.reason);
    await transport.write(Uint8Array.of(9), { signal: never });
    await until(() => hex(terminal.received()).endsWith("000900000000000000"), "the later report");
    expect(terminal.received().length).toBeLessThanOrEqual(27);
  });

  it("finds the node by its USB port, wherever the kernel has numbered it", async () => {
    describeAs("hidraw7", usbId, "Cypress USB to Serial", "usb-0000:01:00.0-1.2");
    const url = { kind: "hidraw-port", physicalPath: "usb-0000:01:00.0-1.2", usbId } as const;
    await using transport = await openHidraw(url, { signal: never, roots });
    expect(transport.address).toBe("hidraw:usb-0000:01:00.0-1.2");
    terminal.send(Buffer.from("(NAKss\r\0"));
    await until(() => transport.take().length === 8, "the report");
  });

  it("says what is plugged in where no inverter is", async () => {
    const url = { kind: "hidraw-port", physicalPath: "usb-0000:01:00.0-1.3", usbId } as const;
    await expect(openHidraw(url, { signal: never, roots })).rejects.toThrow("found no HID device at all");
    describeAs("hidraw0", usbId, "Cypress USB to Serial", "usb-0000:01:00.0-1.2");
    await expect(openHidraw(url, { signal: never, roots })).rejects.toMatchObject({
      code: "transport-open",
      message: expect.stringContaining(
        "at USB port usb-0000:01:00.0-1.3, found only usb-0000:01:00.0-1.2 (0665:5161 Cypress USB to Serial)",
      ) as string,
    });
  });

  it("writes nothing to a device of another kind, unless told its id", async () => {
    describeAs("hidraw0", "051d:0002", "American Power Conversion UPS", "usb-0000:01:00.0-1.1");
    const url = { kind: "hidraw", path: join(roots.dev, "hidraw0"), usbId } as const;
    await expect(openHidraw(url, { signal: never, roots })).rejects.toMatchObject({
      code: "transport-open",
      message: expect.stringMatching(/found American Power Conversion UPS \(051d:0002\) .*nothing was sent to it/) as string,
    });
    expect(terminal.received()).toHaveLength(0);
    await using transport = await openHidraw({ ...url, usbId: "051d:0002" }, { signal: never, roots });
    expect(transport.address).toBe(`hidraw:${url.path}?usb=051d:0002`);
  });
});
