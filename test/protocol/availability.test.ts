import { expect, test } from "vitest";
import { settings } from "../../src/protocol/pi30/settings/catalogue.ts";
import { factsOf } from "./settings-support.ts";

// The rows of the notes §9.0, written from there and not from the program: which papers know which commands.
const everywhere = "PE PF F POP PBCV PBDV PCP PGR PBT PSDV PCVV PBFT MUCHGC MNCHGC POPM PPCP";
const feeding = "PPVOKC PSPB";
const equalizing = "PBEQE PBEQT PBEQP PBEQV PBEQOT PBEQA";
const clock = "DAT RTEY RTDL";
const lights = "PLEDE PLEDS PLEDM PLEDB PLEDC";
const secondOutput = "PTOPE PTOPV PTOPVC PTOPC PTOPD PTOPW PTOPS PBCC PBDC PSDC";

// Of each family whose papers are one, or one and DTWIN. V stands for POPV too, and MNCHGC for MCHGC.
const rows: readonly (readonly [family: string, ...codes: string[]])[] = [
  ["hs", everywhere, feeding],
  ["mks", everywhere, feeding],
  ["plus", everywhere, feeding, "MSCHGC PCST PCVT"],
  ["older", everywhere, feeding, "PCST"],
  ["mks2", everywhere, feeding, equalizing, clock, lights, "PCVT V PDL SRS PBATMAXDISC PLEDT"],
  ["phocos", everywhere, feeding, equalizing, clock, lights, "PCVT V PDL SRS PBATMAXDISC PLEDT PBATCD"],
  ["mks3", everywhere, feeding, equalizing, clock, lights, secondOutput, "PCVT V PDL SRS PBATMAXDISC PLEDT"],
  ["king", everywhere, feeding, equalizing, clock, lights, secondOutput, "PCVT POPLG PDL SRS PBATMAXDISC PLEDT"],
  ["vm3", everywhere, feeding, equalizing, clock, secondOutput, "PCVT V PDL SRS"],
  ["max", everywhere, equalizing, clock, lights, "PCVT V PBATCD PBATMAXDISC PLEDT"],
  ["lv6548", everywhere, equalizing, clock, lights, "PCVT V PBATCD PBATMAXDISC PLEDT"],
  ["max2", everywhere, equalizing, clock, lights, "PCVT V PBATCD PBATMAXDISC PLEDD LOGO WEL"],
  ["vm4", everywhere, equalizing, clock, lights, "PCVT V PBATCD PBATMAXDISC PLEDD LOGO WEL"],
  ["mks4", everywhere, equalizing, clock, lights, "PCVT V PBATCD PBATMAXDISC PLEDD LOGO WEL"],
  ["max-twin", everywhere, feeding, equalizing, clock, lights, secondOutput, "PCVT V PDL SRS PBATCD PBATMAXDISC PLEDD LOGO WEL"],
  ["vm4-twin", everywhere, feeding, equalizing, clock, lights, secondOutput, "PCVT V PDL SRS PBATCD PBATMAXDISC PLEDD LOGO WEL"],
];

test.each(rows)("a %s that answers everything is offered what its papers know, and nothing else", (family, ...documented) => {
  const facts = factsOf(family);
  const offered = settings.filter(({ allowed }) => allowed(facts).kind !== "none");
  const codes = new Set(offered.map(({ code }) => code.replace(/^PE[a-z]$/, "PE").replace(/^PLEDC\d$/, "PLEDC")));
  expect([...codes].sort()).toEqual(documented.flatMap((row) => row.split(" ")).sort());
});
