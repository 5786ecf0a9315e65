import type { Logger } from "../../src/model/logger.ts";
import type { InverterInfo, LinkStatus, Reading } from "../../src/model/reading.ts";

/** Captured replies, payload only; the first is a line of a real log of the older script. */
export const payloads = {
  QPIGS: "233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110",
  QPGS0:
    "1 92931905106458 B 00 232.0 50.00 229.3 50.02 0412 0323 008 52.2 000 030 299.6 000 00895 00713 007 10100010 1 1 060 080 60 00 000",
  QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 49.0 54.4 54.4 2 60 060 1 1 2 9 01 0 1 53.0 0 1 000",
} as const;

export function readingOf(at: number, overrides: Partial<Reading> = {}): Reading {
  return {
    inverter: "axpert-1",
    at,
    command: "QPIGS",
    payload: payloads.QPIGS,
    values: { gridVoltage: 233.8, batteryVoltage: 52, heatSinkTemperature: 48, deviceStatus: ["loadOn", "chargingOn"] },
    derived: { batteryPower: -52 },
    tail: [],
    ...overrides,
  };
}

export const realInverter: InverterInfo = {
  id: "axpert-1",
  device: "hidraw:/dev/hidraw0",
  simulated: false,
  serialNumber: "92931905106458",
  model: "Axpert KING",
};

export const simulatedInverter: InverterInfo = {
  ...realInverter,
  id: "sim-1",
  device: "sim:",
  simulated: true,
  serialNumber: "99999999999999",
};

export const online: LinkStatus = { state: "online", since: Date.UTC(2026, 0, 1), message: "" };
export const silent: LinkStatus = { state: "silent", since: Date.UTC(2026, 0, 2), message: "The inverter does not answer." };

export interface RecordedMessage {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

/** A logger that remembers. */
export function recordingLogger(): Logger & { readonly messages: RecordedMessage[]; texts(level?: RecordedMessage["level"]): string[] } {
  const messages: RecordedMessage[] = [];
  const record = (level: RecordedMessage["level"]) => (message: string) => {
    messages.push({ level, message });
  };
  return {
    messages,
    texts: (level) => messages.filter((entry) => level === undefined || entry.level === level).map(({ message }) => message),
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
  };
}

/** Waits until the condition holds, looking often; fails with its name after the deadline. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Expected within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
