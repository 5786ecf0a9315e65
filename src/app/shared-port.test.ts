import { describe, expect, it } from "vitest";
import { online, payloads, silent } from "../../test/support/readings.ts";
import { epoch, readingAt, rigOf, texts, wait } from "../../test/support/shared-rig.ts";
import { DeadlineError, ReplyError, TransportError } from "../model/errors.ts";
import { decodeFrame } from "../protocol/decode.ts";
import { encodeCommand } from "../protocol/encode.ts";

describe("an inquiry", () => {
  it("is answered with the bytes that the unit has sent, from a reading that is young enough, without asking", async () => {
    const rig = rigOf();
    const program = rig.program();
    rig.port.learn(readingAt(0, { payload: `${payloads.QPIGS} ` }));
    await wait(rig, 4900);
    program.ask("QPIGS");
    await wait(rig, 50);
    expect(texts(program)).toEqual([`${payloads.QPIGS} `]);
    expect(rig.asked).toEqual([]);
    await rig.end();
  });

  it("is put to the unit when the reading is older than that, counted from its last byte", async () => {
    const rig = rigOf();
    const program = rig.program();
    await wait(rig, 3000);
    // Released two seconds after it came.
    rig.port.learn(readingAt(1000));
    await wait(rig, 3001);
    program.ask("QPIGS");
    await wait(rig, 1000);
    expect(rig.asked).toMatchObject([{ command: "QPIGS", urgent: true, at: 6001 }]);
    expect(program.heard).toMatchObject([{ at: 6501 }]);
    await rig.end();
  });

  it("is not answered with a younger-looking reading after the clock was set back", async () => {
    const rig = rigOf();
    const program = rig.program();
    rig.port.learn(readingAt(3_600_000));
    await wait(rig, 5001);
    program.ask("QPIGS");
    await wait(rig, 1000);
    expect(rig.asked).toHaveLength(1);
    await rig.end();
  });

  it("is always put to the unit where no age is allowed", async () => {
    const rig = rigOf({ maxAgeMs: 0 });
    const program = rig.program();
    rig.port.learn(readingAt(0));
    program.ask("QPIGS", "QPIGS");
    await wait(rig, 2000);
    expect(rig.asked).toHaveLength(2);
    expect(program.heard).toHaveLength(2);
    await rig.end();
  });

  it("is refused where the unit refuses it, and not answered where it is silent", async () => {
    const rig = rigOf();
    rig.unit = (command) => (command === "QPIGS2" ? "NAK" : new DeadlineError("no answer"));
    const program = rig.program();
    program.ask("QPIGS2", "QVFW3", "QPIGS2");
    await wait(rig, 3000);
    expect(texts(program)).toEqual(["NAK", "NAK"]);
    await rig.end();
  });

  it("that the unit does not know holds up the line once a minute, however often it is asked", async () => {
    const rig = rigOf();
    rig.unit = () => new DeadlineError("no answer");
    const program = rig.program();
    for (let second = 0; second < 90; second++) {
      program.ask("QVFW3");
      await wait(rig, 1000);
    }
    expect(rig.asked).toHaveLength(2);
    expect(program.heard).toEqual([]);
    await rig.end();
  });

  it("whose answer was spoilt gets none, and is asked again the next time", async () => {
    const rig = rigOf();
    rig.unit = () => new ReplyError("reply-unproven", "two frames");
    const program = rig.program();
    program.ask("QMOD");
    await wait(rig, 1500);
    rig.unit = () => "L";
    program.ask("QMOD");
    await wait(rig, 1500);
    expect(texts(program)).toEqual(["L"]);
    await rig.end();
  });

  it("gets no answer while the link is down, whatever was read before, nor afterwards from before", async () => {
    const rig = rigOf();
    const program = rig.program();
    rig.port.learn(readingAt(0));
    rig.link = silent;
    program.ask("QPIGS");
    await wait(rig, 500);
    expect(program.heard).toEqual([]);
    rig.link = { ...online, since: epoch + 500 };
    program.ask("QPIGS");
    await wait(rig, 1000);
    expect(rig.asked).toHaveLength(1);
    await rig.end();
  });

  it("gets no answer when the link breaks under it", async () => {
    const rig = rigOf();
    rig.unit = () => new TransportError("link-down", "gone");
    const program = rig.program();
    program.ask("QPIGS");
    await wait(rig, 1500);
    expect(program.heard).toEqual([]);
    expect(rig.logger.texts("error")).toEqual([]);
    await rig.end();
  });

  it.each(["QPIGS9", "QXYZ", "qpigs", "Q"])("outside the catalogue, %j, is refused and never sent", async (command) => {
    const rig = rigOf();
    const program = rig.program();
    program.ask(command);
    await wait(rig, 100);
    expect(texts(program)).toEqual(["NAK"]);
    expect(rig.asked).toEqual([]);
    await rig.end();
  });

  it("with a wrong checksum is refused, as a unit does", async () => {
    const rig = rigOf();
    const program = rig.program();
    program.feed(Buffer.from("QPIGS\r"));
    await wait(rig, 100);
    expect(texts(program)).toEqual(["NAK"]);
    await rig.end();
  });
});

describe("a setting", () => {
  it("is refused, told once in the log, and never sent", async () => {
    const rig = rigOf();
    const program = rig.program("tcp 127.0.0.1:50000");
    program.ask("POP02", "POP02", "PEa", "^S005ED1", "MCHGC010");
    await wait(rig, 500);
    expect(texts(program)).toEqual(["NAK", "NAK", "NAK", "NAK", "NAK"]);
    expect(rig.asked).toEqual([]);
    const warnings = rig.logger.texts("warn");
    expect(warnings.filter((text) => text.includes("POP02"))).toHaveLength(1);
    expect(warnings[0]).toBe(
      'axpert-1: tcp 127.0.0.1:50000 sent "POP02" to the shared port and was refused: it may change something, and sharedPort.settings is refuse',
    );
    await rig.end();
  });

  it("does not fill the log with other people's nonsense", async () => {
    const rig = rigOf();
    const program = rig.program();
    for (let count = 0; count < 300; count++) {
      program.ask(`POP${count}`);
      await wait(rig, 25);
    }
    expect(rig.logger.texts("warn").length).toBeLessThanOrEqual(50);
    await rig.end();
  });

  it("goes the way of every change where the user allows it: ACK means it is so", async () => {
    const wanted: [string, string][] = [];
    const rig = rigOf({
      change: async (command, client, { signal }) => {
        wanted.push([command, client]);
        await rig.clock.sleep(9000, { signal });
        return { isSo: command === "POP02" };
      },
    });
    const program = rig.program("pty");
    program.ask("POP02");
    await wait(rig, 9100);
    expect(texts(program)).toEqual(["ACK"]);
    program.ask("POP09");
    await wait(rig, 9100);
    expect(texts(program)).toEqual(["ACK", "NAK"]);
    expect(wanted).toEqual([
      ["POP02", "pty"],
      ["POP09", "pty"],
    ]);
    await rig.end();
  });

  it("does not come in behind what is no request, as a page in a browser can send it", async () => {
    const changed: string[] = [];
    const rig = rigOf({
      change: async (command) => {
        changed.push(command);
        return { isSo: true };
      },
    });
    const page = rig.program("tcp 127.0.0.1:50001", { mayChange: true });
    page.feed(Buffer.from(`POST /${"x".repeat(500)} HTTP/1.1\r\nHost: 127.0.0.1:8899\r\nOrigin: http://evil.example\r\n\r\n`));
    page.ask("POP02", "QMOD", "POP02");
    const honest = rig.program("tcp 127.0.0.1:50002", { mayChange: true });
    honest.ask("QMOD", "POP01");
    await wait(rig, 4000);
    expect(changed).toEqual(["POP01"]);
    expect(texts(page)).toEqual(["NAK", "NAK", "NAK", "NAK", "B", "NAK"].slice(-texts(page).length));
    expect(texts(page)).not.toContain("ACK");
    expect(texts(honest)).toEqual(["B", "ACK"]);
    // A serial port is no way for a page, and noise on it is none of its program's.
    const serial = rig.program("pty");
    serial.feed(Buffer.from("noise\r"));
    serial.ask("POP02");
    await wait(rig, 1000);
    expect(changed).toEqual(["POP01", "POP02"]);
    await rig.end();
  });

  it("does not come in from the network unless control allows that too", async () => {
    const rig = rigOf({ change: async () => ({ isSo: true }) });
    const program = rig.program("tcp 192.0.2.7:50001", { mayChange: false });
    program.ask("QMOD", "POP02");
    await wait(rig, 1000);
    expect(texts(program)).toEqual(["B", "NAK"]);
    expect(rig.logger.texts("warn").join()).toMatch(/control\.allowRemote/);
    await rig.end();
  });

  it("makes what was read before too old to be given again", async () => {
    const rig = rigOf({ change: async () => ({ isSo: true }) });
    rig.port.learn(readingAt(0));
    const program = rig.program();
    program.ask("POP02", "QPIGS");
    await wait(rig, 1000);
    expect(texts(program)).toEqual(["ACK", payloads.QPIGS]);
    expect(rig.asked.map(({ command }) => command)).toEqual(["QPIGS"]);
    await rig.end();
  });

  it("that fails by our mistake gets no answer, and the next question does", async () => {
    const rig = rigOf({
      change: async () => {
        throw new Error("a mistake");
      },
    });
    const program = rig.program();
    program.ask("POP02", "QMOD");
    await wait(rig, 1000);
    expect(texts(program)).toEqual(["B"]);
    expect(rig.logger.texts("error")).toEqual(["Shared port, tcp 127.0.0.1:40112: POP02 failed: Error: a mistake"]);
    await rig.end();
  });
});

describe("what is sent", () => {
  it("is byte for byte a unit's frame", async () => {
    const rig = rigOf();
    const sent: Uint8Array[] = [];
    const client = rig.port.client({ name: "pty", byteMs: 0, send: (bytes) => sent.push(bytes) });
    const stop = new AbortController();
    const running = client.run({ signal: stop.signal });
    client.feed(encodeCommand("QMOD"));
    await wait(rig, 1000);
    expect(sent.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual(["2842e7c90d"]);
    expect(decodeFrame(sent[0]!).body).toBe("B");
    stop.abort();
    await running;
  });
});
