/** One function for each group of figures; each starts what it needs and stops it again. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { numberOf, numbers } from "./numbered-log.mjs";
import { cpuSeconds, memoryMb } from "./proc.mjs";
import { start, startProgram, startSimulator, until, writeConfig } from "./rig.mjs";

/** @typedef {Awaited<ReturnType<typeof startSimulator>>} Simulator */
/** @typedef {Awaited<ReturnType<typeof startProgram>>} Program */

/**
 * @typedef {object} Bench
 * @property {string} folder for everything that is written
 * @property {string} log the numbered log
 * @property {number} seconds of each measurement
 * @property {number} warmUp seconds before it
 * @property {number} repeats of what is over in a moment
 */

/** One byte at 2400 baud, 8N1. */
const byteMs = 10_000 / 2400;
export const pollBytes = 8 + 110;
export const six = ["QPIGS", "QMOD", "QPIWS", "QPIRI", "QFLAG", "QPGS0"];

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * A simulator and a program at its pty, for as long as `measure` takes.
 * @template T
 * @param {Bench} bench
 * @param {import("./rig.mjs").LineOptions} line
 * @param {Omit<import("./rig.mjs").ProgramOptions, "device">} how
 * @param {(program: Program, simulator: Simulator) => Promise<T>} measure
 * @returns {Promise<T>}
 */
async function withLine({ folder }, line, how, measure) {
  const pty = join(folder, "pty");
  const simulator = await startSimulator(pty, line);
  try {
    const program = await startProgram(folder, { ...how, device: `serial:${pty}` });
    try {
      return await measure(program, simulator);
    } finally {
      await program.stop();
    }
  } finally {
    await simulator.stop();
  }
}

/**
 * Where a measurement stands.
 * @param {Program} program
 * @param {Simulator} simulator
 * @param {boolean} seen whether the values can be had over HTTP
 */
async function mark(program, simulator, seen) {
  const reading = seen ? (await program.readings())?.readings["QPIGS"] : undefined;
  return {
    at: performance.now(),
    cpu: cpuSeconds(program.pid),
    lineBytes: simulator.lineBytes(),
    number: reading && numberOf(reading.payload),
    // When the counted answer had come, not when it was looked at.
    readAt: reading?.at,
  };
}

/**
 * The program flat out on a line that nothing disturbs. Answers to QPIGS are counted by the numbers in their values; without
 * outputs nobody sees those, and the bytes on the line are counted instead.
 * @param {Bench} bench
 * @param {{ baud: number, only: readonly string[], outputs?: boolean }} options
 */
export async function flatOut(bench, { baud, only, outputs = true }) {
  return withLine(bench, { baud, replay: bench.log }, { only, outputs }, async (program, simulator) => {
    if (outputs) await until("a first value", async () => (await program.readings())?.readings["QPIGS"]);
    await sleep(bench.warmUp * 1000);
    const begin = await mark(program, simulator, outputs);
    let polls = 0;
    let last = begin;
    // Looked at seldom, for looking costs the program time; often enough that the numbers do not begin anew unnoticed.
    while (last.at - begin.at < bench.seconds * 1000 - 1) {
      const left = bench.seconds * 1000 - (last.at - begin.at);
      await sleep(Math.min(left, baud === 0 ? 4000 : left));
      const now = await mark(program, simulator, outputs);
      polls += ((now.number ?? 0) - (last.number ?? 0) + numbers) % numbers;
      last = now;
    }
    const lineBytes = last.lineBytes - begin.lineBytes;
    if (!outputs) polls = lineBytes / pollBytes;
    const pollSeconds = outputs ? ((last.readAt ?? 0) - (begin.readAt ?? 0)) / 1000 : (last.at - begin.at) / 1000;
    return {
      polls,
      pollsPerSecond: polls / pollSeconds,
      /** Percent of the time in which the line carried a byte. */
      lineShare: (lineBytes * byteMs * 100) / (last.at - begin.at),
      cpuPer1000: ((last.cpu.used - begin.cpu.used) * 1000) / polls,
      /** What other programs on the machine cost it: milliseconds a poll spent waiting for a core. */
      waitMs: ((last.cpu.waited - begin.cpu.waited) * 1000) / polls,
      memory: memoryMb(program.pid),
    };
  });
}

/**
 * Seconds from the start of the process to the first value on MQTT and in the snapshot.
 * @param {Bench} bench
 * @param {{ baud?: number }} options without a rate: the simulator inside the program
 */
export async function startUp(bench, { baud }) {
  const pty = join(bench.folder, "pty");
  const simulator = baud === undefined ? undefined : await startSimulator(pty, { baud });
  const onMqtt = [];
  const inSnapshot = [];
  try {
    for (let count = 0; count < bench.repeats; count++) {
      const program = await startProgram(bench.folder, { device: simulator ? `serial:${pty}` : "sim:" });
      try {
        const [message, snapshot] = await Promise.all([
          firstMessage(program.mqtt),
          until("a value in the snapshot", async () => {
            const inverter = await program.readings();
            return inverter && Object.keys(inverter.readings).length > 0 ? performance.now() : undefined;
          }),
        ]);
        onMqtt.push((message - program.startedAt) / 1000);
        inSnapshot.push((snapshot - program.startedAt) / 1000);
      } finally {
        await program.stop();
      }
    }
  } finally {
    await simulator?.stop();
  }
  return { mqtt: median(onMqtt), snapshot: median(inSnapshot) };
}

/**
 * The moment of the first message with values.
 * @param {string} url
 * @returns {Promise<number>}
 */
async function firstMessage(url) {
  const client = mqtt.connect(url, { reconnectPeriod: 10 });
  let moment = 0;
  // Not there yet: that is what is waited for.
  client.on("error", () => undefined);
  client.on("connect", () => client.subscribe("#"));
  client.on("message", (topic, payload) => {
    const isValue = topic.startsWith("power/axpert") || (topic.endsWith("/state") && /"values":\{"/.test(payload.toString()));
    if (isValue) moment ||= performance.now();
  });
  try {
    return await until("a message on MQTT", () => moment || undefined, 2);
  } finally {
    await client.endAsync(true);
  }
}

/**
 * Seconds until `npm start` has said where everything is, dependencies and build being there.
 * @param {Bench} bench
 */
export async function npmStart(bench) {
  const seconds = [];
  for (let count = 0; count < bench.repeats; count++) {
    const { file } = await writeConfig(bench.folder, { device: "sim:" });
    const npm = start("npm", ["start", "--", "--config", file], { group: true });
    try {
      await npm.says(/Ctrl-C stops it/);
      seconds.push((performance.now() - npm.startedAt) / 1000);
    } finally {
      await npm.stop();
    }
  }
  return median(seconds);
}

/**
 * Seconds from the return of the pty to the next value. The simulator is ended, and 3 s later another one makes the pty again.
 * @param {Bench} bench
 */
export async function replug(bench) {
  const pty = join(bench.folder, "pty");
  const seconds = [];
  let simulator = await startSimulator(pty, { replay: bench.log });
  try {
    const program = await startProgram(bench.folder, { device: `serial:${pty}`, only: ["QPIGS"] });
    try {
      for (let count = 0; count < bench.repeats; count++) {
        await until("a value before the replug", async () => (await program.readings())?.readings["QPIGS"]);
        await sleep(2000);
        await simulator.stop();
        await sleep(3000);
        const [again, back] = await Promise.all([
          startSimulator(pty, { replay: bench.log }),
          until("the pty", () => (existsSync(pty) ? { at: Date.now(), moment: performance.now() } : undefined), 2),
        ]);
        simulator = again;
        const next = await until("a value after the replug", async () => {
          const reading = (await program.readings())?.readings["QPIGS"];
          return reading && reading.at > back.at ? performance.now() : undefined;
        });
        seconds.push((next - back.moment) / 1000);
      }
    } finally {
      await program.stop();
    }
  } finally {
    await simulator.stop();
  }
  return median(seconds);
}

/**
 * The program on a paced line that spoils replies. A value counts as stale when its number is not above all numbers before
 * it, and as wrong when its payload is none that the simulator has.
 * @param {Bench} bench
 * @param {Record<string, number>} faults
 */
export async function underFaults(bench, faults) {
  return withLine(bench, { replay: bench.log, faults }, { only: ["QPIGS"] }, async (program, simulator) => {
    await until("a first value", async () => (await program.readings())?.readings["QPIGS"]);
    const found = { values: 0, stale: 0, wrong: 0 };
    let highest = -1;
    const stop = new AbortController();
    const watching = watch(program.url, stop.signal, (payload) => {
      found.values += 1;
      const number = numberOf(payload);
      if (number === undefined) found.wrong += 1;
      else if (number <= highest) found.stale += 1;
      else highest = number;
    });
    const begin = { at: performance.now(), lineBytes: simulator.lineBytes() };
    await sleep(bench.seconds * 1000);
    const elapsed = performance.now() - begin.at;
    const lineBytes = simulator.lineBytes() - begin.lineBytes;
    stop.abort();
    await watching;
    return {
      ...found,
      pollsPerMinute: (found.values * 60_000) / elapsed,
      usefulShare: (found.values * pollBytes * byteMs * 100) / elapsed,
      lineShare: (lineBytes * byteMs * 100) / elapsed,
    };
  });
}

/**
 * Follows the live feed and hands over every QPIGS payload.
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {(payload: string) => void} take
 */
async function watch(url, signal, take) {
  try {
    const response = await fetch(`${url}api/v1/live`, { signal });
    if (response.body === null) throw new Error("expected a live feed, got an answer without a body");
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        const message = /** @type {import("../src/api/live.ts").LiveMessage | undefined} */ (data && JSON.parse(data));
        if (message?.type === "reading" && message.reading.command === "QPIGS") take(message.reading.payload);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
