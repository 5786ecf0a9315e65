import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configSchema, type Config } from "../../src/app/config.ts";
import { LiveInverter } from "../../src/app/live-inverter.ts";
import { planOf } from "../../src/app/plan.ts";
import { InverterRegistry } from "../../src/app/registry.ts";
import { systemClock } from "../../src/app/system-clock.ts";
import { targetsOf } from "../../src/app/targets.ts";
import type { InverterInfo, Reading } from "../../src/model/reading.ts";
import { encodePayload } from "../../src/protocol/encode.ts";
import type { SystemRoots } from "../../src/transport/discover.ts";
import { deviceNumber } from "../../src/transport/holders.ts";
import { PseudoTerminal, withoutReportNumbers } from "../contract/media.ts";
import { recordingLogger } from "../support/readings.ts";
import { knows } from "../support/scripted-port.ts";

/*
 * Scenario 2 of the acceptance list. Given an inverter on hidraw1, a UPS on hidraw0 and a keyboard on hidraw2; when the
 * numbers swap at a reboot, and later the cable is moved to another socket; then readings resume with the same device id,
 * and no byte was ever written to the UPS or the keyboard. Pseudo-terminals stand in for the nodes.
 */

const inverterId = "00000665:00005161";
const upsId = "0000051D:00000002";
const keyboardId = "0000046D:0000C31C";
const patienceMs = 30_000;

let root: string;
let roots: SystemRoots;
const open: AsyncDisposable[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sonkrag-scenario-2-"));
  roots = { sys: join(root, "sys"), dev: join(root, "dev") };
});
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

async function terminal(): Promise<PseudoTerminal> {
  const made = new PseudoTerminal();
  await made.plugIn();
  open.push(made);
  return made;
}

/** What the kernel shows: by node name the USB id, the socket and the terminal behind it. */
function kernelShows(devices: Readonly<Record<string, readonly [id: string, socket: string, behind: PseudoTerminal]>>): void {
  for (const folder of [roots.sys, roots.dev]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(roots.sys, "dev/char"), { recursive: true });
  mkdirSync(roots.dev);
  for (const [name, [id, socket, { link }]] of Object.entries(devices)) {
    const folder = join(roots.sys, "class/hidraw", name);
    mkdirSync(join(folder, "device"), { recursive: true });
    writeFileSync(join(folder, "device/uevent"), `HID_ID=0003:${id}\nHID_NAME=some device\nHID_PHYS=${socket}/input0\n`);
    symlinkSync(link, join(roots.dev, name));
    symlinkSync(folder, join(roots.sys, "dev/char", deviceNumber(statSync(link))));
  }
}

const byteMs = 10_000 / 2400;

/** Lets a known unit answer behind the terminal, in padded reports of eight bytes and no sooner than 2400 baud allow. */
function answering(behind: PseudoTerminal): void {
  const script = knows();
  let done = 0;
  const timer = setInterval(() => {
    const reports = behind.received();
    const whole = withoutReportNumbers(reports.subarray(0, reports.length - (reports.length % 9)));
    for (let end = whole.indexOf(0x0d, done); end >= 0; end = whole.indexOf(0x0d, done)) {
      const request = whole.subarray(done, end + 1).filter((byte) => byte !== 0);
      done = end + 1;
      const answer = script(String.fromCharCode(...request.subarray(0, -3)));
      if (typeof answer !== "string") continue;
      const reply = encodePayload(answer);
      setTimeout(() => behind.send(padded(reply)), byteMs * (request.length + reply.length));
    }
  }, 5);
  open.push({ [Symbol.asyncDispose]: async () => clearInterval(timer) });
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes], Math.ceil(bytes.length / 8) * 8);
}

interface Started extends AsyncDisposable {
  readonly seen: { readonly id: string; readonly command: string; readonly socket: string }[];
  /** Resolves with the first QPIGS of which this is true. */
  until(what: (info: InverterInfo) => boolean): Promise<InverterInfo>;
}

/** The program's inverters as `sonkrag run` wires them, with no configuration. */
async function startProgram(): Promise<Started> {
  const logger = recordingLogger();
  const config = { ...configSchema.parse({}), poll: { fastMs: 200, mediumMs: 60_000, slowMs: 60_000, only: ["QPIGS"] } };
  const registry = await InverterRegistry.open(join(root, "inverters.json"), { logger });
  const targets = await targetsOf(config as unknown as Config, { clock: systemClock, logger, tell: () => undefined, roots });
  const seen: { id: string; command: string; socket: string }[] = [];
  const waiting: ((reading: Reading, info: InverterInfo) => void)[] = [];
  const outputs = {
    name: "test",
    reading: (reading: Reading, info: InverterInfo) => {
      seen.push({ id: info.id, command: reading.command, socket: info.device });
      for (const wake of waiting.splice(0)) wake(reading, info);
    },
    status: () => undefined,
    forget: () => undefined,
  };
  const plan = planOf(config.poll);
  const inverters = targets.map(
    (target) => new LiveInverter({ target, plan, registry, clock: systemClock, logger, outputs, page: outputs }),
  );
  const stop = new AbortController();
  const running = inverters.map((inverter) => inverter.run({ signal: stop.signal }));
  const started: Started = {
    seen,
    async until(what) {
      for (;;) {
        const info = await new Promise<InverterInfo>((resolve) => waiting.push((_, who) => resolve(who)));
        if (what(info)) return info;
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the program ends"));
      await Promise.allSettled(running);
      await registry.saved();
    },
  };
  open.push(started);
  return started;
}

const hasSocat = spawnSync("socat", ["-V"]).error === undefined;

describe.skipIf(!hasSocat)("2. Device comes back under another name", () => {
  test("after a reboot with other numbers and after a move to another socket it is the same device", { timeout: 60_000 }, async () => {
    const [ups, keyboard, inverter] = [await terminal(), await terminal(), await terminal()];
    answering(inverter);
    kernelShows({
      hidraw0: [upsId, "usb-1.1", ups],
      hidraw1: [inverterId, "usb-1.2", inverter],
      hidraw2: [keyboardId, "usb-1.3", keyboard],
    });
    const first = await startProgram();
    const known = await first.until(() => true);
    expect(known.serialNumber).toBe("92931905106458");
    await first[Symbol.asyncDispose]();

    // The host reboots: the numbers swap, the sockets stay.
    kernelShows({
      hidraw0: [keyboardId, "usb-1.3", keyboard],
      hidraw1: [upsId, "usb-1.1", ups],
      hidraw2: [inverterId, "usb-1.2", inverter],
    });
    const second = await startProgram();
    const swapped = performance.now();
    expect((await second.until(() => true)).id).toBe(known.id);
    expect(performance.now() - swapped).toBeLessThan(patienceMs);

    // The cable moves while the program runs: the node at the old socket goes, one comes up at another.
    const moved = await terminal();
    answering(moved);
    kernelShows({ hidraw0: [keyboardId, "usb-1.3", keyboard], hidraw1: [upsId, "usb-1.1", ups] });
    await inverter.unplug();
    kernelShows({
      hidraw0: [keyboardId, "usb-1.3", keyboard],
      hidraw1: [upsId, "usb-1.1", ups],
      hidraw5: [inverterId, "usb-1.4", moved],
    });
    const pulled = performance.now();
    const back = await second.until((info) => info.device === "hidraw:usb-1.4");
    expect(performance.now() - pulled).toBeLessThan(patienceMs);
    expect(back.id).toBe(known.id);
    expect(new Set([...first.seen, ...second.seen].map(({ id }) => id))).toEqual(new Set([known.id]));
    for (const stranger of [ups, keyboard]) expect(Buffer.from(stranger.received()).toString("hex")).toBe("");
  });

  test("in a container that was given the inverter's node alone, by a lasting path", { timeout: 60_000 }, async () => {
    const inverter = await terminal();
    answering(inverter);
    kernelShows({ inverter: [inverterId, "usb-1.2", inverter] });
    const program = await startProgram();
    expect((await program.until(() => true)).serialNumber).toBe("92931905106458");
  });
});
