import type { Stats } from "node:fs";
import { TransportError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { findHolders, type Holder } from "./holders.ts";
import { pause } from "./pause.ts";
import { runTool } from "./run-tool.ts";

/** Between two looks at who holds a port: device managers open a new port for a moment, and so does a second sonkrag that is then refused. */
const secondLookMs = 100;

interface OpenFile {
  readonly fd: number;
  readonly stats: Stats;
}

interface ClaimOptions {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * Makes this process the only owner of an open port, or throws TransportError `transport-busy` that names who has it.
 *
 * The lock is flock(2), which belongs to the open file: it is taken by the `flock` program on our own descriptor, stays with
 * us when that program ends, and falls away with our last descriptor, however this process dies. It keeps out other copies of
 * this program and whoever else locks; programs that do not are found by looking who has the device open.
 */
export async function claimPort(port: OpenFile, what: string, { signal, logger }: ClaimOptions): Promise<void> {
  const lock = await runTool("flock", ["-n", "-x", "3"], port.fd, { signal });
  if (lock === "missing" || (lock.status !== 0 && lock.stderr !== "")) {
    logger.warn(
      "The port could not be locked: another program that opens it later goes unnoticed. Install util-linux (or busybox), which has `flock`.",
      { port: what, reason: lock === "missing" ? "flock is not installed" : lock.stderr },
    );
  } else if (lock.status !== 0) {
    throw busy(what, await findHolders(port.stats, { signal }), "is locked");
  }

  const first = await othersWith(port.stats, signal);
  if (first.length === 0) return;
  await pause(secondLookMs, { signal });
  const second = await othersWith(port.stats, signal);
  const staying = second.filter(({ pid }) => first.some((holder) => holder.pid === pid));
  if (staying.length > 0) throw busy(what, staying, "is in use");
}

async function othersWith(stats: Stats, signal: AbortSignal): Promise<readonly Holder[]> {
  return (await findHolders(stats, { signal })).filter(({ pid }) => pid !== process.pid);
}

function busy(what: string, holders: readonly Holder[], state: "is locked" | "is in use"): TransportError {
  const others = holders.filter(({ pid }) => pid !== process.pid);
  const context = { port: what, holders: others };
  if (others.length > 0) {
    const names = others.map(({ pid, command }) => `process ${pid} (${command})`).join(" and ");
    return new TransportError(
      "transport-busy",
      `${what} is in use by ${names}; stop it first: two programs on one port garble each other's answers`,
      { context },
    );
  }
  const reason = holders.some(({ pid }) => pid === process.pid)
    ? "by this program itself, which has not got rid of its earlier connection yet"
    : `by another user's process, which may not be inspected; \`sudo fuser -v\` on the device names it`;
  return new TransportError("transport-busy", `${what} ${state} ${reason}`, { context });
}
