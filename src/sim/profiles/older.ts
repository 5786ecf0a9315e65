import type { Profile } from "../profile.ts";
import { d14, d15 } from "./papers.ts";

const identity = { QPI: "PI30", QID: "99999999000001", QMOD: "B" } as const;

/** First generation, 24 V. */
const hs: Profile = {
  name: "hs",
  family: "hs",
  title: "HS/MS 3 kVA 24 V of the first generation: 17 fields in QPIGS, heat sink as a raw number, no parallel option",
  source: "D14; QPIRI captured, the rest constructed after the paper",
  replies: {
    ...identity,
    QVFW: "VERFW:00012.03",
    QVFW2: "VERFW2:00000.00",
    QPIRI: "230.0 13.0 230.0 50.0 13.0 3000 2400 24.0 23.0 21.0 28.2 27.0 0 30 50 0 2 1 - 01 1 0 26.0 0 0",
    QPIGS: "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00010110",
    QPIWS: "00000100000000000000000000000000",
    QFLAG: "EakxyDbjuvz",
    QDI: "230.0 50.0 0030 21.0 27.0 28.2 23.0 50 0 0 0 0 0 0 0 0 1 1 0 0 1 0 27.0 0 0",
    QMCHGCR: "010 020 030 040 050",
    QMUCHGCR: "002 010 020 030",
    QBOOT: "0",
    QOPM: "00",
  },
  refusal: "nak",
  latencyMs: 150,
  strings: [{ peakWatts: 900, voltage: 64, startVoltage: 30 }],
  household: 0.3,
  settings: { commands: d14, currents: { MCHGC: ["mNN"], MNCHGC: ["mNNN"], MUCHGC: ["mNN"] } },
};

const mks: Profile = {
  name: "mks",
  family: "older",
  title: "MKS 5 kVA: up to 6 in parallel, current from the sun into the battery in QPIGS, no model name",
  source: "D4K; QPIRI, QPIGS, QPGSn and QFLAG captured",
  replies: {
    ...identity,
    QSID: "1499999999000001005535",
    QVFW: "VERFW:00072.70",
    QVFW2: "VERFW2:00000.00",
    QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 4000 48.0 46.0 42.0 56.4 54.0 0 10 010 1 0 0 6 01 0 0 54.0 0 1",
    QPIGS: "000.0 00.0 230.0 49.9 0161 0119 003 460 57.50 012 100 0069 0014 103.8 57.45 00000 00110110 00 00 00856 010",
    QPGSn:
      "1 99999999000001 B 00 000.0 00.00 230.6 50.00 0275 0141 005 51.4 001 100 083.3 002 00574 00312 003 10100110 1 2 060 120 10 04 000",
    QPIWS: "00000100000000000000000000000000",
    QFLAG: "EbuvyzDajkx",
    QDI: "230.0 50.0 0030 42.0 54.0 56.4 46.0 60 0 0 0 0 0 0 0 0 1 1 0 0 1 0 54.0 0 1",
    QMCHGCR: "010 020 030 040 050 060 070 080",
    QMUCHGCR: "002 010 020 030 040 050 060",
    QBOOT: "0",
    QOPM: "00",
  },
  refusal: "nak",
  latencyMs: 120,
  strings: [{ peakWatts: 2600, voltage: 96, startVoltage: 60 }],
  household: 0.5,
  settings: { commands: d14, currents: { MCHGC: ["NNN"], MNCHGC: ["mNNN"], MUCHGC: ["NNN"] } },
};

const plusTri: Profile = {
  name: "plus-tri",
  family: "plus",
  title: "Plus Tri 5 kVA: three solar chargers, 12 fields in QPIGS2, 38 warnings, 29 defaults",
  source: "D15, customer edition 2015-09-24; constructed after the paper",
  replies: {
    ...identity,
    QSID: "1499999999000001000000",
    QVFW: "VERFW:00012.03",
    QVFW2: "VERFW2:00012.03",
    QVFW3: "VERFW3:00012.03",
    QVFW4: "VERFW4:00012.03",
    QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 4000 48.0 46.0 42.0 56.4 54.0 2 30 120 1 2 1 6 20 0 0 54.0 0 1",
    QPIGS: "230.5 50.0 230.0 50.0 0460 0414 009 380 53.20 005 085 0045 0012 102.5 53.20 00000 00010110 00 00 00638 010",
    QPIGS2: "0012 102.5 53.20 00638 11000000 0010 0532 0011 101.8 53.20 0585 01861",
    QPGSn:
      "1 99999999000001 B 00 000.0 00.00 230.6 50.00 0275 0141 005 51.4 001 100 083.3 002 00574 00312 003 10100110 0 2 120 180 30 12 000",
    QP2GSn: "1 00850 102.5 0012 00638 101.8 0011 00585 11110000",
    QPIWS: "00000000000000000000000000000000000000",
    QFLAG: "EakxyDbjluvz",
    QDI: "230.0 50.0 0060 40.8 54.0 56.4 46.0 30 0 0 0 0 0 0 0 0 1 1 0 0 1 0 54.0 0 1 0 0 040 255",
    QMCHGCR: "010 020 030 040 050 060 070 080 090 100 110 120",
    QMUCHGCR: "002 010 020 030 040 050 060",
    QMSCHGCR: "010 020 030 040",
    QBOOT: "1",
    QOPM: "00",
    QCST: "00",
    QCVT: "255",
  },
  refusal: "nak",
  latencyMs: 120,
  strings: [
    { peakWatts: 1800, voltage: 104, startVoltage: 60 },
    { peakWatts: 1400, voltage: 96, startVoltage: 60 },
    { peakWatts: 1100, voltage: 88, startVoltage: 60 },
  ],
  household: 0.5,
  settings: { commands: d15, currents: { MCHGC: ["NNN"], MSCHGC: ["NNN"], MNCHGC: ["mNNN"], MUCHGC: ["NNN"] } },
};

export const olderProfiles: readonly Profile[] = [hs, mks, plusTri];
