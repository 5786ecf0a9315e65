import { RefusedError } from "../../model/errors.ts";
import { request, type Query, type Request } from "../command.ts";
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

/** Finds what to ask by the command as sent (`QPGS0`, any case). Throws RefusedError `command-unknown`. */
export function findRequest(command: string): Request {
  const code = command.toUpperCase();
  const plain = pi30.find((query) => query.code === code);
  if (plain) return request(plain);
  const numbered = pi30.find(
    (query) => query.code.endsWith("n") && /^\d$/.test(code.slice(-1)) && query.code.slice(0, -1) === code.slice(0, -1),
  );
  if (numbered) return request(numbered, Number(code.slice(-1)));
  throw new RefusedError("command-unknown", `expected one of ${pi30.map((query) => query.code).join(" ")}, got ${JSON.stringify(command)}`);
}
