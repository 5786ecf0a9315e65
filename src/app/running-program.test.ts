import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NotRunningError } from "../model/errors.ts";
import { silentLogger } from "../model/logger.ts";
import { LocalSocket } from "./local-socket.ts";
import { openRunning } from "./running-program.ts";
import { writeRuntimeFile } from "./runtime-file.ts";

const { signal } = new AbortController();
const about = { pid: 12, version: "1.2.3", startedAt: 0 };
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sonkrag-running-"));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

it("asks over the local socket, whether there is a page or not", async () => {
  const bytes = Buffer.from([0x1f, 0x8b, 0, 255]);
  const methods = {
    link: async (params: unknown) => ({ of: params }),
    bundle: async () => ({ base64: bytes.toString("base64") }),
  };
  await using socket = await LocalSocket.open({ dataDir, version: "1.2.3", methods, logger: silentLogger });
  await using _runtime = await writeRuntimeFile(dataDir, { ...about, socket: socket.path, http: "http://127.0.0.1:1/" });
  await using program = await openRunning(dataDir, { signal });
  expect(program.where).toBe(`as process ${process.pid}`);
  expect(await program.link("garage", { signal })).toEqual({ of: { inverter: "garage" } });
  expect(Buffer.from(await program.bundle({ signal })).equals(bytes)).toBe(true);
});

it("says when none runs", async () => {
  await expect(openRunning(dataDir, { signal })).rejects.toBeInstanceOf(NotRunningError);
});

// Root may open every socket.
it.skipIf(process.getuid?.() === 0)(
  "asks over HTTP where the socket is another user's, and says so where there is no page either",
  async () => {
    await using socket = await LocalSocket.open({ dataDir, version: "1.2.3", methods: {}, logger: silentLogger });
    await chmod(socket.path, 0);
    {
      await using _runtime = await writeRuntimeFile(dataDir, { ...about, socket: socket.path, http: "http://127.0.0.1:1/" });
      await using program = await openRunning(dataDir, { signal });
      expect(program.where).toBe("at http://127.0.0.1:1/");
    }
    await using _runtime = await writeRuntimeFile(dataDir, { ...about, socket: socket.path });
    await expect(openRunning(dataDir, { signal })).rejects.toMatchObject({ context: { denied: true } });
  },
);
