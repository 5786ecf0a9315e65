import { RefusedError } from "../../model/errors.ts";
import { exampleOf, requestSentAs, type Query, type Request } from "../command.ts";
import { QMCHGCR, QMUCHGCR } from "./currents.ts";
import { QGMN, QID, QMN, QPI, QSID, QVFW } from "./identity.ts";
import { QPGSn } from "./parallel.ts";
import { QDI, QPIRI } from "./ratings.ts";
import { QMOD, QPIGS, QPIGS2 } from "./status.ts";
import { QFLAG, QPIWS } from "./warnings.ts";

/** Every inquiry of the PI30 dialect, in the order in which a screen shows them. */
export const pi30: readonly Query[] = [
  QPIGS,
  QPIGS2,
  QMOD,
  QPIWS,
  QPGSn,
  QPIRI,
  QFLAG,
  QPI,
  QID,
  QSID,
  QVFW,
  QMN,
  QGMN,
  QDI,
  QMCHGCR,
  QMUCHGCR,
];

/** Finds what to ask by the command as sent (`QPGS0`, `QED20241022`, any case). Throws RefusedError `command-unknown`. */
export function findRequest(command: string): Request {
  const sent = command.toUpperCase();
  for (const query of pi30) {
    const found = requestSentAs(query, sent);
    if (found) return found;
  }
  throw new RefusedError("command-unknown", `expected one of ${pi30.map((query) => query.code).join(" ")}, got ${JSON.stringify(command)}`);
}

/** What is worth asking by itself, one request each: of parallel units the first, and the others follow from it. */
export const polled: readonly Request[] = pi30.filter(({ cadence }) => cadence !== "onDemand").map((query) => exampleOf(query));
