import type { Profile } from "../profile.ts";
import { dmk2, king as kingCommands } from "./papers.ts";

const identity = { QPI: "PI30", QID: "99999999000001", QMOD: "B" } as const;

const king: Profile = {
  name: "king",
  family: "king",
  title: "KING 5 kW: current from the sun into the battery in QPIGS, 32 warnings, priorities of the two directions of current",
  source: "axpert-monitor, a parallel pair: QPIRI, QPIGS, QPGSn, QPIWS, QFLAG captured",
  replies: {
    ...identity,
    QSID: "1499999999000001005535",
    QVFW: "VERFW:00071.71",
    QVFW2: "VERFW2:00000.00",
    QMN: "KING-5000",
    QGMN: "023",
    QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 48.0 55.2 54.0 2 60 080 0 2 2 9 01 0 0 54.0 0 1 480",
    QPIGS: "233.8 49.8 230.2 49.8 0277 0250 005 363 52.00 000 028 0045 0000 289.6 00.00 00001 00010010 00 00 00241 010",
    QPGSn:
      "1 99999999000001 B 00 232.0 50.00 229.3 50.02 0412 0323 008 52.2 000 030 299.6 000 00895 00713 007 10100010 1 1 060 080 60 00 000",
    QPIWS: "00000100000000000000000000000000",
    QFLAG: "EbkuzDajvxy",
    QDI: "230.0 50.0 0030 42.0 54.0 56.4 46.0 60 0 0 2 0 0 0 0 0 1 1 0 0 1 0 54.0 0 1 000",
    QMCHGCR: "010 020 030 040 050 060 070 080",
    QMUCHGCR: "002 010 020 030 040 050 060",
    QBOOT: "0",
    QOPM: "00",
    QBEQI: "0 060 030 080 030 58.40 000 120 0 0000",
  },
  refusal: "nak",
  latencyMs: 0,
  // With 0 (SBL/UCB) and 2 (SLB/UCB) the grid may charge, with 1 and 3 it never does.
  chargerPriorities: { "0": "solarAndUtility", "1": "onlySolar", "2": "solarFirst", "3": "onlySolar" },
  strings: [{ peakWatts: 4500, voltage: 330 }],
  household: 1,
  settings: { commands: kingCommands, currents: { MNCHGC: ["mNNN"], MUCHGC: ["mNN", "mNNN"] } },
};

const phocos: Profile = {
  name: "phocos",
  family: "phocos",
  title: "Phocos PSW-H 5 kW (MKS II): 29 fields in QPIRI, 24 in QPIGS, a steady 1 among the warnings, 27 fields in Q1",
  source: "Solar2MQTT and the extended pipsolar, PSW-H 5 kW: QPIRI, QPIGS, QPIWS, Q1, QMN, QET captured",
  replies: {
    ...identity,
    QSID: "1499999999000001000000",
    QVFW: "VERFW:00062.74",
    QVFW2: "VERFW2:00000.00",
    QVFW3: "VERFW:00002.40",
    QMN: "MKS2-5000",
    QGMN: "038",
    QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 48.0 45.0 53.2 53.2 2 02 080 1 2 2 9 00 0 0 00.0 0 1 060 0 120 54.7",
    QPIGS: "218.4 50.0 218.4 50.0 0698 0653 013 367 49.60 002 045 0037 00.0 000.0 00.00 00000 00010101 00 00 00000 010 0 01 0000",
    QPGSn:
      "1 99999999000001 L 00 218.4 50.00 218.4 50.00 0698 0653 013 49.6 002 045 000.0 002 00698 00653 013 01000010 0 2 080 080 002 00 000",
    QPIWS: "100000000000000000000000000000010000",
    QFLAG: "EakxyzDbjuv",
    QDI: "230.0 50.0 0030 44.0 54.0 56.4 46.0 60 0 0 2 0 0 0 0 0 1 1 1 0 1 0 54.0 0 1 000 0",
    QMCHGCR: "010 020 030 040 050 060 070 080",
    QMUCHGCR: "002 010 020 030 040 050 060 070 080",
    QBEQI: "1 120 030 080 000 59.20 000 180 0 0742",
    QT: "20210726122606",
    QET: "10636700",
    QEYyyyy: "04626900",
    QEMyyyymm: "00215700",
    QEDyyyymmdd: "00003899",
    QLT: "10766900",
    QLYyyyy: "00766900",
    QLMyyyymm: "00491200",
    QLDyyyymmdd: "00017865",
    Q1: "00001 00006 00 00 02 032 037 026 033 02 00 000 0030 0000 0000 00.00 11 1 120 030 080 000 59.20 000 180 0 0742",
    QBATCD: "000",
  },
  refusal: "nak",
  latencyMs: 150,
  faultDigitsAt: 32,
  strings: [{ peakWatts: 3800, voltage: 310 }],
  household: 0.6,
  settings: { commands: dmk2, currents: { MNCHGC: ["mNNN"], MUCHGC: ["mNNN"] } },
};

export const mks2Profiles: readonly Profile[] = [king, phocos];
