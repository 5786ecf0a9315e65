/**
 * `npm run bench`: the built program's figures beside those of other programs. Shows, and judges nothing: it ends well
 * whatever comes out. docs/performance.md says what is measured.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readyOrExit } from "../scripts/ready.mjs";
import { flatOut, npmStart, replug, six, startUp, underFaults } from "./figures.mjs";
import { writeNumberedLog } from "./numbered-log.mjs";
import { bestPeer, fewestMistakes, peers, ratioOf, tableOf } from "./table.mjs";

/** @typedef {import("./table.mjs").Figure} Figure */
/** @typedef {import("./figures.mjs").Bench} Bench */

const usage = `Usage: npm run bench -- [options]

  --quick          15 s for each measurement instead of 60
  --seconds <n>    that long
  --only <text>    only the groups whose name contains it
  --calm           wait before each group, at most five minutes, until the machine's load is below 1
  --json <file>    write the figures there too
`;

const frames = 1_000_000;

/**
 * What is measured, by name; each gives its lines of the table.
 * @type {Record<string, (bench: Bench) => Promise<Figure[]>>}
 */
const groups = {
  "paced line": async (bench) => {
    const run = await flatOut(bench, { baud: 2400, only: ["QPIGS"] });
    const bare = await flatOut(bench, { baud: 2400, only: ["QPIGS"], outputs: false });
    return [
      figure(
        "QPIGS flat out at 2400 baud, polls/min",
        run.pollsPerSecond * 60,
        1,
        "higher",
        bestPeer("paced", "higher"),
        `the wire allows 122.0; ${waited(run)}`,
      ),
      figure("  line in use, %", run.lineShare, 2, "higher", bestPeer("share", "higher")),
      figure("  CPU s per 1,000 polls, all outputs", run.cpuPer1000, 2, "lower", bestPeer("cpuPaced", "lower"), "the others: no outputs"),
      figure("  CPU s per 1,000 polls, outputs off", bare.cpuPer1000, 2, "lower", bestPeer("cpuPaced", "lower")),
      figure("  memory, peak MB", run.memory.peak, 0, "lower", bestPeer("peakMb", "lower"), "all outputs"),
      figure("  memory at the end, MB", run.memory.now, 0, "lower", undefined, `after ${bench.seconds + bench.warmUp} s, all outputs`),
      figure("  memory, outputs off, peak MB", bare.memory.peak, 0, "lower", bestPeer("peakMb", "lower")),
    ];
  },
  "paced cycle": async (bench) => {
    const run = await flatOut(bench, { baud: 2400, only: six });
    return [
      figure(
        "Six commands at 2400 baud, cycles/min",
        run.pollsPerSecond * 60,
        2,
        "higher",
        undefined,
        `the wire allows 32.14; ${waited(run)}`,
      ),
      figure("  line in use, %", run.lineShare, 2, "higher", bestPeer("cycleShare", "higher"), "the other: four commands"),
    ];
  },
  "unpaced line": async (bench) => {
    const short = { ...bench, seconds: Math.max(10, bench.seconds / 3) };
    const run = await flatOut(short, { baud: 0, only: ["QPIGS"] });
    const cycle = await flatOut(short, { baud: 0, only: six });
    return [
      figure("QPIGS unpaced, polls/s", run.pollsPerSecond, 0, "higher", bestPeer("unpaced", "higher"), `all outputs; ${waited(run)}`),
      figure("  CPU s per 1,000 polls", run.cpuPer1000, 3, "lower", bestPeer("cpuUnpaced", "lower"), "all outputs"),
      figure("Six commands unpaced, polls/s", cycle.pollsPerSecond * six.length, 0, "higher", undefined, "polls of any of the six"),
    ];
  },
  "start-up": async (bench) => {
    const best = bestPeer("startS", "lower");
    const unpaced = await startUp(bench, { baud: 0 });
    const paced = await startUp(bench, { baud: 2400 });
    const inside = await startUp(bench, {});
    return [
      figure("Start to first value on MQTT, pty unpaced, s", unpaced.mqtt, 2, "lower", best, "the others: on their own output"),
      figure("  in the snapshot, s", unpaced.snapshot, 2, "lower", best),
      figure("Start to first value on MQTT, pty 2400 baud, s", paced.mqtt, 2, "lower", best, "1 s of it is the wire's"),
      figure("  in the snapshot, s", paced.snapshot, 2, "lower", best),
      figure("Start to first value on MQTT, simulator inside, s", inside.mqtt, 2, "lower", undefined),
      figure("  in the snapshot, s", inside.snapshot, 2, "lower", undefined),
      figure("npm start, second time, to the announcement, s", await npmStart(bench), 2, "lower", undefined),
    ];
  },
  replug: async (bench) => [
    figure("Replug: device back to next value, s", await replug(bench), 2, "lower", {
      program: peers.replug.program,
      values: [Math.min(...peers.replug.seconds)],
    }),
  ],
  faults: async (bench) => {
    const long = { ...bench, seconds: bench.seconds * 2 };
    const stale = await underFaults(long, { stale: 0.05 });
    const mixed = await underFaults(long, { corrupt: 0.04, truncated: 0.04, dropped: 0.03, stale: 0.04 });
    return [
      figure(
        "5 % stale: stale values taken as new",
        stale.stale,
        0,
        "lower",
        fewestMistakes("stale"),
        `of ${stale.values}; other programs 12–30 of 500`,
      ),
      figure("  polls/min", stale.pollsPerMinute, 1, "higher", undefined, `line in use ${stale.lineShare.toFixed(1)} %`),
      figure(
        "15 % mixed faults: wrong values",
        mixed.wrong,
        0,
        "lower",
        fewestMistakes("wrong"),
        `of ${mixed.values}; others up to 54 of 500`,
      ),
      figure("  stale values taken as new", mixed.stale, 0, "lower", fewestMistakes("stale")),
      figure("  polls/min", mixed.pollsPerMinute, 1, "higher", undefined, `line in use ${mixed.lineShare.toFixed(1)} %`),
    ];
  },
  decoder: async () => {
    const { decoderRates } = await import("./micro.mjs");
    const { whole, damaged } = decoderRates(frames);
    return [
      figure("Decoder, whole frames/s", whole.perSecond, 0, "higher", undefined, "the six replies in turn"),
      figure("Decoder, damaged frames/s", damaged.perSecond, 0, "higher", undefined, `1,000,000 of them, ${damaged.accepted} still right`),
    ];
  },
};

/** @param {{ waitMs: number }} run */
const waited = ({ waitMs }) => `${waitMs.toFixed(waitMs < 1 ? 3 : 1)} ms a poll without a core`;

/**
 * @param {string} metric
 * @param {number} value
 * @param {number} digits
 * @param {"higher" | "lower"} better
 * @param {Figure["peer"]} peer
 * @param {string} [note]
 * @returns {Figure}
 */
function figure(metric, value, digits, better, peer, note) {
  return { metric, value: Number.isFinite(value) ? value : undefined, digits, better, peer, ...(note !== undefined && { note }) };
}

/** @returns {{ seconds: number, only: string, calm: boolean, json: string | undefined }} */
function options() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        seconds: { type: "string" },
        only: { type: "string", default: "" },
        calm: { type: "boolean", default: false },
        json: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    const seconds = Number(values.seconds ?? (values.quick ? 15 : 60));
    if (!(seconds >= 1)) throw new Error(`--seconds: expected a number from 1, got ${values.seconds}`);
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return { seconds, only: values.only, calm: values.calm, json: values.json };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

const { seconds, only, calm, json } = options();
if (process.platform !== "linux") {
  console.error(`The bench reads /proc and makes pseudo-terminals: expected Linux, got ${process.platform}.`);
  process.exit(1);
}
await readyOrExit();

const machine = {
  date: new Date().toISOString(),
  node: process.version,
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? "unknown",
  load: loadavg()[0] ?? 0,
  seconds,
};
console.log(
  `${machine.date.slice(0, 16)}Z · ${machine.cores} cores (${machine.processor}) · Node ${machine.node} · load ${machine.load.toFixed(2)} · ${seconds} s each`,
);

const load = () => loadavg()[0] ?? 0;
const folder = mkdtempSync(join(tmpdir(), "sonkrag-bench-"));
// A program that is still ending may write once more.
const tidy = () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    // Leaving by exit() ends what was started; this is done after that.
    process.once("exit", tidy);
    process.exit(130);
  });
}
/** @type {Figure[]} */
const figures = [];
try {
  const log = join(folder, "numbered.log");
  writeNumberedLog(log);
  const bench = { folder, log, seconds, warmUp: Math.max(5, seconds / 3), repeats: seconds < 30 ? 1 : 5 };
  for (const [name, measure] of Object.entries(groups)) {
    if (!name.includes(only)) continue;
    for (const limit = performance.now() + 300_000; calm && load() >= 1 && performance.now() < limit;) await sleep(5000);
    const before = load();
    process.stderr.write(`measuring: ${name} (load ${before.toFixed(2)})\n`);
    try {
      figures.push(...(await measure(bench)).map((each) => ({ ...each, load: [before, load()] })));
    } catch (error) {
      figures.push({ metric: name, value: undefined, note: error instanceof Error ? error.message : String(error) });
    }
  }
} finally {
  tidy();
}

console.log(`\n${tableOf(figures)}\n\n↑ more is better, ↓ less is better; ratio = sonkrag / the best of the others. ${peers.about}`);
if (json !== undefined) {
  const rows = figures.map((each) => ({ ...each, ratio: ratioOf(each) }));
  writeFileSync(json, `${JSON.stringify({ machine, figures: rows, peers }, null, 2)}\n`);
}
