import { describe, expect, it } from "vitest";
import { TransportError } from "../model/errors.ts";
import { createLogger, localIso, type LogLevel } from "./logger.ts";

const now = () => new Date("2026-03-29T06:00:00.123Z");

function logged(format: "text" | "json", level: LogLevel, use: (log: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  use(createLogger({ level, format, now, write: (line) => lines.push(line) }));
  return lines;
}

describe("text", () => {
  it("is one line: local time, level, message, fields", () => {
    expect(
      logged("text", "info", (log) => log.warn("Port lost", { device: "hidraw:/dev/hidraw0", why: 'the "cable"', n: 3, none: undefined })),
    ).toEqual([`${localIso(now())} warn  Port lost device=hidraw:/dev/hidraw0 why="the \\"cable\\"" n=3\n`]);
  });

  it("stays one line when the message has several", () => {
    expect(logged("text", "info", (log) => log.info("one\n  two\r\nthree"))[0]).toMatch(/ info {2}one · two · three\n$/);
  });

  it("does not steer the terminal with what others have sent", () => {
    const [line = ""] = logged("text", "info", (log) => log.warn("garage: \u001b[2J\rfaked = \u009b31mx\u0000\u007f"));
    expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u);
    expect(line).toContain("faked");
  });

  it("shows an error with its code and causes, and bytes as hex", () => {
    const error = new TransportError("transport-open", "cannot open", { cause: new Error("EACCES") });
    expect(logged("text", "debug", (log) => log.error("Failed", { error, bytes: Uint8Array.of(0x28, 0x0d) }))[0]).toContain(
      'error="[transport-open] cannot open ← EACCES" bytes=280d\n',
    );
  });
});

describe("json", () => {
  it("is one object a line", () => {
    const [line = ""] = logged("json", "info", (log) => log.info("a\nb", { error: new Error("x"), big: 1n, list: [1, { password: "p" }] }));
    expect(line.endsWith("}\n")).toBe(true);
    expect(JSON.parse(line)).toEqual({
      time: "2026-03-29T06:00:00.123Z",
      level: "info",
      message: "a\nb",
      error: "x",
      big: "1",
      list: [1, { password: "(hidden)" }],
    });
  });
});

it("leaves out what is below the level", () => {
  const all = (log: ReturnType<typeof createLogger>) => {
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
  };
  expect(logged("json", "warn", all).map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(["w", "e"]);
  expect(logged("json", "debug", all)).toHaveLength(4);
});

it.each(["text", "json"] as const)("never writes a secret (%s)", (format) => {
  const line = logged(format, "info", (log) =>
    log.info("to mqtt://me:hunter2@broker", {
      password: "hunter2",
      options: { apiToken: "hunter2" },
      url: "mqtt://me:hunter2@broker:1883",
    }),
  ).join();
  expect(line).not.toContain("hunter2");
  expect(line).toContain("mqtt://broker:1883");
});

it("local time carries its offset", () => {
  const time = new Date("2026-07-01T23:30:00.005Z");
  expect(new Date(localIso(time)).getTime()).toBe(time.getTime());
  expect(localIso(time)).toMatch(/^2026-07-0[12]T\d\d:\d\d:00\.005[+-]\d\d:\d\d$/);
});
