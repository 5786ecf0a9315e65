import { RefusedError } from "../../model/errors.ts";
import { exampleOf, requestSentAs, type Query, type Request } from "../command.ts";
import { QBATCD, QBEQI, QBMS, QBT, QBV, QCST, QCVT } from "./battery.ts";
import { QMCHGCR, QMSCHGCR, QMUCHGCR } from "./currents.ts";
import { QEDyyyymmdd, QEMyyyymm, QET, QEYyyyy, QLDyyyymmdd, QLMyyyymm, QLT, QLYyyyy } from "./energy.ts";
import { QBOOT, QDOP, QGR, QLED, QOPM, QT, QWFS } from "./extras.ts";
import { QGMN, QID, QMN, QPI, QSID, QVFW, QVFW2, QVFW3, QVFW4, VERFW } from "./identity.ts";
import { Q1, Q2, QFS, QMD, QWS } from "./internals.ts";
import { Q2PGSn, QP2GSn, QPGSn } from "./parallel.ts";
import { QDI, QPIRI } from "./ratings.ts";
import { QLITH0 } from "./revo.ts";
import { QCHPT, QOPCHT, QOPPT } from "./schedule.ts";
import { QMOD, QPIGS, QPIGS2 } from "./status.ts";
import { QFLAG, QPIWS } from "./warnings.ts";

/** Every inquiry of the PI30 dialect, in the order in which a screen shows them. */
export const pi30: readonly Query[] = [
  QPIGS,
  QPIGS2,
  QMOD,
  QPIWS,
  QPGSn,
  QP2GSn,
  QBMS,
  QDOP,
  Q1,
  QPIRI,
  QFLAG,
  QBEQI,
  QBATCD,
  QCST,
  QCVT,
  QT,
  QET,
  QLT,
  QOPPT,
  QCHPT,
  QLED,
  QPI,
  QID,
  QSID,
  QVFW,
  QVFW2,
  QVFW3,
  QMN,
  QGMN,
  QDI,
  QMCHGCR,
  QMUCHGCR,
  QMSCHGCR,
  QEYyyyy,
  QEMyyyymm,
  QEDyyyymmdd,
  QLYyyyy,
  QLMyyyymm,
  QLDyyyymmdd,
  QVFW4,
  VERFW,
  QBOOT,
  QOPM,
  QBT,
  QGR,
  QBV,
  Q2PGSn,
  QOPCHT,
  QWFS,
  QMD,
  QFS,
  QWS,
  Q2,
  QLITH0,
];

/** Finds what to ask by the command as sent (`QPGS0`, `QED20241022`, any case). Throws RefusedError `command-unknown`. */
export function findRequest(command: string, dialect: readonly Query[] = pi30): Request {
  const sent = command.toUpperCase();
  for (const query of dialect) {
    const found = requestSentAs(query, sent);
    if (found) return found;
  }
  throw new RefusedError(
    "command-unknown",
    `expected one of ${dialect.map((query) => query.code).join(" ")}, got ${JSON.stringify(command)}`,
  );
}

/** What is worth asking by itself, one request each: of parallel units the first, and the others follow from it. */
export const polled: readonly Request[] = pi30.filter(({ cadence }) => cadence !== "onDemand").map((query) => exampleOf(query));
