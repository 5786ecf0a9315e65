import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../model/errors.ts";
import { type DeviceUrl, deviceUrlForms, formatDeviceUrl, parseDeviceUrl } from "./device-url.ts";

const usbId = "0665:5161";

describe("parseDeviceUrl", () => {
  it.each<[string, DeviceUrl]>([
    ["auto", { kind: "auto" }],
    ["hidraw:/dev/hidraw0", { kind: "hidraw", path: "/dev/hidraw0", usbId }],
    ["/dev/hidraw12", { kind: "hidraw", path: "/dev/hidraw12", usbId }],
    ["hidraw:/dev/hidraw0?usb=0001:ABCD", { kind: "hidraw", path: "/dev/hidraw0", usbId: "0001:abcd" }],
    ["hidraw:usb-0000:01:00.0-1.2", { kind: "hidraw-port", physicalPath: "usb-0000:01:00.0-1.2", usbId }],
    ["serial:/dev/ttyUSB0", { kind: "serial", path: "/dev/ttyUSB0", baud: 2400 }],
    ["serial:///dev/ttyUSB0", { kind: "serial", path: "/dev/ttyUSB0", baud: 2400 }],
    ["serial:/tmp/my inverter?baud=9600", { kind: "serial", path: "/tmp/my inverter", baud: 9600 }],
    ["/dev/ttyUSB0", { kind: "serial", path: "/dev/ttyUSB0", baud: 2400 }],
    ["/dev/serial/by-id/usb-FTDI-port0", { kind: "serial", path: "/dev/serial/by-id/usb-FTDI-port0", baud: 2400 }],
    ["/dev/ttyAMA0?baud=115200", { kind: "serial", path: "/dev/ttyAMA0", baud: 115_200 }],
    ["tcp://bridge.local:8899", { kind: "tcp", host: "bridge.local", port: 8899, baud: 2400 }],
    ["TCP://10.0.0.5:23/?baud=9600", { kind: "tcp", host: "10.0.0.5", port: 23, baud: 9600 }],
    ["tcp://[fe80::1%eth0]:8899", { kind: "tcp", host: "fe80::1%eth0", port: 8899, baud: 2400 }],
    ["sim:", { kind: "sim", parameters: {} }],
    ["sim:?seed=3&fault=stale%3D0.05", { kind: "sim", parameters: { seed: "3", fault: "stale=0.05" } }],
  ])("reads %s", (text, url) => {
    expect(parseDeviceUrl(text)).toEqual(url);
  });

  it("reads every form it names in its own messages", () => {
    for (const form of deviceUrlForms) expect(formatDeviceUrl(parseDeviceUrl(form))).toBe(form.replace("?baud=2400", ""));
  });

  it.each([
    ["", "one of auto, hidraw:/dev/hidraw0"],
    ["usb", "one of auto"],
    ["http://x:1", "one of auto"],
    ["hidraw:", "absolute path, such as /dev/hidraw0"],
    ["hidraw:hidraw0", "absolute path"],
    ["hidraw:/dev/hidraw0?usb=665:5161", "usb=vendor:product"],
    ["serial:ttyUSB0", "absolute path, such as /dev/ttyUSB0"],
    ["serial://dev/ttyUSB0", "absolute path"],
    ["serial:/dev/ttyUSB0?baud=2401", "baud to be one of 300"],
    ["serial:/dev/ttyUSB0?parity=even", 'found "parity"'],
    ["tcp://bridge", "tcp://host:port"],
    ["tcp://bridge:0", "port from 1 to 65535"],
    ["tcp://bridge:70000", "port from 1 to 65535"],
    ["tcp://user@bridge:80", "tcp://host:port"],
    ["tcp:bridge:80", "tcp://host:port"],
    ["sim:/x", 'after "sim:"'],
    ["/tmp/inverter", "serial:/tmp/inverter"],
  ])("refuses %j", (text, expected) => {
    const attempt = () => parseDeviceUrl(text);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(expected);
    expect(attempt).toThrow(`got "${text}"`);
  });

  it("reads back whatever it has written", () => {
    const baud = fc.constantFrom(300, 2400, 9600, 921_600);
    const path = fc.stringMatching(/^\/[a-z0-9./:_-]{1,30}$/).filter((text) => !text.startsWith("//"));
    const url: fc.Arbitrary<DeviceUrl> = fc.oneof(
      fc.record({ kind: fc.constant("auto" as const) }),
      fc.record({
        kind: fc.constant("sim" as const),
        parameters: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string(), { noNullPrototype: true }),
      }),
      fc.record({ kind: fc.constant("hidraw" as const), path, usbId: fc.stringMatching(/^[0-9a-f]{4}:[0-9a-f]{4}$/) }),
      fc.record({
        kind: fc.constant("hidraw-port" as const),
        physicalPath: fc.stringMatching(/^usb-[0-9a-f:.-]{1,20}$/),
        usbId: fc.constant(usbId),
      }),
      fc.record({ kind: fc.constant("serial" as const), path, baud }),
      fc.record({
        kind: fc.constant("tcp" as const),
        host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
        port: fc.integer({ min: 1, max: 65_535 }),
        baud,
      }),
    );
    fc.assert(
      fc.property(url, (given) => {
        expect(parseDeviceUrl(formatDeviceUrl(given))).toEqual(given);
      }),
    );
  });
});
