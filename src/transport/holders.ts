import { readdirSync, readFileSync, readlinkSync, statSync, type Stats } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

/** A process that has a file open. */
export interface Holder {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly command: string;
}

/** Between processes; keeps a machine with thousands of descriptors from stalling every other line for long. */
const processesPerTurn = 16;
const commandLength = 80;

/**
 * The processes that have this file open, ourselves included. Those of other users, which the system does not let us inspect,
 * are left out; so is the process behind a pseudo-terminal, which is the far end and not a rival.
 */
export async function findHolders(
  stats: Stats,
  { signal, procRoot = "/proc" }: { readonly signal: AbortSignal; readonly procRoot?: string },
): Promise<readonly Holder[]> {
  const holders: Holder[] = [];
  const pids = (attempt(() => readdirSync(procRoot)) ?? []).filter((name) => /^\d+$/.test(name));
  for (const [index, pid] of pids.entries()) {
    if (index % processesPerTurn === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
    if (holds(`${procRoot}/${pid}`, stats)) holders.push({ pid: Number(pid), command: commandOf(`${procRoot}/${pid}`) });
  }
  return holders;
}

/** Linux's numbers for the user's side of a pseudo-terminal. */
export function isPseudoTerminal(stats: Stats): boolean {
  return stats.isCharacterDevice() && major(stats.rdev) >= 136 && major(stats.rdev) <= 143;
}

/** `major:minor`, as sysfs names a device. */
export function deviceNumber(stats: Stats): string {
  return `${major(stats.rdev)}:${minor(stats.rdev)}`;
}

function holds(processRoot: string, wanted: Stats): boolean {
  const links = (attempt(() => readdirSync(`${processRoot}/fd`)) ?? []).map((fd) => ({
    fd,
    target: attempt(() => readlinkSync(`${processRoot}/fd/${fd}`)) ?? "",
  }));
  const isHeld = links.some(({ fd, target }) => {
    if (wanted.isCharacterDevice() && !target.startsWith("/dev/")) return false;
    const found = attempt(() => statSync(`${processRoot}/fd/${fd}`));
    return found !== undefined && isSame(found, wanted);
  });
  return (
    isHeld && !(isPseudoTerminal(wanted) && links.some(({ fd, target }) => target.endsWith("ptmx") && isMasterOf(processRoot, fd, wanted)))
  );
}

/** Device nodes of one device may exist twice (containers), so the number counts; numbers of pseudo-terminals repeat per mount. */
function isSame(found: Stats, wanted: Stats): boolean {
  if (wanted.isCharacterDevice() && !isPseudoTerminal(wanted)) return found.isCharacterDevice() && found.rdev === wanted.rdev;
  return found.dev === wanted.dev && found.ino === wanted.ino;
}

/** socat keeps both ends of the pseudo-terminal it offers; the kernel tells which terminal a master belongs to. */
function isMasterOf(processRoot: string, fd: string, terminal: Stats): boolean {
  const info = attempt(() => readFileSync(`${processRoot}/fdinfo/${fd}`, "utf8")) ?? "";
  return new RegExp(`^tty-index:\\s*${minor(terminal.rdev)}$`, "m").test(info);
}

function commandOf(processRoot: string): string {
  const line = attempt(() => readFileSync(`${processRoot}/cmdline`, "utf8")) ?? "";
  const command = line.replaceAll(/\p{Cc}+/gu, " ").trim();
  if (command === "") return "unknown program";
  return command.length > commandLength ? `${command.slice(0, commandLength - 1)}…` : command;
}

/** Processes end and descriptors close while we look, and some may not be looked at: all of these are simply not there. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function major(rdev: number): number {
  return Number((BigInt(rdev) >> 8n) & 0xfffn);
}

function minor(rdev: number): number {
  return Number((BigInt(rdev) & 0xffn) | ((BigInt(rdev) >> 12n) & 0xfff00n));
}
