import { encodeCommand } from "../protocol/encode.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

export interface EncodeOptions {
  readonly checksum: "plain" | "zero-bumped";
}

/** Prints the bytes of a command as hex. */
export async function encode(command: string, options: EncodeOptions, terminal: Terminal): Promise<Exit> {
  const bytes = encodeCommand(command, options.checksum === "plain" ? "plain" : "zeroBumped");
  await print(terminal, `${Buffer.from(bytes).toString("hex")}\n`);
  return "ok";
}
