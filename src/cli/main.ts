#!/usr/bin/env node
import { CommanderError } from "commander";
import { SinkError } from "../model/errors.ts";
import { errorText, exitAfter, exits } from "./exit.ts";
import { createProgram } from "./program.ts";

/** Nobody reads stdout any more (`sonkrag … | head`): the work is over and nothing is wrong. */
class OutputClosed extends Error {}

const stop = new AbortController();
let stopping: NodeJS.Signals | undefined;
let stoppingSince = 0;
/** npm passes on the Ctrl-C that the terminal has sent to everyone already: what comes so soon is the same keystroke. */
const echoMs = 500;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait for a clean end.
    if (stopping !== undefined) {
      if (signal === "SIGINT" && performance.now() - stoppingSince > echoMs) process.exit(exits.interrupted.code);
      return;
    }
    stopping = signal;
    stoppingSince = performance.now();
    stop.abort(new Error(`stopped by ${signal}`));
  });
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  const reason =
    error.code === "EPIPE" ? new OutputClosed("stdout was closed") : new SinkError(`stdout: ${error.message}`, { cause: error });
  stop.abort(reason);
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await run(process.argv);

async function run(argv: readonly string[]): Promise<number> {
  const { program, result } = createProgram({
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal: stop.signal,
  });
  try {
    await program.parseAsync([...argv]);
    if (stop.signal.reason instanceof SinkError) throw stop.signal.reason;
    return exits[result.exit].code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok.code : exits.usage.code;
    if (stop.signal.reason instanceof OutputClosed) return exits.ok.code;
    if (stopping !== undefined) return stopping === "SIGINT" ? exits.interrupted.code : 143;
    // An AbortError of the platform hides the reason for which the work was given up.
    const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
    process.stderr.write(errorText(reason));
    return exits[exitAfter(reason)].code;
  }
}
