/** Commands that change something, by the vendor's papers; source: notes §9.0. */

const common = ["PE", "PD", "PF", "F", "POP", "PBCV", "PBDV", "PCP", "PGR", "PBT", "PSDV", "PCVV", "PBFT", "MUCHGC", "MNCHGC"] as const;
export const equalization = ["PBEQE", "PBEQT", "PBEQP", "PBEQV", "PBEQOT", "PBEQA"] as const;
const clockAndLog = ["DAT", "RTEY", "RTDL"] as const;
const parallelPv = ["PPVOKC", "PSPB"] as const;
const lights = ["PLEDE", "PLEDS", "PLEDM", "PLEDB", "PLEDC"] as const;
const locks = ["PBATCD", "PBATMAXDISC"] as const;

/** First generation and MKS 4K. */
export const d14 = [...common, ...parallelPv, "POPM", "PPCP", "MCHGC"] as const;
export const d15 = [...d14, "MSCHGC", "PCST", "PCVT"] as const;
/** VM III and GK. */
export const dgk = [...common, ...parallelPv, ...equalization, ...clockAndLog, "PCVT", "V"] as const;
export const dmk2 = [
  ...common,
  ...parallelPv,
  ...equalization,
  ...clockAndLog,
  ...locks,
  "POPM",
  "PPCP",
  "PCVT",
  "POPV",
  "PDL",
  "SRS",
] as const;
export const dmax = [...common, ...equalization, ...clockAndLog, ...locks, ...lights, "POPM", "PPCP", "PCVT", "V", "PLEDT"] as const;
export const dmax2 = [
  ...common,
  ...equalization,
  ...clockAndLog,
  ...locks,
  ...lights,
  "POPM",
  "PPCP",
  "PCVT",
  "V",
  "PLEDD",
  "LOGO",
  "WEL",
] as const;
export const king = [...common, ...parallelPv, ...equalization, ...clockAndLog, "POPM", "PPCP", "PCVT", "POPLG", "PDL"] as const;
/** Models with a second output. */
export const twin = [
  ...common,
  ...parallelPv,
  ...equalization,
  ...clockAndLog,
  "POPM",
  "PPCP",
  "PCVT",
  "V",
  "PDL",
  "SRS",
  "PBCC",
  "PBDC",
  "PSDC",
  "PTOPE",
  "PTOPV",
  "PTOPVC",
  "PTOPC",
  "PTOPD",
  "PTOPW",
  "PTOPS",
] as const;
