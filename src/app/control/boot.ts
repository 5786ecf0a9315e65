import { readFile } from "node:fs/promises";
import { uptime } from "node:os";
import type { Boot } from "./proven-time.ts";

/** The present start of this machine; absent where the system does not name it (all but Linux). */
export async function presentBoot(): Promise<Boot | undefined> {
  try {
    // The whole of it would tell for ever which other files were written by this machine.
    const id = (await readFile("/proc/sys/kernel/random/boot_id", "latin1")).slice(0, 8);
    return { id, upMs: () => Math.round(uptime() * 1000) };
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code !== "string") throw error;
    return undefined;
  }
}
