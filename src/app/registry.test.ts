import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import { ConfigError } from "../model/errors.ts";
import { InverterRegistry } from "./registry.ts";

const clone = "55355535553555";
const one = "92931905106458";
const other = "96332011223344";
const prefix = "axpert";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-registry-"));
  path = join(folder, "data", "inverters.json");
});
afterEach(() => rm(folder, { recursive: true }));

const open = (logger = recordingLogger()) => InverterRegistry.open(path, { logger });

/** A run of the program: each unit answers in turn, at the places that are all looked at from the start. */
async function run(...units: readonly (readonly [place: string, serialNumber: string | undefined])[]): Promise<string[]> {
  const registry = await open();
  for (const [place] of units) registry.expect(place);
  const ids = units.map(([place, serialNumber]) => registry.identify(place, serialNumber, { prefix }));
  await registry.saved();
  return ids;
}

describe("an id", () => {
  test("is made of the serial number, lasts over restarts, and is known before the unit has answered", async () => {
    expect(await run(["usb-1", one])).toEqual([`axpert-${one}`]);
    expect(await run(["usb-1", one])).toEqual([`axpert-${one}`]);
    expect((await open()).expect("usb-1")).toMatchObject({ id: `axpert-${one}`, serialNumber: one });
    expect((await open()).expect("usb-2")).toBeUndefined();
  });

  test("goes with a unit that has moved, in the same run and over a restart", async () => {
    const registry = await open();
    const id = registry.identify("usb-1", one, { prefix });
    registry.gone("usb-1");
    expect(registry.identify("usb-2", one, { prefix })).toBe(id);
    await registry.saved();
    expect(await run(["usb-3", one])).toEqual([id]);
    expect((await open()).expect("usb-2")).toBeUndefined();
  });

  test("stays with each unit when two change places, whoever answers first", async () => {
    const before = await run(["usb-1", one], ["usb-2", other]);
    expect(await run(["usb-1", other], ["usb-2", one])).toEqual(before.toReversed());
    expect(await run(["usb-2", other], ["usb-1", one])).toEqual(before.toReversed());
  });

  test("is another one for another unit at the same place, and the former has its own again when it comes back", async () => {
    await run(["usb-1", one]);
    expect(await run(["usb-1", other])).toEqual([`axpert-${other}`]);
    expect((await open()).expect("usb-1")?.id).toBe(`axpert-${other}`);
    expect(await run(["usb-1", one])).toEqual([`axpert-${one}`]);
    expect((await open()).expect("usb-1")?.id).toBe(`axpert-${one}`);
  });

  test("can be given by the configuration, then and later", async () => {
    await run(["usb-1", one]);
    const registry = await open();
    expect(registry.identify("usb-1", one, { prefix, wanted: "garage" })).toBe("garage");
    await registry.saved();
    expect(await run(["usb-1", one])).toEqual(["garage"]);
    expect(await run(["usb-2", one])).toEqual(["garage"]);
  });
});

describe("equal serial numbers", () => {
  test("are two units, in both orders, for good", async () => {
    const ids = await run(["usb-1", clone], ["usb-2", clone]);
    expect(ids).toEqual([`axpert-${clone}`, `axpert-${clone}-2`]);
    expect(await run(["usb-2", clone], ["usb-1", clone])).toEqual(ids.toReversed());
    expect(await run(["usb-1", clone], ["usb-2", clone])).toEqual(ids);
    expect(await run(["usb-2", clone])).toEqual([ids[1]]);
  });

  test("stay two when the second is new and answers first", async () => {
    expect(await run(["usb-1", clone])).toEqual([`axpert-${clone}`]);
    expect(await run(["usb-2", clone], ["usb-1", clone])).toEqual([`axpert-${clone}-2`, `axpert-${clone}`]);
  });

  test("let a single one move, but never guess which of two has moved", async () => {
    const [id] = await run(["usb-1", clone]);
    expect(await run(["usb-9", clone])).toEqual([id]);
    await run(["usb-9", clone], ["usb-2", clone]);
    expect(await run(["usb-3", clone])).toEqual([`axpert-${clone}-3`]);
  });

  test("do not let a unit take the id of one that answers at the same time", async () => {
    const registry = await open();
    const id = registry.identify("usb-1", one, { prefix });
    expect(registry.identify("usb-2", one, { prefix })).not.toBe(id);
    expect([registry.isElsewhere(id, "usb-1"), registry.isElsewhere(id, "usb-2")]).toEqual([false, true]);
    registry.gone("usb-1");
    expect(registry.isElsewhere(id, "usb-2")).toBe(false);
    await registry.saved();
  });
});

describe("clones that feed a phase each", () => {
  const phases = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;
  const three = ["usb-1", "usb-2", "usb-3"] as const;
  /** A run with a cable each; `order` says which phase is at which place. */
  const cables = async (order: readonly string[] = phases, places: readonly string[] = three): Promise<string[]> => {
    const registry = await open();
    for (const place of places) registry.expect(place);
    const ids = places.map((place, at) => registry.identify(place, clone, { prefix, outputMode: order[at] }));
    await registry.saved();
    return ids;
  };
  /** A run with one cable, to the unit of phase 1, which tells of all. */
  const oneCable = async (numbers: readonly number[] = [1, 2]): Promise<string[]> => {
    const registry = await open();
    registry.expect("usb-1");
    const host = registry.identify("usb-1", clone, { prefix, outputMode: phases[0] });
    const taken = new Set([host]);
    const others = numbers.map((position, at) => {
      const id = registry.member({ serialNumber: clone, outputMode: phases[at + 1] }, { inverter: host, position, taken, prefix });
      taken.add(id);
      return id;
    });
    await registry.saved();
    return [host, ...others];
  };

  test("have the same ids over one cable and over three, whichever comes first", async () => {
    const ids = await oneCable();
    expect(new Set(ids).size).toBe(3);
    expect(await cables()).toEqual(ids);
    expect(await oneCable()).toEqual(ids);
    await rm(path);
    const again = await cables();
    expect(await oneCable()).toEqual(again);
  });

  test("keep them when cables change places, and when a number moves up because a unit is off", async () => {
    const ids = await cables();
    expect(await cables(["phase1Of3", "phase3Of3", "phase2Of3"])).toEqual([ids[0], ids[2], ids[1]]);
    expect(await cables(["phase2Of3", "phase1Of3", "phase3Of3"])).toEqual([ids[1], ids[0], ids[2]]);
    await cables();
    const registry = await open();
    const host = registry.identify("usb-1", clone, { prefix, outputMode: phases[0] });
    const options = { inverter: host, position: 1, taken: new Set([host]), prefix };
    expect(registry.member({ serialNumber: clone, outputMode: phases[2] }, options)).toBe(ids[2]);
    await registry.saved();
  });

  test("are others than the one that was at the place before, if they feed another phase", async () => {
    const [l1, l2, l3] = await cables();
    expect(await cables(["phase3Of3"], ["usb-1"])).toEqual([l3]);
    expect(await cables(["phase2Of3"], ["usb-1"])).toEqual([l2]);
    expect(await cables(["phase1Of3"], ["usb-1"])).toEqual([l1]);
    await rm(path);
    const [first] = await cables(["phase1Of3"], ["usb-1"]);
    expect(await cables(["phase3Of3"], ["usb-1"])).not.toEqual([first]);
    expect(await cables(["phase1Of3"], ["usb-1"])).toEqual([first]);
  });

  test("are the same when a phase is heard of for the first time", async () => {
    const [id] = await run(["usb-1", clone]);
    expect(await cables(["phase2Of3"], ["usb-1"])).toEqual([id]);
  });
});

describe("a unit that another one's cable tells of", () => {
  const tell = async (position: number, serialNumber: string, taken: readonly string[] = []): Promise<string> => {
    const registry = await open();
    registry.expect("usb-1");
    const host = registry.identify("usb-1", one, { prefix });
    const id = registry.member({ serialNumber }, { inverter: host, position, taken: new Set([host, ...taken]), prefix });
    await registry.saved();
    return id;
  };

  test("is the one with this serial number, under whatever number, and keeps its id when it gets a cable", async () => {
    const id = await tell(1, other);
    expect(id).toBe(`axpert-${other}`);
    expect(await tell(2, other)).toBe(id);
    expect((await open()).membersOf(`axpert-${one}`)).toMatchObject([{ id, serialNumber: other }]);
    expect(await run(["usb-1", one], ["usb-2", other])).toEqual([`axpert-${one}`, id]);
    expect((await open()).expect("usb-2")?.id).toBe(id);
    expect(await tell(1, other)).toBe(id);
    // Its own cable is still where it is looked for.
    expect((await open()).expect("usb-2")?.id).toBe(id);
  });

  test("keeps the id that the configuration gave it", async () => {
    const registry = await open();
    registry.identify("usb-2", other, { prefix, wanted: "garage" });
    await registry.saved();
    expect(await tell(1, other)).toBe("garage");
  });

  test("stays known as the inverter's whose id the configuration changes", async () => {
    const id = await tell(1, other);
    const registry = await open();
    registry.identify("usb-1", one, { prefix, wanted: "cellar" });
    await registry.saved();
    expect((await open()).membersOf("cellar")).toMatchObject([{ id }]);
    expect((await open()).knows(`axpert-${one}`)).toBe(false);
  });

  test("is told from clones without a phase by its number, and these get the same ids as a set when they get cables", async () => {
    const registry = await open();
    const host = registry.identify("usb-1", clone, { prefix, outputMode: "parallel" });
    const tellOf = (from: InverterRegistry, ...positions: readonly number[]): string[] => {
      const taken = new Set([host]);
      return positions.map((position) => {
        const id = from.member({ serialNumber: clone, outputMode: "parallel" }, { inverter: host, position, taken, prefix });
        taken.add(id);
        return id;
      });
    };
    const ids = tellOf(registry, 1, 2);
    await registry.saved();
    expect(new Set([host, ...ids]).size).toBe(3);
    expect(tellOf(await open(), 2, 1)).toEqual(ids.toReversed());
    expect(await run(["usb-1", clone], ["usb-2", clone], ["usb-3", clone])).toEqual([host, ...ids]);
    expect(tellOf(await open(), 1, 2)).toEqual(ids);
  });
});

describe("no serial number", () => {
  test("leaves the place to tell who it is", async () => {
    const ids = await run(["usb-0000:01:00.0-1.2", undefined], ["/dev/ttyUSB0", undefined]);
    expect(ids).toEqual(["axpert-usb-0000-01-00-0-1-2", "axpert-dev-ttyusb0"]);
    expect(await run(["/dev/ttyUSB0", undefined], ["usb-0000:01:00.0-1.2", undefined])).toEqual(ids.toReversed());
  });

  test("for once, or at last, does not make a unit another one", async () => {
    const [id] = await run(["usb-1", one]);
    expect(await run(["usb-1", undefined])).toEqual([id]);
    expect(await run(["usb-1", one])).toEqual([id]);
    const [late] = await run(["usb-2", undefined]);
    expect(await run(["usb-2", other])).toEqual([late]);
  });

  test("at a place does not take in a known unit that has moved there", async () => {
    const [nameless] = await run(["usb-1", undefined]);
    const [id] = await run(["usb-2", one]);
    expect(await run(["usb-1", one])).toEqual([id]);
    expect(id).not.toBe(nameless);
  });
});

test("the built-in simulated inverter and one on a port are never the same, whatever they say", async () => {
  const registry = await open();
  const built = registry.identify("sim", "99999999000001", { prefix: "simulated" });
  registry.gone("sim");
  const served = registry.identify("/tmp/inverter", "99999999000001", { prefix: "simulated" });
  expect(served).not.toBe(built);
  await registry.saved();
  expect((await open()).expect("sim")?.id).toBe(built);
});

describe("the file", () => {
  test("is written only when something has changed", async () => {
    await run(["usb-1", one]);
    const text = await readFile(path, "utf8");
    await rm(path);
    const registry = await open();
    registry.identify("usb-1", one, { prefix });
    await registry.saved();
    expect(await readFile(path, "utf8")).toBe(text);
    await rm(path);
    registry.identify("usb-1", one, { prefix });
    registry.identify("usb-1", undefined, { prefix });
    await registry.saved();
    await expect(readFile(path)).rejects.toThrow("ENOENT");
  });

  test("stays as it was when the power is cut while a new one is written", async () => {
    const [id] = await run(["usb-1", one]);
    for (const half of ["", '{"version":1,"inv', "\0\0\0\0"]) {
      await writeFile(`${path}.part`, half);
      expect((await open()).expect("usb-1")?.id).toBe(id);
    }
    expect(await run(["usb-2", one])).toEqual([id]);
    expect(await readdir(join(folder, "data"))).toEqual(["inverters.json"]);
  });

  test.each([
    ["text of another program", "inverters:\n  - none\n"],
    ["JSON of another program", '{"name":"my-app"}'],
    ["a newer version", '{"version":2,"inverters":[]}'],
    ["an id that no topic can carry", '{"version":1,"inverters":[{"id":"a/#","location":"usb-1"}]}'],
    ["nothing", ""],
  ])("that holds %s is refused and left alone", async (_, text) => {
    await mkdir(join(folder, "data"));
    await writeFile(path, text);
    await expect(open()).rejects.toThrow(ConfigError);
    await expect(open()).rejects.toThrow(new RegExp(`^${path}: expected the list of known inverters, got something else .*move it away`));
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("that cannot be written is reported, and the inverter is read all the same", async () => {
    const logger = recordingLogger();
    const registry = await open(logger);
    await writeFile(join(folder, "data"), "a file where the folder should be");
    expect(registry.identify("usb-1", one, { prefix })).toBe(`axpert-${one}`);
    await registry.saved();
    expect(logger.texts("error")).toEqual([
      expect.stringMatching(/inverters\.json: the known inverters could not be written: .*(EEXIST|ENOTDIR)/),
    ]);
    await rm(join(folder, "data"));
    registry.identify("usb-2", other, { prefix });
    await registry.saved();
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ inverters: [{ serialNumber: one }, { serialNumber: other }] });
  });
});
