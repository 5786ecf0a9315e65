import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { online, payloads, readingOf, realInverter } from "../../test/support/readings.ts";
import { PortProgram } from "../../test/support/port-program.ts";
import { ConfigError, TransportError } from "../model/errors.ts";
import { silentLogger } from "../model/logger.ts";
import { configSchema, type ParsedConfig } from "./config.ts";
import { doorsOf, SharedPorts, type SharedInverter } from "./shared-ports.ts";
import { systemClock } from "./system-clock.ts";

/** The configuration, as far as shared ports go. */
function configOf(given: object) {
  const { inverters, control, sharedPort }: ParsedConfig = configSchema.parse(given);
  const { maxAge, ...rest } = sharedPort;
  return { inverters, control, sharedPort: { ...rest, maxAgeMs: maxAge } };
}

const device = "serial:/dev/ttyUSB0";
const second = "serial:/dev/ttyUSB1";

describe("the doors of an inverter", () => {
  it("are none unless the configuration says so", () => {
    expect(doorsOf(configOf({}), [device, "sim:"])).toEqual([undefined, undefined]);
  });

  it("have the common path and port, the next inverter the next ones, and a free port each where any will do", () => {
    expect(doorsOf(configOf({ sharedPort: { pty: "/run/x", tcp: 8899 } }), [device, second])).toEqual([
      { pty: "/run/x", tcp: 8899, settings: "refuse" },
      { pty: "/run/x-2", tcp: 8900, settings: "refuse" },
    ]);
    expect(doorsOf(configOf({ sharedPort: { tcp: 0, settings: "allow" } }), [device, second])).toEqual([
      { tcp: 0, settings: "allow" },
      { tcp: 0, settings: "allow" },
    ]);
  });

  it("are what its own entry says, in every respect", () => {
    const own = configOf({
      inverters: [
        { device, sharedPort: { tcp: 9000, settings: "allow" } },
        { device: second, sharedPort: { settings: "allow" } },
      ],
      sharedPort: { pty: "/run/x" },
    });
    expect(doorsOf(own, [device, second])).toEqual([
      { tcp: 9000, settings: "allow" },
      { pty: "/run/x-2", settings: "allow" },
    ]);
  });

  it("of an inverter that was found on USB are those of the entry that found it", () => {
    expect(doorsOf(configOf({ inverters: [{ device: "auto", sharedPort: { tcp: 9000 } }] }), ["hidraw:usb-1"])).toEqual([
      { tcp: 9000, settings: "refuse" },
    ]);
  });
});

it.each([
  [{ sharedPort: { tcp: 8899, host: "0.0.0.0" } }, "host"],
  [{ sharedPort: { tcp: 70_000 } }, "tcp"],
  [{ sharedPort: { settings: "ask" } }, "settings"],
])("%j is a mistake", (given, key) => {
  expect(configSchema.safeParse(given).error?.issues[0]?.path).toEqual(["sharedPort", key]);
});

it("may be opened to others where that is said twice", () => {
  expect(configOf({ sharedPort: { tcp: 8899, host: "0.0.0.0", allowRemote: true } }).sharedPort.host).toBe("0.0.0.0");
});

describe("SharedPorts", () => {
  const inverter = (id: string): SharedInverter => ({
    info: { id },
    status: online,
    ask: async () => {
      throw new TransportError("link-down", "not in this test");
    },
  });
  const open = async (given: object, devices = [device, second]): Promise<SharedPorts> =>
    await SharedPorts.open({
      config: configOf(given),
      devices,
      inverters: () => devices.map((_, index) => inverter(`axpert-${index + 1}`)),
      clock: systemClock,
      logger: silentLogger,
    });

  it("answers for each inverter at its own port with what that inverter has said", async () => {
    await using ports = await open({ sharedPort: { tcp: 0 } });
    const others = `${payloads.QPIGS} `;
    ports.reading(readingOf(Date.now()), { ...realInverter, id: "axpert-1" });
    ports.reading(readingOf(Date.now(), { payload: others }), { ...realInverter, id: "axpert-2" });
    ports.reading(readingOf(Date.now(), { payload: "nobody's" }), { ...realInverter, id: "axpert-3" });
    const [first = "", last = ""] = ports.addresses;
    await using one = await PortProgram.open(first);
    await using other = await PortProgram.open(last);
    expect(await one.ask("QPIGS")).toBe(payloads.QPIGS);
    expect(await other.ask("QPIGS")).toBe(others);
  });

  it("tells whose each address is where there are several inverters", async () => {
    await using two = await open({ sharedPort: { tcp: 0 } });
    const [first, last] = two.addresses;
    expect(two.told()).toEqual([`${first}  axpert-1  ${device}`, `${last}  axpert-2  ${second}`]);
    await using one = await open({ sharedPort: { tcp: 0 } }, [device]);
    expect(one.told()).toEqual(one.addresses);
  });

  it("ends with the program, and its clients with it", async () => {
    await using ports = await open({ sharedPort: { tcp: 0 } }, [device]);
    await using one = await PortProgram.open(ports.addresses[0] ?? "");
    expect(await one.ask("POP02")).toBe("NAK");
    const stop = new AbortController();
    const running = ports.run({ signal: stop.signal });
    stop.abort();
    await running;
    await expect(PortProgram.open(ports.addresses[0] ?? "")).rejects.toThrow("ECONNREFUSED");
  });

  it("says which door cannot be opened, and opens none then", async () => {
    const taken = createServer();
    taken.listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await expect(open({ sharedPort: { tcp: port } })).rejects.toThrow(TransportError);
    await expect(open({ sharedPort: { tcp: port } })).rejects.toThrow(`tcp 127.0.0.1:${port}: expected to listen there`);
    taken.close();

    const folder = await mkdtemp(join(tmpdir(), "sonkrag-shared-"));
    const path = join(folder, "inverter");
    await writeFile(path, "somebody's");
    await expect(open({ sharedPort: { pty: path } })).rejects.toThrow(ConfigError);
    await expect(open({ sharedPort: { pty: path } })).rejects.toThrow(`sharedPort.pty ${path}: expected a free path`);
    await rm(folder, { recursive: true });
  });
});
