import type { Profile } from "../profile.ts";
import { d14, dgk, dmax, equalization } from "./papers.ts";

const identity = { QPI: "PI30", QID: "99999999000001", QMOD: "B" } as const;
const newer = [...d14.filter((code) => code !== "MCHGC"), ...equalization];

const easunSp: Profile = {
  name: "easun-sp",
  family: "unknown",
  title: "EASUN SP-3200 24 V: settings in an odd order (re-charge below cut-off), NAK without checksum",
  source: "Solar2MQTT, SP-3200: QPIRI, Q1 and the bare NAK captured",
  replies: {
    ...identity,
    QVFW: "VERFW:00040.07",
    QPIRI: "220.0 14.5 220.0 50.0 13.9 3200 3000 24.0 22.5 23.2 27.6 27.0 2 40 060 0 0 2 6 01 0 0 27.5 0 1",
    QPIGS: "230.5 50.0 220.0 50.0 0460 0414 014 380 26.40 005 085 0041 03.1 182.5 00.00 00000 00010110 00 00 00565 010",
    QPIWS: "00000000000000000000000000000000",
    QFLAG: "EzDabjkuvxy",
    QDI: "220.0 50.0 0030 21.0 27.0 28.2 23.0 60 0 0 2 0 0 0 0 0 1 1 1 0 1 0 27.0 0 1",
    QMCHGCR: "010 020 030 040 050 060 070 080",
    QMUCHGCR: "002 010 020 030 040 050 060",
    QBEQI: "0 060 030 050 030 29.20 000 120 0 0000",
    Q1: "07288 00001 00 00 00 000 028 028 000 00 00 000 0030 0001 0000 00.00 10",
  },
  refusal: "nak",
  bareNak: true,
  latencyMs: 150,
  strings: [{ peakWatts: 1600, voltage: 182, startVoltage: 60 }],
  household: 0.35,
  settings: { commands: newer, currents: { MNCHGC: ["NNN"], MUCHGC: ["NNN"] } },
};

const easun: Profile = {
  name: "easun",
  family: "vm3",
  title: "EASUN 5.5 kW: 25 fields in QPIRI, 21 in QPIGS, one unit only",
  source: "extended pipsolar, EASUN 5.5 kW: QPIRI, QPIGS, QFLAG captured",
  replies: {
    ...identity,
    QSID: "1499999999000001005535",
    QVFW: "VERFW:00041.17",
    QMN: "VMIII-5500",
    QPIRI: "230.0 23.9 230.0 50.0 23.9 5500 5500 48.0 51.0 48.0 55.3 55.3 2 02 100 0 2 3 1 01 0 0 53.0 0 1",
    QPIGS: "238.3 50.0 230.2 50.0 0322 0205 005 422 53.20 000 050 0056 02.1 224.7 00.00 00000 00010110 00 00 00473 010",
    QPIWS: "00000000000000000000000000000000",
    QFLAG: "EzDabjkuvxy",
    QDI: "230.0 50.0 0030 42.0 54.0 56.4 46.0 60 0 0 2 0 0 0 0 0 1 1 1 0 1 0 54.0 0 1",
    QMCHGCR: "010 020 030 040 050 060 070 080 090 100",
    QMUCHGCR: "002 010 020 030 040 050 060 070 080",
    QBEQI: "0 060 030 080 030 58.40 000 120 0 0000",
  },
  refusal: "nak",
  latencyMs: 120,
  strings: [{ peakWatts: 4200, voltage: 318 }],
  household: 0.6,
  settings: { commands: newer, currents: { MNCHGC: ["NNN"], MUCHGC: ["NNN"] } },
};

const easunSmh: Profile = {
  name: "easun-smh",
  family: "max",
  title: "EASUN SMH-II 7 kW: two PV inputs, LF behind the end of every answer",
  source: "notes §3: LF behind CR seen on an SMH-II-7K; forms of a MAX",
  replies: {
    ...identity,
    QSID: "1499999999000001005535",
    QVFW: "VERFW:00072.70",
    QMN: "MKS2-7000",
    QGMN: "044",
    QPIRI: "230.0 30.4 230.0 50.0 30.4 7000 7000 48.0 50.0 47.0 56.0 54.0 2 010 060 0 2 2 9 01 0 0 54.0 0 1 480 0 000",
    QPIGS: "227.2 50.0 230.3 50.0 0829 0751 010 447 54.50 020 083 0054 02.7 323.6 00.00 00000 00010110 00 00 00879 010",
    QPIGS2: "03.1 327.3 01026 ",
    QPIWS: "000000000000000000000000000000000000",
    QFLAG: "EbkuzDajvxy",
    QDI: "230.0 50.0 0030 44.0 54.0 56.4 46.0 60 0 0 2 0 0 0 0 0 1 1 1 0 1 0 54.0 0 1 000",
    QMCHGCR: "010 020 030 040 050 060 070 080 090 100 110 120",
    QMUCHGCR: "002 010 020 030 040 050 060 070 080 090 100 110 120",
    QBEQI: "0 060 030 080 030 58.40 000 120 0 0000",
    QT: "20210726122606",
    QET: "00238800",
    QLT: "00766900",
    QEDyyyymmdd: "00003899",
  },
  refusal: "nak",
  lineFeed: true,
  latencyMs: 120,
  faultDigitsAt: 32,
  strings: [
    { peakWatts: 3200, voltage: 330 },
    { peakWatts: 2600, voltage: 270 },
  ],
  household: 0.85,
  settings: { commands: dmax, currents: { MNCHGC: ["mNNN"], MUCHGC: ["mNN", "mNNN"] } },
};

const powmr: Profile = {
  name: "powmr",
  family: "clone",
  title: "PowMr 4.2 kW 24 V, a clone: voltages of unknown meaning behind QPIRI, unknown option letters, refuses 100 A though it lists it",
  source: "notes §8.6 (clone form), §8.7, §8.14, §9.2: QFLAG and QMUCHGCR captured, tail of QPIRI captured",
  replies: {
    ...identity,
    QVFW: "VERFW:00041.15",
    QMN: "VMII-4200",
    QPIRI: "230.0 18.2 230.0 50.0 18.2 4200 4200 24.0 23.0 21.0 28.2 27.0 2 30 060 0 2 2 1 01 0 0 26.0 0 1 25.5 02 22.0",
    QPIGS: "230.5 50.0 230.0 50.0 0460 0414 014 380 26.40 005 085 0041 03.1 182.5 00.00 00000 00010110 00 00 00565 010",
    QPIWS: "00000000000000000000000000000000",
    QFLAG: "EauxyzlDbjkvgd",
    QDI: "230.0 50.0 0030 21.0 27.0 28.2 23.0 60 0 0 2 0 0 0 0 0 1 1 1 0 1 0 27.0 0 1",
    QMCHGCR: "010 020 030 040 050 060 070 080 090 100",
    QMUCHGCR: "002 010 020 030 040 050 060 070 080 090 100",
  },
  refusal: "nak",
  latencyMs: 150,
  strings: [{ peakWatts: 2200, voltage: 210, startVoltage: 60 }],
  household: 0.45,
  settings: { commands: dgk, currents: { MNCHGC: ["mNN"], MUCHGC: ["mNN"] } },
};

/** Nobody has a card for it: known lengths nowhere, names and model missing. */
const mystery: Profile = {
  name: "mystery",
  family: "unknown",
  title: "Nobody has a card for this one: lengths that no paper has, no name, silence to much",
  source: "made up, after notes §8.6 and §8.8: further fields are to be kept raw",
  replies: {
    QPI: "PI30",
    QID: "9999999900001",
    QVFW: "VERFW:000F3.0A",
    QMOD: "B",
    QPIRI: "230.0 15.2 230.0 50.0 15.2 3500 3500 24.0 23.0 21.0 28.2 27.0 2 30 060 0 2 2 1 01 0 0 26.0 0 1 120 0 000 26.4 7 0091",
    QPIGS:
      "230.5 50.0 230.0 50.0 0460 0414 014 380 26.40 005 085 0041 03.1 182.5 00.00 00000 00010110 00 00 00565 010 0 00 0000 02.2 0137 5",
    QPIWS: "0000000000000000000000000000000000000000",
    QFLAG: "EaxyzqDbjkuvw",
  },
  refusal: "silence",
  replyChecksum: "zeroBumped",
  latencyMs: 200,
  strings: [{ peakWatts: 1700, voltage: 182, startVoltage: 60 }],
  household: 0.38,
  settings: { commands: newer, currents: { MUCHGC: ["NNN"] } },
};

export const rebrandProfiles: readonly Profile[] = [easunSp, easun, easunSmh, powmr, mystery];
