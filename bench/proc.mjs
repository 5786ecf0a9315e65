/** What Linux tells of a process from outside. */
import { readFileSync, readdirSync } from "node:fs";

/** Ticks a second of the times in /proc/PID/stat: 100 on every Linux that Node runs on. */
const ticks = 100;

/**
 * The fields of /proc/PID/stat from the third on; the second may hold spaces.
 * @param {number} pid
 */
function statOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/**
 * Seconds of processor time of all threads and of the children that have ended, and seconds for which the threads were
 * ready to run and had no core.
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  const stat = statOf(pid);
  let ran = 0;
  let waited = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [onCore = 0, inQueue = 0] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ").map(Number);
    ran += onCore / 1e9;
    waited += inQueue / 1e9;
  }
  return { used: ran + (Number(stat[13]) + Number(stat[14])) / ticks, waited };
}

/**
 * Resident memory in MB (1,000,000 bytes): the most ever and now.
 * @param {number} pid
 */
export function memoryMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  /** @param {string} name */
  const of = (name) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024) / 1e6;
  return { peak: of("VmHWM"), now: of("VmRSS") };
}

/**
 * Bytes that a process has read, from whatever.
 * @param {number} pid
 */
export function bytesRead(pid) {
  return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

/**
 * @param {number} parent
 * @returns {number | undefined}
 */
export function childOf(parent) {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Number(statOf(Number(name))[1]) === parent) return Number(name);
    } catch (error) {
      // It may have ended while we looked.
      if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))) throw error;
    }
  }
  return undefined;
}
