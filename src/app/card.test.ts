import { expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { recordingLogger } from "../../test/support/readings.ts";
import { knows, nothing, ScriptedPort } from "../../test/support/scripted-port.ts";
import { ReplyError, TransportError } from "../model/errors.ts";
import { documentOf, emptyCard, observe } from "../protocol/pi30/card.ts";
import { Simulation } from "../sim/transport.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { probeCard, sharedCard } from "./card.ts";

const never = new AbortController().signal;
const start = Date.UTC(2026, 5, 21, 10);

test("a card is made on a line of its own within 20 s, and the line is let go", async () => {
  const clock = new VirtualClock(start);
  const simulation = new Simulation({ clock, model: "vm2" });
  const { card, facts } = await probeCard({ open: simulation.lines[0]!.open, clock, logger: recordingLogger() }, { signal: never });
  expect(clock.monotonic()).toBeLessThan(20_000);
  expect([card.complete, facts.family, facts.modelName]).toEqual([true, "vm2-4000", "VMII-4000"]);
  expect(simulation.journal.setters).toBe(0);
});

test("a simulated unit that refuses QPI gets its card by what its status looks like", async () => {
  const clock = new VirtualClock(start);
  const simulation = new Simulation({ clock, model: "max", firmware: { refuses: ["QPI"] } });
  const { card, facts } = await probeCard({ open: simulation.lines[0]!.open, clock, logger: recordingLogger() }, { signal: never });
  expect(clock.monotonic()).toBeLessThan(20_000);
  expect([card.protocol, card.commands["QPI"]?.support, facts.family, facts.pvInputs]).toEqual(["PI30", "refuses", "max", 2]);
});

test("a unit that does not answer, or not as it should, is told of", async () => {
  const clock = new VirtualClock(start);
  const logger = recordingLogger();
  const silent = new ScriptedPort(clock, nothing);
  expect(await failureOf(probeCard({ open: silent.open, clock, logger }, { signal: never }))).toBeInstanceOf(TransportError);
  const foreign = new ScriptedPort(clock, knows({ QPI: "PI41" }));
  const error = await failureOf(probeCard({ open: foreign.open, clock, logger }, { signal: never }));
  expect(error).toBeInstanceOf(ReplyError);
  expect(error).toMatchObject({ message: expect.stringMatching(/PI41.*not supported/) as string });
});

test("whoever waits can give up", async () => {
  const clock = new VirtualClock(start);
  const stop = new AbortController();
  const probing = failureOf(
    probeCard({ open: new ScriptedPort(clock, knows()).open, clock, logger: recordingLogger() }, { signal: stop.signal }),
  );
  await clock.sleep(500, { signal: never });
  stop.abort(new Error("enough"));
  expect(await probing).toMatchObject({ message: "enough" });
});

test("a shared card tells nothing of whose it is or when it was made, and what a unit answers stays readable", () => {
  const [own, other] = ["92931905106458", "96332011223344"];
  let card = emptyCard({ protocol: "PI30", serialNumber: own, firmware: "00079.70" }, start);
  const record = (serial: string): string =>
    `1 ${serial} B 00 237.0 50.01 000.0 00.00 0483 0387 009 51.1 000 069 020.4 000 00942 00792 007 00000010 1 1 060 080 10 00 006`;
  for (const [command, payload] of [
    ["QID", own],
    ["QSID", `14${own}005535`],
    ["QPGS0", record(own)],
    ["QPGS1", record(other)],
    ["QT", "20260621100000"],
  ] as const)
    card = observe(card, { command, support: "answers", payload }, start + 1);
  card = observe(card, { command: "QPIGS2", support: "refuses" }, start + 2);
  const shared = sharedCard(documentOf(card));
  const text = JSON.stringify(shared);
  for (const secret of [own, other, String(start), "20260621"]) expect(text).not.toContain(secret);
  expect(shared).toMatchObject({
    format: "sonkrag-model-card",
    firmware: "00079.70",
    parallel: { units: 2, phases: 1 },
    commands: { QPGS0: { support: "answers", fields: 27 }, QPIGS2: { support: "refuses" }, QT: { support: "answers" } },
  });
  const payloads = (shared as { readonly commands: Readonly<Record<string, { readonly payload: string }>> }).commands;
  expect(payloads["QID"]!.payload).toHaveLength(own.length);
  expect(payloads["QPGS0"]!.payload.split(" ")[1]).toBe(payloads["QID"]!.payload);
  expect(payloads["QPGS1"]!.payload.split(" ")[1]).not.toBe(payloads["QID"]!.payload);
});
