import { SonkragError } from "../../src/model/errors.ts";
import { parseDeviceUrl } from "../../src/transport/device-url.ts";
import { openTransport } from "../../src/transport/open.ts";

/** A second process with our own code: opens the device URL it is given, says how that went, and keeps it until killed. */
const url = parseDeviceUrl(process.argv[2] ?? "");
if (url.kind === "auto" || url.kind === "sim") throw new Error(`expected a medium to open, got ${url.kind}`);
try {
  const transport = await openTransport(url, { signal: new AbortController().signal });
  console.log("open");
  process.stdin.resume();
  process.stdin.once("end", () => void transport[Symbol.asyncDispose]());
} catch (error) {
  console.log(error instanceof SonkragError ? `${error.code}: ${error.message}` : String(error));
}
